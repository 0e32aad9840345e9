"""How a piece of information may be handled: TLP 2.0 (FIRST, August 2022) and PAP (MISP taxonomy, version 3)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any, Self

from tansiq.core.errors import N_, TansiqError

CODE = re.compile(r"[A-Z0-9-]{2,32}")  # of a team and of a person
UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")  # RFC 3339, UTC
A_MOMENT = "2026-01-01T00:00:00.000Z"
LONGEST_NOTE = 1000
MOST_NAMES = 1000
LONGEST_TEXT = 200_000  # of a marking in JSON, before anything of it is looked at


class BadMarking(TansiqError):
    """A marking that nobody could obey: the field, what it says, and what it may say."""

    code = "marking.bad"
    message = N_("The marking's {field} is {value}, which is not {allowed}.")
    remedy = N_("Correct the marking, or leave it out: what has none is TLP:RED to its origin alone.")
    exit_code = 2


class RedNamesTeams(BadMarking):
    code = "marking.red_names_teams"
    message = N_("TLP:RED names persons, but this marking names the teams {teams}.")
    remedy = N_("Name the persons, or use TLP:AMBER+STRICT for whole teams.")


class NoSuchLabel(TansiqError):
    """A format that knows neither the label nor a stricter one."""

    code = "marking.no_such_label"
    message = N_("The format has no label as strict as {label}.")
    remedy = N_("Use a format that has one.")
    exit_code = 5


class Label(IntEnum):
    """A label of an ordered family: what is stricter is greater. Never translated."""

    @property
    def label(self) -> str:
        """As it is written: capitals, no spaces (``TLP:AMBER+STRICT``)."""
        return f"{type(self).__name__.upper()}:{self.name.replace('_', '+')}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The label that ``text`` is, exactly as written. Of the former version, WHITE is CLEAR.

        Raises: BadMarking.
        """
        family = cls.__name__.upper()
        known = {member.label: member for member in cls} | {f"{family}:WHITE": cls(0)}
        if text not in known:
            raise BadMarking(field=family, value=shortened(text), allowed=", ".join(member.label for member in cls))
        return known[text]


class Tlp(Label):
    """With whom a recipient may share. The numbers are stored."""

    CLEAR = 0
    GREEN = 1
    AMBER = 2
    AMBER_STRICT = 3
    RED = 4


class Pap(Label):
    """What a recipient may do with it: RED nothing that can be noticed, AMBER look-ups at third parties, GREEN active
    measures such as blocking. It limits actions, never who sees. The numbers are stored."""

    CLEAR = 0
    GREEN = 1
    AMBER = 2
    RED = 3


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is named: codes of teams and of persons. Whoever is in neither is not named."""

    teams: frozenset[str] = frozenset()
    persons: frozenset[str] = frozenset()

    @classmethod
    def of(cls, *, teams: Iterable[str] = (), persons: Iterable[str] = ()) -> Audience:
        return cls(frozenset(teams), frozenset(persons))


@dataclass(frozen=True, slots=True)
class Marking:
    """The caveats of its source, which every recipient obeys. Travels in signed envelopes.

    Attributes:
        tlp: the label.
        origin: code of the team whose information it is; only it may loosen the marking.
        audience: who is named, of the origin's own people too where persons are named under TLP:RED.
        embargo_until: until then the origin and the named only; UTC, cut to milliseconds, None without embargo.
        pap: limits of action; None where the source sets none.
        note: handling instructions in the source's words, at most 1,000 characters.
        marking_id: the first 128 bits of SHA-256 over the canonical form, in hexadecimal: 32 characters.

    Raises: BadMarking.
    """

    tlp: Tlp
    origin: str
    audience: Audience = field(default_factory=Audience)
    embargo_until: datetime | None = None
    pap: Pap | None = None
    note: str = ""
    marking_id: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        for what, codes in (("origin", [self.origin]), ("teams", self.audience.teams), ("persons", self.named_persons)):
            check_codes(what, codes)
        if self.tlp is Tlp.RED and self.audience.teams:
            raise RedNamesTeams(teams=shortened(", ".join(sorted(self.audience.teams))))
        if self.embargo_until is not None:
            if self.embargo_until.tzinfo is None:
                raise BadMarking(field="embargo_until", value=self.embargo_until.isoformat(), allowed=A_MOMENT)
            whole = self.embargo_until.microsecond // 1000 * 1000  # as much of it as is written
            object.__setattr__(self, "embargo_until", self.embargo_until.astimezone(UTC).replace(microsecond=whole))
        if len(self.note) > LONGEST_NOTE or unfit(self.note):
            raise BadMarking(field="note", value=shortened(self.note), allowed=f"U+0020… {{1,{LONGEST_NOTE}}}")
        digest = hashlib.sha256(self.canonical().encode()).hexdigest()
        object.__setattr__(self, "marking_id", digest[:32])

    @property
    def named_persons(self) -> frozenset[str]:
        return self.audience.persons

    def canonical(self) -> str:
        """The one JSON text of this marking (RFC 8785: keys in order, no space, nothing escaped without need)."""
        until = self.embargo_until and self.embargo_until.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        said = {
            "audience": {"persons": sorted(self.audience.persons), "teams": sorted(self.audience.teams)},
            "embargo_until": until,
            "note": self.note,
            "origin": self.origin,
            "pap": self.pap.label if self.pap is not None else None,
            "tlp": self.tlp.label,
        }
        return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def read(cls, text: str) -> Marking:
        """A marking from JSON that has exactly the fields of ``canonical``, in any order and spacing.

        Raises: BadMarking, for anything else; a marking that is not wholly understood is not obeyed in part.
        """
        if len(text) > LONGEST_TEXT:
            raise BadMarking(field="JSON", value=shortened(text), allowed=f"{LONGEST_TEXT} characters")
        try:
            said = json.loads(text, object_pairs_hook=without_repeats)
        except (ValueError, RecursionError):
            raise BadMarking(field="JSON", value=shortened(text), allowed="JSON") from None
        named = fields(said, "marking", ("audience", "embargo_until", "note", "origin", "pap", "tlp"))
        audience = fields(named["audience"], "audience", ("persons", "teams"))
        pap = named["pap"]
        return cls(
            tlp=Tlp.parse(string("tlp", named["tlp"])),
            origin=string("origin", named["origin"]),
            audience=Audience.of(
                teams=strings("teams", audience["teams"]), persons=strings("persons", audience["persons"])
            ),
            embargo_until=moment(named["embargo_until"]),
            pap=None if pap is None else Pap.parse(string("pap", pap)),
            note=string("note", named["note"]),
        )


def UNMARKED(origin: str) -> Marking:
    """What has no marking: TLP:RED to the origin alone."""
    return Marking(Tlp.RED, origin)


def weakest_label_for(label: Tlp, format_labels: Collection[Tlp]) -> Tlp:
    """The label to write in a format that knows ``format_labels`` only: ``label``, else the next stricter one.

    CSAF 2.0 and IEP 2.0 have no AMBER+STRICT; there it becomes RED, never AMBER.

    Raises: NoSuchLabel, when the format has none as strict.
    """
    as_strict = [known for known in format_labels if known >= label]
    if not as_strict:
        raise NoSuchLabel(label=label.label)
    return min(as_strict)


def check_codes(what: str, codes: Collection[str]) -> None:
    if len(codes) > MOST_NAMES:
        raise BadMarking(field=what, value=str(len(codes)), allowed=f"≤ {MOST_NAMES}")
    for code in codes:
        if not CODE.fullmatch(code):
            raise BadMarking(field=what, value=shortened(code), allowed=CODE.pattern)


def unfit(text: str) -> bool:
    """Controls, line separators, embeddings, overrides and isolates of direction, which could forge a line of a mail or
    of a log, and halves of characters, which are no text."""
    return bool(UNFIT.search(text))


def shortened(text: str) -> str:
    shown = text if len(text) <= 60 else f"{text[:59]}…"
    return shown.encode("utf-8", "backslashreplace").decode()


def without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) != len({name for name, _ in pairs}):
        raise ValueError("a name twice")
    return dict(pairs)


def fields(said: Any, what: str, names: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(said, dict) or set(said) != set(names):
        raise BadMarking(field=what, value=shortened(json.dumps(said)), allowed=f"{{{', '.join(names)}}}")
    return said


def string(what: str, value: Any) -> str:
    if not isinstance(value, str):
        raise BadMarking(field=what, value=shortened(json.dumps(value)), allowed='"…"')
    return value


def strings(what: str, values: Any) -> list[str]:
    if not isinstance(values, list):
        raise BadMarking(field=what, value=shortened(json.dumps(values)), allowed='["…"]')
    return [string(what, value) for value in values]


def moment(value: Any) -> datetime | None:
    if value is None:
        return None
    text = string("embargo_until", value)
    try:
        if not MOMENT.fullmatch(text):
            raise ValueError
        return datetime.fromisoformat(text)
    except ValueError:
        raise BadMarking(field="embargo_until", value=shortened(text), allowed=A_MOMENT) from None
