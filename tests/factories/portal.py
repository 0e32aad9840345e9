"""Every address of the portal, as its own resolver knows them: no list is kept by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

NAMED = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^()]*(?:\[[^\]]*\][^()]*)?\)")


@dataclass(frozen=True)
class Place:
    """An address with its parameters filled in. ``name``: with its namespace; the pattern itself where it has none."""

    name: str
    path: str


def places(values: Mapping[str | tuple[str, str], Any]) -> list[Place]:
    """Each address once, under its name. Raises: KeyError: nothing is known that fits a parameter."""
    from django.urls import get_resolver

    found: dict[str, Place] = {}
    for pattern, name in patterns(get_resolver().url_patterns):
        label = name or pattern
        path = filled(pattern, label, values)
        found.setdefault(label, Place(label, path))
    return sorted(found.values(), key=lambda place: place.name)


def patterns(entries: list[Any], before: str = "", space: str = "") -> Iterator[tuple[str, str]]:
    """(pattern, name) of every view below."""
    for entry in entries:
        here = before + str(entry.pattern)
        if hasattr(entry, "url_patterns"):
            yield from patterns(entry.url_patterns, here, space + (f"{entry.namespace}:" if entry.namespace else ""))
        else:
            yield here, space + entry.name if entry.name else ""


def filled(pattern: str, name: str, values: Mapping[str | tuple[str, str], Any]) -> str:
    """A path that the pattern matches. Alternatives of a regular expression: the first."""

    def value(found: re.Match[str]) -> str:
        parameter = found[1] or found[2]
        if (name, parameter) in values:
            return str(values[name, parameter])
        if parameter in values:
            return str(values[parameter])
        raise KeyError(f"say in factories.federation what {parameter} of {name} may be")

    path = NAMED.sub(value, pattern)
    path = re.sub(r"\(\?:([^|)]*)[^)]*\)", r"\1", path)
    return "/" + path.replace("^", "").replace("$", "").replace("\\", "")
