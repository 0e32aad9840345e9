"""Addresses of the account's own pages; before those of allauth, which has the rest of ``account/``."""

from __future__ import annotations

from django.urls import URLPattern, path
from django.views.generic.base import RedirectView

from tansiq.web.account import address, keys, people, sessions, settings

urlpatterns: list[URLPattern] = [
    path("account/", RedirectView.as_view(pattern_name="settings"), name="account"),
    path("account/settings/", settings.page, name="settings"),
    path("account/address/", address.page, name="address"),
    path("account/address/<str:token>/", address.confirm, name="address_confirm"),
    path("account/sessions/<int:session>/end/", sessions.end, name="account_session_end"),
    path("account/keys/", keys.page, name="keys"),
    path("account/keys/create/", keys.create, name="keys_create"),
    path("account/keys/<int:key>/revoke/", keys.revoke, name="keys_revoke"),
    path("people/", people.page, name="people"),
    path("people/invite/", people.invite, name="people_invite"),
    path("people/<str:code>/invite-again/", people.invite_again, name="people_invite_again"),
    path("people/appointments/<int:appointment>/end/", people.end, name="people_end"),
]
