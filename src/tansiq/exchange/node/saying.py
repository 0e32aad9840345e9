"""What the next receipts say of objects: numbered on their channels, of each object the last (section 3.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tansiq.exchange.body import ObjectState, Version
from tansiq.exchange.models import InChannel, ObjectChange
from tansiq.exchange.node.rows import insert

if TYPE_CHECKING:
    from tansiq.exchange.node.settlement import Settlement
    from tansiq.exchange.node.storing import Writing


def store_changes(settlement: Settlement, writing: Writing) -> None:
    """Number what is new to say of objects, each channel for itself (section 3.5)."""
    said, settlement.changes = settlement.changes, {}
    by_channel: dict[int, list[ObjectState]] = {}
    for (key, _object), state in said.items():
        by_channel.setdefault(key, []).append(state)
    for key, states in by_channel.items():
        channel = settlement.loaded.channels[key]
        before = _said_before(channel, [state.object for state in states])
        changed = [state for state in states if before.get(state.object) != _plain(state)]
        if not changed:
            continue
        rows = [_change(channel, state, channel.changes + at) for at, state in enumerate(changed, start=1)]
        insert(rows, unique=["channel", "object"], update=["number", "term", "n", "state", "reason"])
        channel.changes += len(rows)
        channel.unsaid = True
        writing.channels.add(key)


def _said_before(channel: InChannel, objects: list[str]) -> dict[str, tuple[Version, str, str]]:
    if not channel.changes:
        return {}
    rows = ObjectChange.objects.filter(channel=channel, object__in=objects)
    return {
        identifier: (Version(term, n), state, reason)
        for identifier, term, n, state, reason in rows.values_list("object", "term", "n", "state", "reason")
    }


def _plain(state: ObjectState) -> tuple[Version, str, str]:
    return state.version, state.state.value, state.reason


def _change(channel: InChannel, state: ObjectState, number: int) -> ObjectChange:
    return ObjectChange(
        channel=channel,
        object=state.object,
        number=number,
        term=state.version.term,
        n=state.version.n,
        state=state.state.value,
        reason=state.reason,
    )
