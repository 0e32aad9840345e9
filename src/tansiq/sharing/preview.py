"""Who will be able to see this? Answered by the enforcement itself, for everybody in turn. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from tansiq.core.marking import Marking, Tlp
from tansiq.core.viewer import Viewer
from tansiq.sharing import rules
from tansiq.sharing.recipients import ToPerson, decide_recipient
from tansiq.sharing.rules import Onward


@dataclass(frozen=True, slots=True)
class Seer:
    """Somebody who can see it: acting for ``team`` (empty for none), by the rule with the code ``reason``."""

    person: str
    team: str
    reason: str


@dataclass(frozen=True, slots=True)
class Audiences:
    """Exactly who can see something at a moment, as far as this node knows people and teams.

    Attributes:
        label: the strictest.
        public: everybody, signed in or not.
        teams: of the directory, as whole teams; their people elsewhere than here are not listed one by one.
        why: team -> code of the rule that lets it; for ``teams``.
        programs: teams whose API keys can read it too, as far as the scopes of each key reach.
        persons: of this node, who act for a team or hold a seat, once for each team they can see it in.
        constituents: persons of this node who act for nobody, told by an onward release or named.
        organisations: (team, name) of organisations told by an onward release.
        named_unknown: persons and teams that are named and that this node does not know.
        hosts: team -> code of the node that hosts it, empty where this node does not know; for ``teams`` and the teams
            of ``persons``.
        not_sent: of ``persons``, those who can see it here and to whom it may not be sent; with the code of why.
        changes_at: when the last embargo ends and more can see it; None without.
        warnings: codes of what the author should think about.
    """

    label: Tlp
    public: bool
    teams: tuple[str, ...]
    why: dict[str, str]
    programs: tuple[str, ...]
    persons: tuple[Seer, ...]
    constituents: tuple[Seer, ...]
    organisations: tuple[tuple[str, str], ...]
    named_unknown: tuple[str, ...]
    hosts: dict[str, str]
    not_sent: tuple[Seer, ...]
    changes_at: datetime | None
    warnings: tuple[str, ...]

    def shows(self, viewer: Viewer) -> bool:
        """Is this person, acting for this team, among those listed?"""
        return self.public or any(
            (seer.person, seer.team) == (viewer.person, viewer.team) for seer in (*self.persons, *self.constituents)
        )


def audience_of(
    markings: Collection[Marking],
    people: Iterable[Viewer],
    now: datetime,
    *,
    teams: Collection[Viewer] = (),
    onward: Collection[Onward] = (),
    hosts: Mapping[str, str] | None = None,
    home: str = "",
) -> Audiences:
    """Decide for everybody. ``people``: once for each team they may act for; ``teams``: one viewer for each team;
    ``home``: the team whose node this is, empty where that is not known.

    Some microseconds a person and marking: a tenth of a second for 10,000 people and one marking.
    """
    people = list(people)
    seers = [(viewer, rules.decide_all(markings, viewer, now, onward=onward)) for viewer in people]
    seeing = [(v, Seer(v.person, v.team, answer.reason)) for v, answer in seers if answer]
    judged = {team.team: rules.decide_all(markings, team, now) for team in teams}
    seeing_teams = tuple(sorted(team for team, answer in judged.items() if answer))
    persons = [(viewer, seer) for viewer, seer in seeing if not rules.may_be_constituent(viewer)]
    hosted = sorted({*seeing_teams, *(seer.team for _viewer, seer in persons if seer.team)})
    told = {(it.team, it.organisation) for it in onward if rules.decide_organisation(markings, it, now, onward=onward)}
    return Audiences(
        label=rules.strictest(markings),
        public=rules.public(markings, now),
        teams=seeing_teams,
        why={team: judged[team].reason for team in seeing_teams},
        programs=tuple(sorted(team.team for team in teams if rules.decide_all(markings, replace(team, key="*"), now))),
        persons=tuple(seer for _viewer, seer in persons),
        constituents=tuple(seer for viewer, seer in seeing if rules.may_be_constituent(viewer)),
        organisations=tuple(sorted(pair for pair in told if pair[1])),
        named_unknown=_unknown(markings, people, teams),
        hosts={team: (hosts or {}).get(team, "") for team in hosted},
        not_sent=tuple(_not_sent(markings, [viewer for viewer, _seer in persons], now, onward, home)),
        changes_at=rules.embargo_ends(markings, now),
        warnings=tuple(_warnings(markings, [viewer for viewer, _seer in seeing])),
    )


def _not_sent(
    markings: Collection[Marking], seeing: Iterable[Viewer], now: datetime, onward: Collection[Onward], home: str
) -> Iterable[Seer]:
    """By the decision about recipients: as a letter neither sealed to them nor waived would go."""
    for viewer in seeing:
        guest = bool(home and viewer.team) and viewer.team != home
        if not (answer := decide_recipient(markings, ToPerson(viewer, hosted_elsewhere=guest), now, onward=onward)):
            yield Seer(viewer.person, viewer.team, answer.reason)


def _unknown(markings: Collection[Marking], people: Collection[Viewer], teams: Collection[Viewer]) -> tuple[str, ...]:
    named = {code for marking in markings for code in (*marking.audience.teams, *marking.audience.persons)}
    return tuple(sorted(named - {viewer.person for viewer in people} - {team.team for team in teams}))


def _warnings(markings: Collection[Marking], seeing: list[Viewer]) -> list[str]:
    said = []
    if not seeing:
        said.append("sharing.preview.nobody")
    if any(marking.origin not in {viewer.team for viewer in seeing} for marking in markings):
        said.append("sharing.preview.origin_out")
    return said
