"""The decision: may this viewer see what is marked so? The only code that compares labels. Pure.

The rules, with TLP 2.0 as the federation reads it (docs/explanation/sharing.md):

1. Until an embargo ends only the origin and the named see anything, whatever the label.
2. The origin team sees what is its own; a person named sees it wherever they sit. TLP:RED differs:
3. TLP:RED is for persons. Where persons are named it is for these alone, the origin's own people included; where
   nobody is named it is for the origin's people, observers excepted. No API key is a person.
4. TLP:AMBER+STRICT and TLP:AMBER are for the teams named. Under AMBER, not STRICT, and under GREEN, a receiving team
   may let a constituent of its own know, by an onward release on record.
5. TLP:GREEN is for the community: members and signed partners, and the federation's Secretariat and Board.
6. TLP:CLEAR is for everybody.

What has several markings is seen by those whom all of them allow; what has none, by nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from tansiq.core.decision import YES, Decision, no
from tansiq.core.marking import Marking, Pap, Tlp
from tansiq.core.viewer import NOBODY, Role, Scope, Seat, Viewer

OFFICES = frozenset({Seat.SECRETARIAT, Seat.BOARD})
"""Seats that belong to the community by office; an auditor sees what is addressed to them."""

WRITING = frozenset({Scope.DIRECTORY_WRITE, Scope.EVENTS_WRITE})


@dataclass(frozen=True, slots=True)
class Onward:
    """A receiving team lets a constituent of its own know of one item; in force, as recorded.

    Attributes:
        team: the receiving team.
        person: code of the constituent's person.
        organisation: its name, where nobody of it signs in; one of the two is empty.
    """

    team: str
    person: str = ""
    organisation: str = ""


def decide(marking: Marking, viewer: Viewer, now: datetime, *, onward: Collection[Onward] = ()) -> Decision:
    """May ``viewer`` see what has this one marking? The reason says by which rule, or which one refused.

    ``onward``: the item's onward releases in force. A refusal's reason is for logs and previews: to the one who is
    refused, what is there and what is not look alike.
    """
    if named := _named(marking, viewer):
        return named
    answer = _by_label(marking, viewer, onward, otherwise=named)
    if answer and marking.embargo_until is not None and now < marking.embargo_until:
        return no("sharing.embargo", until=marking.embargo_until)
    return answer


def _by_label(marking: Marking, viewer: Viewer, onward: Collection[Onward], *, otherwise: Decision) -> Decision:
    """May somebody see it who is not named, once no embargo stands against it?"""
    match marking.tlp:
        case Tlp.CLEAR:
            return Decision(True, "sharing.clear")
        case Tlp.GREEN if in_community(viewer):
            return Decision(True, "sharing.community")
        case Tlp.GREEN | Tlp.AMBER if told_onward(marking, viewer, onward):
            return Decision(True, "sharing.onward")
        case Tlp.GREEN:
            return no("sharing.green.outside")
    return otherwise


def _named(marking: Marking, viewer: Viewer) -> Decision:
    """Does the viewer belong to the origin or to the named audience? Embargoes leave these alone."""
    audience = marking.audience
    if viewer.person and not viewer.key and viewer.person in audience.persons:
        return Decision(True, "sharing.named.person")
    at_origin = viewer.team == marking.origin
    if marking.tlp is Tlp.RED:
        if viewer.key:
            return no("sharing.red.key")
        if at_origin and not audience.persons and works(viewer):
            return Decision(True, "sharing.origin")
        return no("sharing.red.not_named")
    if at_origin:
        return Decision(True, "sharing.origin")
    if viewer.team and viewer.team in audience.teams:
        return Decision(True, "sharing.named.team")
    return no("sharing.strict.not_named" if marking.tlp is Tlp.AMBER_STRICT else "sharing.amber.not_named")


def works(viewer: Viewer) -> bool:
    """In the team, and more than watching: somebody with a role other than observer, or the system for that team."""
    return bool(viewer.reason or viewer.roles - {Role.OBSERVER})


def in_community(viewer: Viewer) -> bool:
    return viewer.community or viewer.sits(*OFFICES)


def may_be_constituent(viewer: Viewer) -> bool:
    """Only somebody who acts for no team and no body of the federation is reached as a constituent."""
    return bool(viewer.person) and not (viewer.team or viewer.seats or viewer.key or viewer.reason)


def told_onward(marking: Marking, viewer: Viewer, onward: Collection[Onward]) -> bool:
    """By a team that has it itself: of GREEN any (it was in the community when it recorded this), of AMBER a named."""
    if not may_be_constituent(viewer):
        return False
    tellers = {release.team for release in onward if release.person == viewer.person}
    return bool(tellers if marking.tlp is Tlp.GREEN else tellers & {marking.origin, *marking.audience.teams})


def decide_all(
    markings: Collection[Marking], viewer: Viewer, now: datetime, *, onward: Collection[Onward] = ()
) -> Decision:
    """May ``viewer`` see what is made from items with these markings? Only if each of them allows it.

    Returns: the strictest marking's answer, or the first refusal.
    """
    if not markings:
        return no("sharing.unmarked")
    answers = [decide(marking, viewer, now, onward=onward) for marking in _strictest_first(markings)]
    return next((answer for answer in answers if not answer), answers[0])


def _strictest_first(markings: Iterable[Marking]) -> list[Marking]:
    return sorted(markings, key=lambda marking: (-marking.tlp, marking.marking_id))


def strictest(markings: Iterable[Marking]) -> Tlp:
    """The label to show; TLP:RED for what has no marking."""
    return max((marking.tlp for marking in markings), default=Tlp.RED)


def strictest_action(markings: Iterable[Marking]) -> Pap | None:
    """The limit of action to show; None if no source sets one."""
    return max((marking.pap for marking in markings if marking.pap is not None), default=None)


def embargo_ends(markings: Iterable[Marking], now: datetime) -> datetime | None:
    """When the last embargo on this ends; None if none is running. Then entitlements change."""
    ends = [marking.embargo_until for marking in markings if marking.embargo_until and now < marking.embargo_until]
    return max(ends, default=None)


def may_use(viewer: Viewer, scope: Scope | None) -> Decision:
    """May this key do what needs ``scope``? None: nothing that keys may do. A session is not limited so."""
    if not viewer.key:
        return YES
    return YES if scope is not None and viewer.allows(scope) else no("sharing.key.scope", key=viewer.key)


def may_write(viewer: Viewer) -> Decision:
    """A guest writes nothing, and a key only with a scope to write."""
    if viewer.nobody:
        return no("sharing.nobody")
    if viewer.key and viewer.scopes is not None and viewer.scopes.isdisjoint(WRITING):
        return no("sharing.key.read_only", key=viewer.key)
    return YES


def may_mark(old: Collection[Marking], new: Collection[Marking], now: datetime, *, by: Viewer) -> Decision:
    """May ``by`` put ``new`` in the place of ``old``, which is empty for an item just made?

    To add a marking can only tighten, so whoever works with the item may; to take one away is its origin's. An item's
    first markings are those of its parents, which ``by`` must see, and ``by``'s own team's. The system marks what
    arrives as its author did.
    """
    if not new:
        return no("sharing.unmarked")
    if not (may := may_write(by)):
        return may
    if by.reason:
        return YES
    if not by.key and not works(by):
        return no("sharing.observer")
    if old and not (seen := decide_all(old, by, now)):
        return seen
    foreign = {marking.origin for marking in set(old) - set(new)} - {by.team}
    if foreign:
        return no("sharing.mark.not_origin", origins=", ".join(sorted(foreign)))
    parents = [marking for marking in set(new) - set(old) if marking.origin != by.team]
    return decide_all(parents, by, now) if parents else YES


def may_preview(*, by: Viewer) -> Decision:
    """May ``by`` ask who would see what their team is about to mark? Whoever works for a team may."""
    if by.nobody:
        return no("sharing.nobody")
    if not by.team:
        return no("sharing.preview.no_team")
    return YES if works(by) else no("sharing.observer")


def may_tell_onward(markings: Collection[Marking], now: datetime, *, by: Viewer) -> Decision:
    """May ``by`` let a constituent of their team know? They must have it themselves, and its sources allow it.

    It is a person's decision: neither a key nor the system takes it.
    """
    if by.key or by.reason or not by.person or not by.team:
        return no("sharing.onward.not_a_person")
    if not works(by):
        return no("sharing.observer")
    if not (seen := decide_all(markings, by, now)):
        return seen
    return may_tell(markings, by.team, now)


def may_tell(markings: Collection[Marking], team: str, now: datetime) -> Decision:
    """Do the markings let ``team`` tell its constituents?"""
    if not markings:
        return no("sharing.unmarked")
    if (ends := embargo_ends(markings, now)) is not None:
        return no("sharing.embargo", until=ends)
    if strictest(markings) > Tlp.AMBER:
        return no("sharing.onward.label", label=strictest(markings).label)
    amber = [marking for marking in markings if marking.tlp is Tlp.AMBER]
    if any(team not in {marking.origin, *marking.audience.teams} for marking in amber):
        return no("sharing.onward.not_received")
    return YES


def may_withdraw_onward(release: Onward, *, by: Viewer) -> Decision:
    if by.key or by.reason or not works(by):
        return no("sharing.onward.not_a_person")
    return YES if by.team == release.team else no("sharing.onward.not_own", team=release.team)


def decide_organisation(
    markings: Collection[Marking], told: Onward, now: datetime, *, onward: Collection[Onward] = ()
) -> Decision:
    """May an organisation of a constituency, which nobody signs in for, be sent this? ``told``: by whom, and which."""
    if public(markings, now):
        return Decision(True, "sharing.clear")
    if told not in onward or not told.organisation:
        return no("sharing.onward.none", team=told.team)
    return may_tell(markings, told.team, now) and Decision(True, "sharing.onward")


def may_travel_red(*, hosted_elsewhere: bool, sealed_to_person: bool, waiver: str) -> Decision:
    """TLP:RED to a person whose team's node is another's machine: whoever runs it could read along.

    Args:
        hosted_elsewhere: the team is a guest on another team's node.
        sealed_to_person: encrypted to the person's own OpenPGP certificate.
        waiver: why it goes nevertheless, in words; blank for none.
    """
    if not hosted_elsewhere:
        return YES
    if sealed_to_person:
        return Decision(True, "sharing.red.sealed")
    return Decision(True, "sharing.red.waived") if waiver.strip() else no("sharing.red.hosted_elsewhere")


def public(markings: Collection[Marking], now: datetime) -> bool:
    return bool(decide_all(markings, NOBODY, now))
