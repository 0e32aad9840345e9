"""Every address of the portal."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from tansiq.web import acting, languages
from tansiq.web.directory import views as directory
from tansiq.web.home import views as home
from tansiq.web.look import views as look
from tansiq.web.sharing import views as sharing
from tansiq.web.whois import views as whois

urlpatterns: list[URLPattern | URLResolver] = [
    path("language", languages.change, name="language"),
    path("acting-for", acting.change, name="acting_for"),
    path("look/", look.page, name="look"),
    path("", include("tansiq.web.account.urls")),
    path("", include("tansiq.web.signin.urls")),
    path("api/", include("tansiq.web.api.urls")),
    path("", home.page, name="home"),
    path("teams/", directory.teams, name="teams"),
    path("teams.json", directory.teams_json, name="teams-json"),
    path("teams/<str:code>/", directory.team, name="team"),
    path("teams/<str:code>.json", directory.team_json, name="team-json"),
    path("teams/<str:code>/keys/<str:fingerprint>.asc", directory.certificate, name="certificate"),
    path("", include("tansiq.web.desk.urls")),
    path("exchange/", include("tansiq.web.exchange.urls")),
    path("checks/", include("tansiq.web.checks.urls")),
    path("sharing/preview/", sharing.preview, name="sharing-preview"),
    path("map/", directory.world_map, name="map"),
    path("whois/", whois.page, name="whois"),
    path("whois.json", whois.as_json, name="whois-json"),
]

handler400 = "tansiq.web.errors.bad_request"
handler403 = "tansiq.web.errors.not_allowed"
handler404 = "tansiq.web.errors.not_found"
handler500 = "tansiq.web.errors.broken"
