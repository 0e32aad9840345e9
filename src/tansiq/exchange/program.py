"""Which program a node runs, as it says to its peers (section 3.1). For people to read: it decides nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import tansiq
from tansiq.exchange.body import Body

FIELD: Final = "program"
LONGEST: Final = 64
FORM: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_/-]{0,63}")

SAID: Final[Mapping[str, str]] = MappingProxyType({FIELD: f"tansiq/{tansiq.__version__}"[:LONGEST]})
"""The field that this program puts into receipts and asks about rosters."""


def heard(body: Body) -> str:
    """What a body says of its sender's program; empty: nothing, or in another form, for which no body is refused."""
    said = body.extra.get(FIELD)
    return said if type(said) is str and FORM.fullmatch(said) else ""
