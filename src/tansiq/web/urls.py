"""Every address of the portal."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from tansiq.web.whois import views as whois

urlpatterns: list[URLPattern | URLResolver] = [
    path("account/", include("allauth.urls")),
    path("whois/", whois.page, name="whois"),
    path("whois.json", whois.as_json, name="whois-json"),
]
