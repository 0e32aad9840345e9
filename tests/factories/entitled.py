"""Who may have what, as sections 1.5 and 1.6 of the protocol say it: over plain JSON, by no code of the program.

A roster is ``{"nodes": [{"code", "team"}], "teams": [{"code", "node", "community", "state"}]}``, as in section 10.1;
what else it says is not looked at. Moments are texts by section 1.1, whose order is that of time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]


def lets_node(roster: Json, node: str, markings: list[Json], at: str, workers: Mapping[str, str]) -> bool:
    """``workers``: person -> team."""
    here = [team for team in roster["teams"] if team["node"] == node]
    if any(all(_lets_team(marking, team, at) for marking in markings) for team in here):
        return True
    (operator,) = (one["team"] for one in roster["nodes"] if one["code"] == node)
    is_red = any(marking["tlp"] == "TLP:RED" for marking in markings)
    return any(
        all(_lets_person(marking, person, team, at) for marking in markings)
        and (not is_red or team["code"] == operator)
        for person in sorted({person for marking in markings for person in marking["audience"]["persons"]})
        for team in here
        if team["code"] == workers.get(person)
    )


def _lets_team(marking: Json, team: Json, at: str) -> bool:
    if marking["tlp"] == "TLP:RED":
        return False
    if team["code"] in [marking["origin"], *marking["audience"]["teams"]]:
        return True
    if marking["embargo_until"] is not None and at < marking["embargo_until"]:
        return False
    is_community = team["community"] and team["state"] == "active"
    return marking["tlp"] == "TLP:CLEAR" or (marking["tlp"] == "TLP:GREEN" and is_community)


def _lets_person(marking: Json, person: str, team: Json, at: str) -> bool:
    if person in marking["audience"]["persons"]:
        return True
    if marking["tlp"] == "TLP:RED":
        return not marking["audience"]["persons"] and team["code"] == marking["origin"]
    return _lets_team(marking, team, at)
