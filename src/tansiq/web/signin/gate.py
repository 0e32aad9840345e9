"""Between the password and the second factor: a session that may do nothing but prove who it is.

Everything of the portal sees a guest there (``request.viewer`` is nobody). The pages of allauth know no viewer, only a
session's person, so this gate stands before them: without a factor of their own people may set one up, with one they
may be asked for it, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable

from allauth.usersessions.models import UserSession
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import Resolver404, resolve, reverse

from tansiq.members.actions.own import join
from tansiq.web.signin import factor, limits
from tansiq.web.signin.address import client_address

Handler = Callable[[HttpRequest], HttpResponse]

ACCOUNT = "/account/"
ALWAYS = frozenset({"account_login", "account_logout", "account_inactive", "signin_factor"})
TO_SET_UP = frozenset({"mfa_activate_totp", "mfa_add_webauthn", "account_reauthenticate"})
TO_PROVE = frozenset({"mfa_reauthenticate", "mfa_reauthenticate_webauthn"})
ARRIVED = "wholly_signed_in"


def gate(get_response: Handler) -> Handler:
    def handle(request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return get_response(request)
        if factor.wholly_signed_in(request):
            if not request.session.get(ARRIVED):
                arrive(request)
            return get_response(request)
        if request.path.startswith(ACCOUNT) and not may_pass(request):
            return HttpResponseRedirect(reverse("signin_factor"))
        return get_response(request)

    return handle


def may_pass(request: HttpRequest) -> bool:
    try:
        name = resolve(request.path_info).url_name
    except Resolver404:
        return True  # there is nothing to guard
    return name in ALWAYS | (TO_PROVE if factor.has_factor(request.user.pk) else TO_SET_UP)


def arrive(request: HttpRequest) -> None:
    """The first request of a session that proved both factors: it rose in rank, so it gets another key."""
    before = request.session.session_key
    request.session[ARRIVED] = True
    request.session.cycle_key()
    UserSession.objects.filter(session_key=before).update(session_key=request.session.session_key)
    limits.remember_network(request.user.pk, client_address(request), now=request.now)
    limits.forget(now=request.now)
    join(request.user, now=request.now)
