"""Where the bar at the head of every page leads, and for whom. An entry appears once its address exists."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from tansiq.core.viewer import Role, Seat, Viewer
from tansiq.exchange.rules import WATCHING
from tansiq.sharing.rules import may_preview


@dataclass(frozen=True, slots=True)
class Entry:
    """A place to go: its name in the reader's language, its address, and whether the reader is within it."""

    label: str
    address: str
    here: bool = False


def anybody(viewer: Viewer) -> bool:
    return True


def signed_in(viewer: Viewer) -> bool:
    return not viewer.nobody


def keeps_people(viewer: Viewer) -> bool:
    return viewer.holds(Role.HEAD) or viewer.sits(Seat.SECRETARIAT)


def keeps_the_register(viewer: Viewer) -> bool:
    return viewer.sits(Seat.SECRETARIAT)


def marks(viewer: Viewer) -> bool:
    return bool(may_preview(by=viewer))


def watches_links(viewer: Viewer) -> bool:
    """Whether it is a team of this node the page finds out."""
    return bool(viewer.team) and viewer.holds(*WATCHING)


def reads_the_record(viewer: Viewer) -> bool:
    return viewer.sits(Seat.AUDITOR, Seat.SECRETARIAT) or viewer.holds(Role.HEAD)


Rule = Callable[[Viewer], bool]

DESKS: tuple[tuple[object, str, Rule], ...] = (
    (pgettext_lazy("desk", "Home"), "home", anybody),
    (pgettext_lazy("desk", "Teams"), "teams", anybody),
    (pgettext_lazy("desk", "Map"), "map", anybody),
    (pgettext_lazy("desk", "Who answers?"), "whois", anybody),
    (pgettext_lazy("desk", "Sharing"), "sharing-preview", marks),
    (pgettext_lazy("desk", "Exchange"), "exchange", watches_links),
    (pgettext_lazy("desk", "People"), "people", keeps_people),
    (pgettext_lazy("desk", "Register"), "register", keeps_the_register),
    (pgettext_lazy("desk", "Record"), "audit", reads_the_record),
)
"""Label, name of the view, and who is shown it. Being shown is no permission: every view asks its own rule."""

PERSONAL: tuple[tuple[object, str], ...] = (
    (pgettext_lazy("menu", "Your settings"), "settings"),
    (pgettext_lazy("menu", "Sign-in and security"), "mfa_index"),
    (pgettext_lazy("menu", "Sessions"), "usersessions_list"),
    (pgettext_lazy("menu", "API keys"), "keys"),
)


def desks(viewer: Viewer, path: str) -> list[Entry]:
    shown = ((label, view) for label, view, rule in DESKS if rule(viewer))
    return list(entries(shown, path))


def personal(path: str) -> list[Entry]:
    return list(entries(PERSONAL, path))


def entries(places: Iterator[tuple[object, str]] | tuple[tuple[object, str], ...], path: str) -> Iterator[Entry]:
    for label, view in places:
        try:
            address = reverse(view)
        except NoReverseMatch:
            continue
        yield Entry(str(label), address, here=within(path, address))


def within(path: str, address: str) -> bool:
    """The home page is within itself alone; every other page is within whatever its address starts with."""
    return path == address if address == "/" else path.startswith(address)


def role_name(role: str) -> str:
    """A role or seat in words."""
    names = {
        Role.HEAD: _("head of the team"),
        Role.DUTY_OFFICER: _("duty officer"),
        Role.ANALYST: _("analyst"),
        Role.KEEPER: _("constituency keeper"),
        Role.OBSERVER: _("observer"),
        Seat.SECRETARIAT: _("Secretariat officer"),
        Seat.BOARD: _("Board seat"),
        Seat.AUDITOR: _("auditor"),
    }
    return names.get(role, role)
