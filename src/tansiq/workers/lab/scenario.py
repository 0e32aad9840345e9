"""Scenario files: TOML, read with every name and value checked before anything is started."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from tansiq.core.errors import N_, TansiqError
from tansiq.workers.lab.faults import EVERYBODY, Faults
from tansiq.workers.lab.place import CLONE, codes

FAULTS = {one.name: float for one in fields(Faults) if one.type == "float"}
WHERE: dict[str, type | tuple[type, ...]] = {"at": (str, int, list)}
WORDS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "publish": WHERE
    | {"objects": int, "lane": str, "to": list, "size_bytes": int, "series": str, "marker": str, "flaw": str},
    "change": WHERE | {"objects": int, "to": list, "series": str},
    "withdraw": WHERE | {"objects": int, "series": str},
    "forward": WHERE | {"objects": int, "to": list, "series": str},
    "faults": WHERE | FAULTS,
    "partition": WHERE | {"from": list, "way": str},
    "heal": WHERE,
    "kill": WHERE | {"restart": bool},
    "stop": WHERE,
    "start": WHERE,
    "storm": WHERE | {"seconds": (int, float), "kills": int, "publish": int, "change": int, "withdraw": int},
    "skew": WHERE | {"seconds": (int, float)},
    "pass_time": {"days": int, "seconds": (int, float)},
    "full_disk": WHERE,
    "empty_disk": WHERE,
    "backup": WHERE,
    "restore": WHERE | {"declared": bool},
    "clone": WHERE,
    "end_clone": WHERE,
    "remove": WHERE | {"goes_on": bool},
    "rotate": WHERE,
    "may_forward": WHERE,
    "carry": WHERE | {"to": list},
    "flood": WHERE | {"messages": int, "size_bytes": int},
    "wait": {"seconds": (int, float)},
    "settle": {},
    "expect": WHERE
    | {"alarm": str, "early": bool, "frozen": list, "held": bool, "heard": bool, "parked": int, "quarantined": int},
}
"""What a step may say, by what it does."""


class BadScenario(TansiqError):
    code = "lab.scenario"
    message = N_("{file}: {field} is {value}, which is not {allowed}.")
    remedy = N_("Correct the scenario; docs/reference/lab.md lists what steps there are.")
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Step:
    """``number`` from 1; ``said`` without ``do``."""

    number: int
    do: str
    said: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scenario:
    """``within_seconds``: how long the lab may take to come to one state once everything is healed."""

    title: str
    nodes: int
    seed: int = 1
    within_seconds: int = 120
    faults: Mapping[str, float] = field(default_factory=dict)
    steps: Sequence[Step] = ()


def read(file: Path) -> Scenario:
    """Raises: BadScenario; OSError."""
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadScenario(file=file, field="TOML", value=str(error), allowed="TOML") from None
    known = {"title": str, "nodes": int, "seed": int, "within_seconds": int, "faults": dict, "step": list}
    _checked(file, "", said, known)
    for name in ("title", "nodes"):
        if name not in said:
            raise BadScenario(file=file, field=name, value="-", allowed=known[name].__name__)
    if not 2 <= said["nodes"] <= 57:
        raise BadScenario(file=file, field="nodes", value=said["nodes"], allowed="2..57")
    _checked(file, "faults.", said.get("faults", {}), dict.fromkeys(FAULTS, (int, float)))
    steps = [_step(file, number, one, codes(said["nodes"])) for number, one in enumerate(said.pop("step", ()), 1)]
    return Scenario(**said, steps=steps)


def _step(file: Path, number: int, said: Any, known: Sequence[str]) -> Step:
    do = said.get("do") if isinstance(said, dict) else None
    if do not in WORDS:
        raise BadScenario(file=file, field=f"step {number}: do", value=do, allowed=", ".join(WORDS))
    rest = {name: value for name, value in said.items() if name != "do"}
    allowed = WORDS[do] | (dict.fromkeys(FAULTS, (int, float)) if do == "faults" else {})
    _checked(file, f"step {number}: ", rest, allowed)
    for name in ("at", "to", "from", "frozen"):
        named = [rest[name]] if isinstance(rest.get(name), str) else rest.get(name, [])
        for one in named if isinstance(named, list) else []:
            if one != EVERYBODY and one.removesuffix(f"{CLONE}1") not in known:
                raise BadScenario(file=file, field=f"step {number}: {name}", value=one, allowed=", ".join(known))
    return Step(number, do, rest)


def _checked(file: Path, where: str, said: Mapping[str, Any], allowed: Mapping[str, Any]) -> None:
    for name, value in said.items():
        if name not in allowed:
            raise BadScenario(file=file, field=where + name, value=value, allowed=", ".join(allowed) or "-")
        if not isinstance(value, allowed[name]) or (isinstance(value, bool) and allowed[name] is not bool):
            raise BadScenario(file=file, field=where + name, value=value, allowed=str(allowed[name]))
