"""How the command line speaks: errors in the reader's language, JSON for machines, exit codes."""

from __future__ import annotations

import json
import sys
from typing import Any

from tansiq.core.errors import TansiqError
from tansiq.core.language import _


def worded(error: TansiqError) -> dict[str, str]:
    """The error as the scripts' contract has it: a stable code, and message and remedy in the reader's language."""
    return {
        "code": error.code,
        "message": _(error.message).format(**error.values),
        "remedy": _(error.remedy).format(**error.values) if error.remedy else "",
    }


def complain(error: TansiqError) -> None:
    words = worded(error)
    print(" ".join(filter(None, (words["message"], words["remedy"]))), file=sys.stderr)  # noqa: T201


def say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201


def emit(row: Any) -> None:
    """One JSON value a line on standard output."""
    print(json.dumps(row, ensure_ascii=False, separators=(",", ":"), default=str))  # noqa: T201
