"""Who answers for one address, network, name, AS or country: the same table and rule, with the standard library alone.

A question on the command line is answered before a column engine would be loaded.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from tansiq.attribution.folder import ARRAYS, CHANGING, NO_CLAIM_ROW, TEXTS, UNKNOWN_ADDRESS_ROW, Folder, Pointer
from tansiq.attribution.targets import BadTarget, Block, Country, Name, System, read
from tansiq.attribution.verdicts import WAYS, microseconds

__all__ = ["BadTarget", "Whois"]

LOW = (1 << 64) - 1


class Finding(NamedTuple):
    """What the table says of a target: numbers of its verdict, AS and country, the announced prefix around it, and
    the verdicts on its parts where they differ."""

    verdict: int
    system: int = 0
    country: int = 0
    prefix: str = ""
    parts: frozenset[int] = frozenset()


class Whois:
    """An opened table to ask about single targets; tens of thousands of answers a second."""

    def __init__(self, folder: Folder) -> None:
        self._column = {name: folder.array(name) for name in ARRAYS}
        self._text = {name: folder.text(name) for name in TEXTS}
        self._countries: list[str] = folder.about["countries"]
        self._teams: list[str] = folder.about["teams"]
        self._contacts = {card["code"]: card["contacts"] for card in folder.about["cards"]}

    @classmethod
    def open(cls, tables: Path) -> Whois | None:
        """The current table of the folder ``tables``, in a few milliseconds; None when none is compiled or usable."""
        folder = Pointer(tables).open()
        return cls(folder) if folder else None

    def answer(self, target: str, *, now: datetime) -> dict[str, Any]:
        """Who answers for ``target`` at ``now``, why, how sure, and how to reach them.

        A network is answered for as a whole: by the most specific claim and announced prefix that cover all of it.
        The reason adds who else answers for parts of it.

        Returns: target (as asked), team, country, asn, as_name, prefix, attributed_by, confidence_percent, reason,
            contacts (a list); None where nothing is known.
        Raises: BadTarget.
        """
        at, asked = microseconds(now), read(target)
        match asked:
            case Block():
                return self._worded(target, self._of_block(asked, at))
            case System(number):
                return self._worded(target, self._of_system(number, at)) | {"asn": number}
            case Country(code):
                return self._worded(target, self._of_country(code, at)) | {"country": code}
            case Name(name):
                return self._worded(target, Finding(self._first([self._domain_timeline(name)], at)))

    def _worded(self, target: str, found: Finding) -> dict[str, Any]:
        team = self._team(found.verdict)
        return {
            "target": target,
            "team": team or None,
            "country": self._countries[found.country] or None,
            "asn": self._column["as_number"][found.system] or None,
            "as_name": self._text["as_name"][found.system] or None,
            "prefix": found.prefix or None,
            "attributed_by": self._way(found.verdict),
            "confidence_percent": self._column["verdict_percent"][found.verdict],
            "reason": self._reason(found),
            "contacts": self._contacts.get(team, []),
        }

    def _reason(self, found: Finding) -> str:
        parts = found.parts - {found.verdict}
        others = {self._team(part) for part in parts} - {"", self._team(found.verdict)}
        others.update(way for way in map(self._way, parts) if way in ("tie", "contested"))
        reason = self._text["verdict_reason"][found.verdict]
        return f"{reason}; parts: {' '.join(sorted(others))}" if others else reason

    def _team(self, verdict: int) -> str:
        return self._teams[self._column["verdict_team"][verdict]]

    def _way(self, verdict: int) -> str:
        return WAYS[self._column["verdict_way"][verdict]]

    def _of_system(self, number: int, at: int) -> Finding:
        known = self._column["as_number"]
        row = bisect_left(known, number)
        if row == len(known) or known[row] != number:
            return Finding(NO_CLAIM_ROW)
        country = self._column["as_country"][row]
        return Finding(self._first(self._levels(0, row, country), at), row, country)

    def _of_country(self, code: str, at: int) -> Finding:
        if code not in self._countries:
            return Finding(NO_CLAIM_ROW)
        country = self._countries.index(code)
        return Finding(self._first(self._levels(0, 0, country), at), 0, country)

    def _of_block(self, asked: Block, at: int) -> Finding:
        length, block_length = self._column["range_length"], self._column["block_length"]
        rows = range(self._locate(asked.version, asked.first), self._locate(asked.version, asked.last) + 1)
        around = max((row for row in rows if length[row] <= asked.length), key=length.__getitem__, default=None)
        block = self._column["range_block"][rows[0]]
        while block_length[block] > asked.length:  # block 0 is none, its length 0
            block = self._column["block_parent"][block]
        system, country = (self._common(name, rows, around) for name in ("range_as", "range_country"))
        verdict = self._first(self._levels(block, system, country), at)
        if verdict == NO_CLAIM_ROW and not any(map(self._is_known, rows)):
            verdict = UNKNOWN_ADDRESS_ROW
        prefix = "" if around is None else self._text["range_prefix"][around]
        return Finding(verdict, system, country, prefix, self._parts(rows, at))

    def _is_known(self, row: int) -> bool:
        return bool(self._column["range_as"][row] or self._column["range_country"][row])

    def _common(self, name: str, rows: range, around: int | None) -> int:
        """What the announced prefix around a network says, else what all its parts agree on, else 0."""
        column = self._column[name]
        if around is not None:
            return column[around]
        return column[rows[0]] if len(set(column[rows.start : rows.stop])) == 1 else 0

    def _parts(self, rows: range, at: int) -> frozenset[int]:
        if len(rows) == 1:
            return frozenset()
        columns = (self._column[name][rows.start : rows.stop] for name in ("range_block", "range_as", "range_country"))
        return frozenset(self._first(self._levels(*place), at) for place in set(zip(*columns, strict=True)))

    def _locate(self, version: int, address: int) -> int:
        """The range that holds an address."""
        if version == 4:
            return bisect_right(self._column["v4_start"], address) - 1
        start, start_low = self._column["v6_start"], self._column["v6_start_low"]
        high, low = address >> 64, address & LOW
        first = bisect_left(start, high)
        after = bisect_right(start, high, first)
        return len(self._column["v4_start"]) + bisect_right(start_low, low, first, after) - 1

    def _domain_timeline(self, name: str) -> int:
        """The timeline of the longest claimed suffix, on label boundaries."""
        claimed = self._text["domain"]
        while name:
            row = bisect_left(claimed, name)
            if row < len(claimed) and claimed[row] == name:
                return self._column["domain_timeline"][row]
            name = name.partition(".")[2]
        return 0

    def _levels(self, block: int, system: int, country: int) -> Iterator[int]:
        yield self._column["block_timeline"][block]
        yield self._column["as_timeline"][system]
        yield self._column["country_timeline"][country]

    def _first(self, timelines: Iterable[int], at: int) -> int:
        """The first verdict that any level gives at the moment."""
        return next(filter(None, (self._verdict(line, at) for line in timelines)), NO_CLAIM_ROW)

    def _verdict(self, line: int, at: int) -> int:
        if line < CHANGING:
            return line
        begins = self._column["timeline_turns"]
        begin, end = begins[line - CHANGING], begins[line - CHANGING + 1]
        return self._column["turn_verdict"][bisect_right(self._column["turn_at"], at, begin, end) - 1]
