"""Signing in by the identity provider of one team: who may, what its groups grant, and how far such a session reaches.

A provider answers for its own team and nothing else. It opens the account of somebody whom that team has invited, by a
verified address; its groups give roles in that team only and take them back; and a session it opened acts for that team
alone, without seats, whatever else the person holds: else the administrators of one team's provider could sit down in
another team, or in the Secretariat, as somebody who is of both.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import render

from tansiq.core.viewer import NOBODY, Viewer
from tansiq.members import viewers
from tansiq.members.actions.appointments import grant_by_provider
from tansiq.members.models import Appointment, Person, Team
from tansiq.web.signin import factor
from tansiq.web.signin.provider_setting import Provider


class ProviderAdapter(DefaultSocialAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False  # whoever was not found below is nobody we know

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        provider: Provider = settings.OIDC
        if not sociallogin.is_existing:
            person = invited(provider, verified_address(sociallogin))
            if person is None:
                raise ImmediateHttpResponse(render(request, "socialaccount/not_invited.html", status=403))
            sociallogin.connect(request, person)
        person = sociallogin.user
        claims = claims_of(sociallogin)
        team = Team.objects.get(code=provider.team)
        roles = provider.roles(claims.get("groups", []))
        grant_by_provider(person, team=team, roles=roles, provider=provider.code, now=request.now)
        if provider.vouches(id_token_of(sociallogin)):
            record_authentication(request, person, factor.PROVIDER_FACTOR)

    def on_authentication_error(self, request: HttpRequest, provider: Any, **kwargs: Any) -> None:
        raise ImmediateHttpResponse(render(request, "socialaccount/authentication_error.html", status=502))


def invited(provider: Provider, address: str) -> Person | None:
    """Somebody of the provider's own team, past or present, whose mailbox the provider has verified."""
    if not address:
        return None
    person = Person.objects.filter(email=address, is_active=True).first()
    if person is None or not Appointment.objects.filter(person=person, team__code=provider.team).exists():
        return None
    return person


def verified_address(sociallogin: SocialLogin) -> str:
    """In the one spelling that is stored; empty if the provider does not say ``email_verified: true``."""
    return next((found.email.strip().lower() for found in sociallogin.email_addresses if found.verified is True), "")


def claims_of(sociallogin: SocialLogin) -> dict[str, Any]:
    """Of the ID token, and of the user information beside it, which may hold the groups alone."""
    said = sociallogin.account.extra_data
    return {**(said.get("id_token") or {}), **(said.get("userinfo") or {})}


def id_token_of(sociallogin: SocialLogin) -> dict[str, Any]:
    """How the person was asked: of the token alone, which is about this very sign-in."""
    return sociallogin.account.extra_data.get("id_token") or {}


def reached(request: HttpRequest, viewer: Viewer) -> Viewer:
    """How far ``viewer`` reaches in a session that the provider opened: its team, no seats; else as it is."""
    provider: Provider | None = settings.OIDC
    if viewer.nobody or not factor.by_provider(factor.records_of(request)):
        return viewer
    if provider is None:  # no longer configured: the session that it opened is worth nothing
        return NOBODY
    confined = viewers.viewer_of(request.user, team=provider.team, now=request.now)
    return replace(confined, seats=frozenset()) if confined.team == provider.team else NOBODY
