"""The preview's answer as a page lays it out: team by team, each with its people, host and reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from tansiq.core.decision import Decision
from tansiq.core.marking import Marking, Tlp
from tansiq.core.text import Text
from tansiq.core.viewer import Viewer
from tansiq.members import queries
from tansiq.sharing.preview import Audiences, Seer
from tansiq.sharing.recipients import CSAF_2_0, ToFormat, label_for
from tansiq.web import reasons


@dataclass(frozen=True, slots=True)
class Somebody:
    """A person by code and name, and in words by which rule they see it."""

    code: str
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Row:
    """A team, or, with an empty code, those who act for none.

    Attributes:
        why: in words, why the team as a whole sees it; empty where only some of its people do.
        host: code of the node it signs in at; empty where this node does not know.
        programs: its API keys may read it too.
    """

    code: str
    names: Text | None
    why: str
    host: str
    programs: bool
    people: tuple[Somebody, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """Attributes:
    answer: of the function that enforces.
    rows: teams by code; those of no team last.
    constituents: who act for nobody.
    not_sent: (why, people): who see it here and are not sent it.
    warnings: in words.
    people: how many persons there are, each counted once; constituents are not among them.
    elsewhere: the label that formats write which lack this one; None where they have it.
    """

    answer: Audiences
    rows: tuple[Row, ...]
    constituents: tuple[Somebody, ...]
    not_sent: tuple[tuple[str, tuple[Somebody, ...]], ...]
    warnings: tuple[str, ...]
    people: int
    elsewhere: Tlp | None


def seen(answer: Audiences, marking: Marking, *, viewer: Viewer) -> Seen:
    """Two queries: the names of teams and of people."""
    seers = (*answer.persons, *answer.constituents)
    names = queries.names_of(viewer, {seer.person for seer in seers})
    refused: dict[str, list[Seer]] = defaultdict(list)
    for seer in answer.not_sent:
        refused[seer.reason].append(seer)
    written = label_for([marking], ToFormat("csaf-2.0", CSAF_2_0, viewer))
    return Seen(
        answer=answer,
        rows=tuple(_rows(answer, names)),
        constituents=_named(answer.constituents, names),
        not_sent=tuple((_words(reason), _named(those, names)) for reason, those in sorted(refused.items())),
        warnings=tuple(_words(code) for code in answer.warnings),
        people=len({seer.person for seer in answer.persons}),
        elsewhere=None if written is answer.label else written,
    )


def _rows(answer: Audiences, names: dict[str, str]) -> Iterable[Row]:
    called, programs = queries.team_names(), set(answer.programs)
    people: dict[str, list[Seer]] = defaultdict(list)
    for seer in answer.persons:
        people[seer.team].append(seer)
    for code in sorted({*answer.teams, *people}, key=lambda code: (not code, code)):
        yield Row(
            code=code,
            names=called.get(code),
            why=_words(answer.why[code]) if code in answer.why else "",
            host=answer.hosts.get(code, ""),
            programs=code in programs,
            people=_named(people[code], names, but=answer.why.get(code, "")),
        )


def _named(seers: Iterable[Seer], names: dict[str, str], *, but: str = "") -> tuple[Somebody, ...]:
    """``but``: the reason that is said of the whole team already."""
    return tuple(
        Somebody(seer.person, names.get(seer.person, ""), "" if seer.reason == but else _words(seer.reason))
        for seer in seers
    )


def _words(reason: str) -> str:
    return reasons.sentence(Decision(True, reason))
