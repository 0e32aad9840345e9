"""A team's RFC 2350 profile: read by everybody, written by the team section by section, published whole."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tansiq.core.text import LANGUAGES, Text
from tansiq.members import actions, queries, rfc2350, rules
from tansiq.members.models import Team
from tansiq.members.queries.profiles import Draft
from tansiq.members.rfc2350 import SECTIONS, Profile
from tansiq.web.desk.place import at_desk, at_team, did
from tansiq.web.front_door import RIGHT_TO_LEFT
from tansiq.web.languages import see_other


class SectionForm(forms.Form):
    """One section's words, a field for each language, each in its own direction."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        for language, name in settings.LANGUAGES:
            attrs = {"rows": 6, "lang": language, "dir": "rtl" if language in RIGHT_TO_LEFT else "ltr"}
            self.fields[language] = forms.CharField(
                label=name, required=False, max_length=rfc2350.SECTION_LIMIT, widget=forms.Textarea(attrs=attrs)
            )

    @property
    def words(self) -> Text:
        return Text.of(self.cleaned_data)


@require_safe
def page(request: HttpRequest, code: str, number: int = 0) -> HttpResponse:
    """A published version, the last one without ``number``. Public."""
    profile = _published(request, code, number)
    versions = queries.profile_versions(request.viewer, code)
    shown = {
        "code": code,
        "profile": profile,
        "parts": rfc2350.parts(profile, spoken()),
        "versions": versions,
        "last": versions[0].number,
        "languages_of_text": settings.LANGUAGES,
        "may_keep": bool(rules.may_keep_profile(team=code, by=request.viewer)),
    }
    return render(request, "desk/profile.html", shown)


@require_safe
def as_text(request: HttpRequest, code: str, language: str) -> HttpResponse:
    """The text of the RFC in one language, as a plain file. Public."""
    if language not in LANGUAGES:
        raise Http404
    profile = _published(request, code)
    answer = HttpResponse(rfc2350.profile_text(profile, language), content_type="text/plain; charset=utf-8")
    answer["Content-Language"] = language
    if profile.published_on:
        answer["Last-Modified"] = datetime.combine(profile.published_on, time(), UTC).strftime(
            "%a, %d %b %Y %H:%M:%S GMT"
        )
    return answer


@at_desk
@require_safe
def edit(request: HttpRequest, code: str) -> HttpResponse:
    """The draft as it would be published, with a way into every section."""
    team, draft = _draft(request, code)
    return at_team(
        request,
        "desk/profile_edit.html",
        team,
        here="profile-edit",
        draft=draft,
        parts=rfc2350.parts(draft.profile, spoken()),
        missing={number: missing(words) for number, words in draft.profile.sections.items()},
        languages_of_text=settings.LANGUAGES,
    )


@at_desk
@require_http_methods(["GET", "HEAD", "POST"])
def section(request: HttpRequest, code: str, number: str) -> HttpResponse:
    team, draft = _draft(request, code)
    place = next((place for place, one in enumerate(SECTIONS) if one.number == number and not one.chapter), None)
    if place is None:
        raise Http404
    words = draft.profile.sections.get(number, Text())
    form = SectionForm(request.POST or None, initial={language: getattr(words, language) for language in LANGUAGES})
    act = lambda clean: actions.write_section(  # noqa: E731
        team, number, Text.of(clean), by=request.viewer, now=request.now
    )
    if request.method == "POST" and did(form, act):
        messages.success(request, _("Section {number} is kept in the draft.").format(number=number))
        following = [one.number for one in SECTIONS[place + 1 :] if not one.chapter]
        if "onward" in request.POST and following:
            return see_other(reverse("profile-section", args=[code, following[0]]))
        return see_other(f"{reverse('profile-edit', args=[code])}#section-{number}")
    part = rfc2350.parts(draft.profile, spoken())[place]
    status = 422 if form.is_bound else 200
    return at_team(request, "desk/profile_section.html", team, here="profile-edit", form=form, part=part, status=status)


@at_desk
@require_safe
def preview(request: HttpRequest, code: str, language: str) -> HttpResponse:
    """The draft as the RFC's text."""
    team, draft = _draft(request, code)
    if language not in LANGUAGES:
        raise Http404
    return at_team(
        request,
        "desk/profile_preview.html",
        team,
        here="profile-edit",
        text=rfc2350.profile_text(draft.profile, language),
        text_language=language,
        text_direction="rtl" if language in RIGHT_TO_LEFT else "ltr",
        languages_of_text=settings.LANGUAGES,
    )


@at_desk
@require_POST
def publish(request: HttpRequest, code: str) -> HttpResponse:
    team, _words = _draft(request, code)
    form = forms.Form(request.POST)
    if did(form, lambda clean: actions.publish_profile(team, by=request.viewer, now=request.now)):
        messages.success(request, _("The profile is published: everybody can read it now."))
        return see_other(reverse("profile", args=[code]))
    for error in form.non_field_errors():
        messages.error(request, error)
    return see_other(reverse("profile-edit", args=[code]))


def missing(words: Text) -> str:
    """The languages in which a section that says something says nothing."""
    return " · ".join(name for language, name in settings.LANGUAGES if not getattr(words, language))


def spoken() -> str:
    return get_language() or settings.LANGUAGE_CODE


def _published(request: HttpRequest, code: str, number: int = 0) -> Profile:
    profile = queries.published_profile(request.viewer, code, number=number)
    if profile is None:
        raise Http404
    return profile


def _draft(request: HttpRequest, code: str) -> tuple[Team, Draft]:
    """For those who may publish it; the team's other people are told who does, and to others it is not there."""
    if request.viewer.team != code:
        raise Http404
    team = get_object_or_404(Team, code=code)
    rules.may_keep_profile(team=code, by=request.viewer).require()
    draft = queries.profile_draft(request.viewer, code, now=request.now)
    if draft is None:
        raise Http404
    return team, draft
