"""The directory's kinds (section 15), known from the program's start.

What writes and applies them is loaded when it is first needed: most commands never need it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import partial
from typing import Any

from tansiq.core.marking import Tlp
from tansiq.exchange.body import Lane
from tansiq.exchange.kinds import KNOWN, Kind, Said

PROFILE, CONTACTS, KEYS, CLAIMS = "team.profile", "team.contacts", "team.keys", "team.claims"
LABELS = {PROFILE: Tlp.CLEAR, CONTACTS: Tlp.GREEN, KEYS: Tlp.CLEAR, CLAIMS: Tlp.CLEAR}
"""Contacts go to the community; guests at a node are shown the public ones among them, as at the team's own."""


def kinds() -> list[Kind]:
    """The directory's rows of section 15."""
    return [
        Kind(name, schema=1, lane=Lane.NORMAL, fits=partial(_fits, name), apply=_apply, withdraw=_withdraw)
        for name in LABELS
    ]


def register() -> None:
    """When the program starts; a program that is set up twice has them once."""
    for kind in kinds():
        if KNOWN.get(kind.name) is None:
            KNOWN.register(kind)


def on_change(codes: Collection[str], now: datetime) -> None:
    """What ``members.changes`` calls."""
    from tansiq.exchange.directory import publishing

    publishing.on_change(codes, now)


def _fits(name: str, payload: Any) -> bool:
    from tansiq.exchange.directory import content

    return content.fits(name, payload)


def _apply(said: Said, now: datetime) -> None:
    from tansiq.exchange.directory import applying

    applying.apply(said, now)


def _withdraw(object_id: str, now: datetime) -> None:
    from tansiq.exchange.directory import applying

    applying.withdraw(object_id, now)
