"""To whom something may go out. One small value for each kind of recipient, and the decision for it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from tansiq.core.decision import Decision, no
from tansiq.core.marking import Marking, Tlp, weakest_label_for
from tansiq.core.viewer import NOBODY, Viewer
from tansiq.sharing import rules
from tansiq.sharing.rules import Onward

CSAF_2_0 = IEP_2_0 = frozenset({Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER, Tlp.RED})
"""The labels these formats know; CLEAR they write as WHITE."""
TLP_2_0 = frozenset(Tlp)


@dataclass(frozen=True, slots=True)
class ToReader:
    """Somebody at a front door of this node, to whom it is shown."""

    viewer: Viewer
    kind: ClassVar[str] = "reader"

    @property
    def code(self) -> str:
        return self.viewer.name


@dataclass(frozen=True, slots=True)
class ToTeam:
    """A whole team, wherever it is hosted; ``community`` as the roster says now. Never for TLP:RED."""

    team: str
    community: bool
    kind: ClassVar[str] = "team"

    @property
    def code(self) -> str:
        return self.team


@dataclass(frozen=True, slots=True)
class ToPerson:
    """One person of a team, or a constituent, by mail or exchange.

    Attributes:
        viewer: as the directory knows them.
        hosted_elsewhere: their team is a guest on another team's node.
        sealed_to_person: what goes out is encrypted to their own OpenPGP certificate.
        waiver: why TLP:RED goes to a host unsealed nevertheless; it goes on record.
    """

    viewer: Viewer
    hosted_elsewhere: bool
    sealed_to_person: bool = False
    waiver: str = ""
    kind: ClassVar[str] = "person"

    @property
    def code(self) -> str:
        return self.viewer.person


@dataclass(frozen=True, slots=True)
class ToOrganisation:
    """An organisation of a team's constituency that nobody signs in for, by that team's onward release."""

    team: str
    organisation: str
    kind: ClassVar[str] = "organisation"

    @property
    def code(self) -> str:
        return self.team  # the name is for the onward release, not for the log


@dataclass(frozen=True, slots=True)
class ToPublic:
    """Everybody: a public page, a feed, a press release."""

    kind: ClassVar[str] = "public"
    code: ClassVar[str] = "public"


@dataclass(frozen=True, slots=True)
class ToFormat:
    """A file that somebody takes along; from then on its label is all that protects it."""

    name: str
    labels: frozenset[Tlp]
    reader: Viewer
    kind: ClassVar[str] = "format"

    @property
    def code(self) -> str:
        return self.name


ToRecipient = ToReader | ToTeam | ToPerson | ToOrganisation | ToPublic | ToFormat


def decide_recipient(
    markings: Collection[Marking], to: ToRecipient, now: datetime, *, onward: Collection[Onward] = ()
) -> Decision:
    """May this go to that recipient? By ``rules.decide_all``, and what a recipient's kind adds."""
    match to:
        case ToReader(viewer) | ToFormat(reader=viewer):
            return rules.decide_all(markings, viewer, now, onward=onward)
        case ToTeam(team, community):
            return rules.decide_all(markings, Viewer(team=team, community=community), now)
        case ToPublic():
            return rules.decide_all(markings, NOBODY, now)
        case ToOrganisation(team, organisation):
            told = Onward(team, organisation=organisation)
            return rules.decide_organisation(markings, told, now, onward=onward)
        case ToPerson(viewer):
            return _decide_person(markings, to, now, onward)


def _decide_person(markings: Collection[Marking], to: ToPerson, now: datetime, onward: Collection[Onward]) -> Decision:
    if not to.viewer.person:
        return no("sharing.nobody")
    answer = rules.decide_all(markings, to.viewer, now, onward=onward)
    if not answer or rules.strictest(markings) is not Tlp.RED:
        return answer
    way = rules.may_travel_red(
        hosted_elsewhere=to.hosted_elsewhere, sealed_to_person=to.sealed_to_person, waiver=to.waiver
    )
    return way if way.reason else answer


def label_for(markings: Collection[Marking], to: ToRecipient) -> Tlp:
    """The label to write on what goes out: the strictest, or in a format without it the next stricter one.

    Raises: NoSuchLabel.
    """
    label = rules.strictest(markings)
    return weakest_label_for(label, to.labels) if isinstance(to, ToFormat) else label
