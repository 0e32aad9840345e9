"""Ending one of one's own sessions; the list, and ending all others, are allauth's."""

from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST

from tansiq.web.account.signed_in import signed_in
from tansiq.web.languages import see_other


@signed_in
@require_POST
def end(request: HttpRequest, session: int) -> HttpResponse:
    get_object_or_404(UserSession, pk=session, user=request.user).end()
    return see_other(reverse("usersessions_list"))
