"""Who is told that something of a team changed, in the transaction that changed it.

The exchange lies above this desk and sends a team's own words to others; here it says that it wants to hear of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

Listener = Callable[[Collection[str], datetime], None]

_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Called with the codes of the teams whose names, contacts, profile, keys or claims may have changed, and when."""
    if listener not in _listeners:
        _listeners.append(listener)


def changed(*teams: str, now: datetime) -> None:
    for listener in _listeners:
        listener(teams, now)
