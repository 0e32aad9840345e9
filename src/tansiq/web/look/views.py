"""The page of components: each drawn four times, from the same template, in the words of its own language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import cycle, product
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone, translation

from tansiq.core.hijri import HijriDate, PrintedDate
from tansiq.core.text import Text
from tansiq.members.shipped import shipped_directory
from tansiq.web.front_door import RIGHT_TO_LEFT
from tansiq.web.look import forms
from tansiq.web.map.world import Place

MOMENT = datetime(2026, 2, 18, 21, 40, tzinfo=UTC)
PLACE = ZoneInfo("Asia/Riyadh")
PRINTED = PrintedDate(date(2011, 6, 28), HijriDate(1432, 7, 26))  # 38th session, as its resolutions print it
TEAM = Text(ar="الفريق الوطني للاستجابة للطوارئ الحاسوبية", en="National CERT", fr="CERT national")
ONLY_FRENCH = Text(fr="Centre de veille et de réponse aux attaques informatiques")
LABELS = ("RED", "AMBER+STRICT", "AMBER", "GREEN", "CLEAR")


@dataclass(frozen=True, slots=True)
class Specimens:
    """One language in one theme."""

    language: str
    theme: str
    direction: str
    html: str


def page(request: HttpRequest) -> HttpResponse:
    drawn = [specimens(language, theme) for language, theme in product(("en", "ar"), ("light", "dark"))]
    return render(request, "look/page.html", {"specimens": drawn, "places": places()})


def places() -> list[Place]:
    """The states of the federation, each in one of three tones."""
    language = translation.get_language() or "en"
    states = [(country.alpha2, country.name.within(language)[0]) for country in shipped_directory().countries]
    tones = cycle(("", "warn", "quiet"))
    return [Place(code, name, f"#{code}", next(tones), name) for code, name in states]


def specimens(language: str, theme: str) -> Specimens:
    mark = f"{language}-{theme}"
    with translation.override(language), timezone.override(PLACE):
        html = render_to_string("look/_components.html", context(mark))
    return Specimens(language, theme, "rtl" if language in RIGHT_TO_LEFT else "ltr", html)


def context(mark: str) -> dict[str, Any]:
    return {
        "mark": mark,
        "hijri": True,
        "moment": MOMENT,
        "printed": PRINTED,
        "team": TEAM,
        "only_french": ONLY_FRENCH,
        "labels": LABELS,
        "counts": (0, 1, 2, 3, 11, 100),
        "empty_form": forms.empty(mark),
        "mistaken_form": forms.mistaken(mark),
    }
