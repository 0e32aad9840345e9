"""Addresses of the desk."""

from __future__ import annotations

from django.urls import URLPattern, path

from tansiq.web.desk import claims, contacts, duty, keys, membership, profile, record, register, transfer

urlpatterns: list[URLPattern] = [
    path("teams/<str:code>/contacts/", contacts.page, name="contacts"),
    path("teams/<str:code>/contacts/confirm/", contacts.confirm, name="contacts-confirm"),
    path("teams/<str:code>/contacts/<int:number>/", contacts.change, name="contact"),
    path("teams/<str:code>/contacts/<int:number>/move/", contacts.move, name="contact-move"),
    path("teams/<str:code>/contacts/<int:number>/remove/", contacts.remove, name="contact-remove"),
    path("teams/<str:code>/duty/", duty.page, name="duty"),
    path("teams/<str:code>/duty/<int:number>/end/", duty.end, name="duty-end"),
    path("teams/<str:code>/keys/", keys.page, name="team-keys"),
    path("teams/<str:code>/keys/<str:fingerprint>/withdraw/", keys.withdraw, name="certificate-withdraw"),
    path("teams/<str:code>/claims/", claims.page, name="claims"),
    path("teams/<str:code>/claims/<int:number>/end/", claims.end, name="claim-end"),
    path("teams/<str:code>/claims/<int:number>/judge/", claims.judge, name="claim-judge"),
    path("teams/<str:code>/claims/<int:number>/decide/", claims.decide, name="claim-decide"),
    path("teams/<str:code>/rfc2350/", profile.page, name="profile"),
    path("teams/<str:code>/rfc2350/<int:number>/", profile.page, name="profile-version"),
    path("teams/<str:code>/rfc2350.<str:language>.txt", profile.as_text, name="profile-text"),
    path("teams/<str:code>/rfc2350/edit/", profile.edit, name="profile-edit"),
    path("teams/<str:code>/rfc2350/edit/<str:number>/", profile.section, name="profile-section"),
    path("teams/<str:code>/rfc2350/preview/<str:language>/", profile.preview, name="profile-preview"),
    path("teams/<str:code>/rfc2350/publish/", profile.publish, name="profile-publish"),
    path("teams/<str:code>/membership/", membership.page, name="membership"),
    path("teams/<str:code>/membership/<int:number>/standing/", membership.standing, name="membership-standing"),
    path("teams/<str:code>/membership/<int:number>/end/", membership.end, name="membership-end"),
    path("teams/<str:code>/membership/<int:number>/community/", membership.community, name="membership-community"),
    path("teams/<str:code>/export.toml", transfer.export, name="team-export"),
    path("register/", register.page, name="register"),
    path("register/import/", transfer.page, name="register-import"),
    path("register/import/confirm/", transfer.confirm, name="register-import-confirm"),
    path("register/export.toml", transfer.export, name="register-export"),
    path("audit/", record.page, name="audit"),
    path("audit/verify/", record.verify, name="audit-verify"),
]
