"""What may stand in a row: codes and numbers. Mail addresses, names and sentences are refused, by form."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from tansiq.audit.stamps import stamp

VERB = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_-]*)+")
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
KIND = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._/+-]*|::[0-9A-Fa-f:./]*")
"""No white space, no ``@``, no letter beyond ASCII: codes, host names, prefixes, hashes, dates pass, people do not."""

VERB_MOST, KIND_MOST, CODE_MOST, REASON_MOST, LIST_MOST = 64, 64, 200, 2000, 1000
INTEGER_MOST = 2**63

Plain = str | int | bool | None | list["Plain"]


class NotRecordable(ValueError):
    """A defect of the caller: a row would hold what is no code and no number. Says which field, never the value."""


def verb(value: str) -> str:
    return _matching("verb", VERB, value, VERB_MOST)


def code(field: str, value: str, most: int = CODE_MOST) -> str:
    return _matching(field, CODE, value, most)


def item(value: object) -> tuple[str, str]:
    """Kind and id of a pair as given, or of a stored object: its model's name, and its ``code`` or primary key."""
    if isinstance(value, tuple):
        kind, identity = value
    else:
        kind = getattr(getattr(value, "_meta", None), "model_name", None) or type(value).__name__.lower()
        identity = getattr(value, "code", None) or getattr(value, "pk", None)
    if identity is None:
        raise NotRecordable(f"the item, a {kind}, has neither code nor primary key yet")
    return _matching("the item's kind", KIND, kind, KIND_MOST), code("the item's id", str(identity))


def facts(values: dict[str, Any]) -> str:
    """The values as JSON: keys sorted, no white space, ASCII only."""
    plain = {_matching("a value's name", NAME, name): _plain(name, value) for name, value in values.items()}
    return json.dumps(plain, ensure_ascii=True, sort_keys=True, separators=(",", ":"))


def reason(text: str) -> str:
    text = text.strip()
    if len(text) > REASON_MOST:
        raise NotRecordable(f"a reason of more than {REASON_MOST} characters")
    return text


def _plain(name: str, value: Any, *, nested: bool = False) -> Plain:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if not -INTEGER_MOST <= value < INTEGER_MOST:
            raise NotRecordable(f"{name} is a number of more than 64 bits")
        return int(value)
    if isinstance(value, str):
        return code(name, str(value)) if value else ""
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, date):
        return value.isoformat()
    if not nested and isinstance(value, list | tuple | set | frozenset):
        return _list(name, value)
    raise NotRecordable(f"{name} is a {type(value).__name__}, neither code nor number nor a list of them")


def _list(name: str, values: Iterable[Any]) -> list[Plain]:
    ordered = sorted(values) if isinstance(values, set | frozenset) else list(values)
    if len(ordered) > LIST_MOST:
        raise NotRecordable(f"{name} is a list of more than {LIST_MOST}")
    return [_plain(name, value, nested=True) for value in ordered]


def _matching(field: str, pattern: re.Pattern[str], value: str, most: int = CODE_MOST) -> str:
    value = str(value)
    if len(value) > most or not pattern.fullmatch(value):
        raise NotRecordable(f"{field} is no code: at most {most} characters of {pattern.pattern}")
    return value
