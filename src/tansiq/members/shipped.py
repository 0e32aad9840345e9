"""The directory that comes with the program: the states, their teams, and what is said of their membership."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files

from tansiq.core.text import Text
from tansiq.members.statement import StatedTeam, read


@dataclass(frozen=True, slots=True)
class StatedCountry:
    alpha2: str
    alpha3: str
    name: Text
    source: str
    note: str


@dataclass(frozen=True, slots=True)
class StatedMembership:
    team: str
    category: str
    board: bool
    source: str
    note: str


@dataclass(frozen=True, slots=True)
class Directory:
    teams: list[StatedTeam]
    countries: list[StatedCountry]
    memberships: list[StatedMembership]


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
            )
            for row in said["membership"]
        ],
    )


def _document(name: str) -> str:
    return files("tansiq.members").joinpath("data", f"{name}.toml").read_text(encoding="utf-8")
