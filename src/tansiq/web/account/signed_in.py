"""Pages for those who are wholly signed in; to everybody else they ask who it is."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

View = Callable[..., HttpResponse]


def signed_in(view: View) -> View:
    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.viewer.nobody:
            return view(request, *args, **kwargs)
        if request.user.is_authenticated:
            return HttpResponseRedirect(reverse("signin_factor"))
        query = urlencode({"next": request.get_full_path()}) if request.method == "GET" else ""
        return HttpResponseRedirect(f"{reverse('account_login')}{'?' if query else ''}{query}")

    return asked
