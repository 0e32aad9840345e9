"""What needs this person now: asked of every desk, worst first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tansiq.core.viewer import Seat, Viewer
from tansiq.members import queries
from tansiq.web.checks.views import unseen
from tansiq.web.directory import words
from tansiq.web.home.links import of_links

Tone = Literal["bad", "warn", "info"]
WORST_FIRST: tuple[Tone, ...] = ("bad", "warn", "info")


@dataclass(frozen=True, slots=True)
class Need:
    """One thing to do: how pressing, in a sentence, and where it is done."""

    tone: Tone
    sentence: str
    url: str


def needs(viewer: Viewer, *, now: datetime) -> list[Need]:
    found = [need for ask in DESKS for need in ask(viewer, now)]
    return sorted(found, key=lambda need: WORST_FIRST.index(need.tone))


def own_entry(viewer: Viewer, now: datetime) -> Iterator[Need]:
    """What the team's entry in the register lacks."""
    if not viewer.team:
        return
    for flag in queries.flags(viewer, viewer.team, now=now):
        yield Need("warn", str(words.FLAGS.get(flag, flag)), reverse("team", args=[viewer.team]))


def contested(viewer: Viewer, now: datetime) -> Iterator[Need]:
    """Claims that lie without effect because others claim the same."""
    if viewer.team and (found := queries.overlaps_of(viewer, viewer.team, now=now)):
        sentence = ngettext(
            "{count} claim of your team is disputed: events for it wait until you agree.",
            "{count} claims of your team are disputed: events for them wait until you agree.",
            len(found),
        )
        yield Need("bad", sentence.format(count=len(found)), reverse("team", args=[viewer.team]) + "#claims")


def register(viewer: Viewer, now: datetime) -> Iterator[Need]:
    """What waits for the keepers of the federation's register."""
    if not viewer.sits(Seat.SECRETARIAT):
        return
    if waiting := len(queries.claims_to_judge(viewer, now=now)):
        sentence = ngettext("{count} claim waits to be judged.", "{count} claims wait to be judged.", waiting)
        yield Need("warn", sentence.format(count=waiting), reverse("register"))
    if lacking := len(queries.all_flags(viewer, now=now)):
        sentence = ngettext(
            "The entry of {count} team is incomplete.", "The entries of {count} teams are incomplete.", lacking
        )
        yield Need("info", sentence.format(count=lacking), reverse("register"))
    for country, teams in queries.full_member_conflicts(viewer, day=now.date()).items():
        sentence = _("{country} has several Full Members: {teams}. The Board has to decide.")
        yield Need("bad", sentence.format(country=country, teams=", ".join(teams)), reverse("register"))


def links(viewer: Viewer, now: datetime) -> Iterator[Need]:
    """What the links to other nodes need of those who operate this one."""
    yield from (Need(tone, sentence, url) for tone, sentence, url in of_links(viewer, now))


def checks(viewer: Viewer, now: datetime) -> Iterator[Need]:
    """Other nodes that ask whether somebody is here."""
    for check in unseen(viewer, now):
        sentence = _("{team} checks whether its messages are seen here. Say that you have seen it.")
        yield Need("warn", sentence.format(team=check.team), reverse("checks"))


DESKS: tuple[Callable[[Viewer, datetime], Iterator[Need]], ...] = (links, contested, checks, own_entry, register)
