"""The ways in that are used once, and the page between the password and the second factor."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.internal.flows.logout import logout
from allauth.account.models import Login
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from tansiq.members.actions import people, tokens
from tansiq.members.models import Invitation, Person, SignInLink
from tansiq.web.signin import factor
from tansiq.web.signin.adapter import AFTER_FACTOR, verify_address
from tansiq.web.signin.forms_entry import FirstPasswordForm


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: HttpRequest, token: str) -> HttpResponse:
    """A sign-in link: to look at it, as mail scanners do, does not use it; the button does."""
    try:
        if request.method != "POST":
            person = tokens.holder(SignInLink, token, now=request.now)
            return render(request, "account/enter.html", {"invited": person})
        person = people.use_sign_in_link(token, now=request.now)
    except tokens.LinkNotValid as error:
        return _not_valid(request, error)
    return _signed_in(request, person, method="link")


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Join: by a password, or straight by a passkey, which the factor page then asks for."""
    try:
        person = tokens.holder(Invitation, token, now=request.now)
    except tokens.LinkNotValid as error:
        return _not_valid(request, error)
    by_passkey = request.POST.get("way") == "passkey"
    form = FirstPasswordForm(request.POST if request.method == "POST" and not by_passkey else None, person=person)
    if request.method != "POST" or not (by_passkey or form.is_valid()):
        return render(request, "account/invitation.html", {"invited": person, "form": form})
    try:
        with transaction.atomic():
            person = people.accept_invitation(token, now=request.now)
            if not by_passkey:
                get_adapter(request).set_password(person, form.cleaned_data["password"])
    except tokens.LinkNotValid as error:  # two at once
        return _not_valid(request, error)
    return _signed_in(request, person, method="invitation")


@never_cache
@require_safe
def second_factor(request: HttpRequest) -> HttpResponse:
    """Choose a factor, or prove the one there is; then the recovery codes, once, and on to where one wanted to go."""
    if not request.user.is_authenticated:
        return HttpResponseRedirect(reverse("account_login"))
    if not factor.wholly_signed_in(request):
        kinds = set(Authenticator.objects.filter(user=request.user).values_list("type", flat=True))
        return render(request, "account/factor.html", {"kinds": kinds, "has_factor": kinds & set(factor.FACTORS)})
    codes = Authenticator.objects.filter(user=request.user, type=Authenticator.Type.RECOVERY_CODES).first()
    if codes is not None and not codes.wrap().did_view:
        return HttpResponseRedirect(reverse("mfa_view_recovery_codes"))
    wanted = request.session.pop(AFTER_FACTOR, "")
    return HttpResponseRedirect(wanted if get_adapter(request).is_safe_url(wanted) else "/")


def _signed_in(request: HttpRequest, person: Person, *, method: str) -> HttpResponse:
    """As allauth signs in: through its stages, so that a factor the person has is asked for, and with a new session."""
    if request.user.is_authenticated:
        logout(request)
    verify_address(person)
    record_authentication(request, person, method)
    return perform_login(request, Login(user=person, email=person.email))


def _not_valid(request: HttpRequest, error: tokens.LinkNotValid) -> HttpResponse:
    return render(request, "account/link_not_valid.html", {"error": error}, status=410)
