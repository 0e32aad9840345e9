"""Addresses of checks."""

from __future__ import annotations

from django.urls import URLPattern, path

from tansiq.web.checks import views

urlpatterns: list[URLPattern] = [
    path("", views.page, name="checks"),
    path("<int:number>/seen/", views.seen, name="check-seen"),
]
