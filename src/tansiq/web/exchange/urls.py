"""Addresses of the links."""

from __future__ import annotations

from django.urls import URLPattern, path

from tansiq.web.exchange import links, recalls, waiting

urlpatterns: list[URLPattern] = [
    path("", links.page, name="exchange"),
    path("links/<str:peer>/", links.link, name="exchange-link"),
    path("links/<str:peer>/compare/", links.compare, name="exchange-compare"),
    path("links/<str:peer>/waive/", links.waive, name="exchange-waive"),
    path("alarms/<int:number>/end/", links.end_alarm, name="exchange-alarm-end"),
    path("waiting/", waiting.page, name="exchange-waiting"),
    path("waiting/<int:number>/", waiting.one, name="exchange-waiting-one"),
    path("waiting/<int:number>/retry/", waiting.retry, name="exchange-retry"),
    path("waiting/<int:number>/refuse/", waiting.refuse, name="exchange-refuse"),
    path("recalls/", recalls.page, name="exchange-recalls"),
]
