"""How the command line speaks: errors in the reader's language, JSON for machines, exit codes."""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import PurePath
from typing import Any

from tansiq.core.errors import TansiqError
from tansiq.core.language import _

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters, and those that turn the direction of the text around them."""


def worded(error: TansiqError) -> dict[str, str]:
    """The error as the scripts' contract has it: a stable code, and message and remedy in the reader's language."""
    return {
        "code": error.code,
        "message": _(error.message).format(**error.values),
        "remedy": _(error.remedy).format(**error.values) if error.remedy else "",
    }


def complain(error: TansiqError) -> None:
    words = worded(error)
    say(" ".join(filter(None, (words["message"], words["remedy"]))))


def say(text: str) -> None:
    print(harmless(text), file=sys.stderr)  # noqa: T201


def harmless(text: str) -> str:
    """Without control sequences for the reader's terminal, which names of files and hosts may hold."""
    return CONTROL.sub(lambda sign: f"\\x{ord(sign[0]):02x}", text)


def emit(row: Any) -> None:
    """One JSON value a line on standard output."""
    print(json.dumps(row, ensure_ascii=False, separators=(",", ":"), default=_plain))  # noqa: T201


def _plain(value: Any) -> Any:
    """Moments as RFC 3339 with ``Z``, spans in milliseconds. Anything else is to be made plain by who emits it."""
    match value:
        case datetime():
            return rfc3339(value)
        case date():
            return value.isoformat()
        case timedelta():
            return value // timedelta(milliseconds=1)
        case PurePath():
            return str(value)
    raise TypeError(f"no JSON of {type(value).__name__}")


def rfc3339(moment: datetime) -> str:
    """Of an aware moment, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
