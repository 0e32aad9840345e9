"""The directory that comes with the program: the states, their teams, and what is said of their membership."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from importlib.resources import files

from tansiq.core.text import Text
from tansiq.members.statement import StatedTeam, read
from tansiq.members.words import CATEGORIES

_PRECISION_BY_LENGTH = {4: "year", 7: "month", 10: "day"}


@dataclass(frozen=True, slots=True)
class StatedCountry:
    alpha2: str
    alpha3: str
    name: Text
    source: str
    note: str


@dataclass(frozen=True, slots=True)
class StatedMembership:
    """``since``: as exactly as the source says it, "2017-07-18" or "2021-03"; empty where it does not."""

    team: str
    category: str
    board: bool
    source: str
    note: str
    since: str = ""


@dataclass(frozen=True, slots=True)
class StatedOfCountry:
    country: str
    category: str
    source: str
    note: str


@dataclass(frozen=True, slots=True)
class StatedPeriod:
    """What the register can say from the statements: the best category that any source gives a team.

    A row of the table that says "Full, General" speaks of its country, which has several members.
    """

    team: str
    category: str
    since: date | None
    since_precision: str


@dataclass(frozen=True, slots=True)
class Directory:
    teams: list[StatedTeam]
    countries: list[StatedCountry]
    memberships: list[StatedMembership]
    of_countries: list[StatedOfCountry]

    def periods(self) -> list[StatedPeriod]:
        by_team: dict[str, list[StatedMembership]] = {}
        for said in self.memberships:
            if said.category:
                by_team.setdefault(said.team, []).append(said)
        return [_period(team, statements) for team, statements in sorted(by_team.items())]


def shipped_directory() -> Directory:
    states = tomllib.loads(_document("states"))
    said = tomllib.loads(_document("memberships"))
    return Directory(
        teams=read(_document("teams")).teams,
        countries=[
            StatedCountry(
                alpha2=state["alpha2"],
                alpha3=state["alpha3"],
                name=Text.of(state["name"]),
                source=states["source"],
                note=state.get("note", ""),
            )
            for state in states["state"]
        ],
        memberships=[
            StatedMembership(
                team=row["team"],
                category=row["category"],
                board=row.get("board", False),
                source=said["sources"][row["source"]],
                note=row.get("note", ""),
                since=row.get("since", ""),
            )
            for row in said["membership"]
        ],
        of_countries=[
            StatedOfCountry(
                country=row["country"],
                category=row.get("category", ""),
                source=said["sources"][row["source"]],
                note=row.get("note", ""),
            )
            for row in said["country"]
        ],
    )


def _period(team: str, statements: list[StatedMembership]) -> StatedPeriod:
    category = min((said.category for said in statements), key=CATEGORIES.index)
    written = max((said.since for said in statements if said.category == category), default="")
    if not written:
        return StatedPeriod(team, category, None, "day")
    precision = _PRECISION_BY_LENGTH[len(written)]
    since = date.fromisoformat(f"{written}-01-01"[:10] if precision == "year" else f"{written}-01"[:10])
    return StatedPeriod(team, category, since, precision)


def _document(name: str) -> str:
    return files("tansiq.members").joinpath("data", f"{name}.toml").read_text(encoding="utf-8")
