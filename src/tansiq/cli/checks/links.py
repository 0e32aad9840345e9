"""The links of this node to its peers: what a person has to see to, in the words of the portal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tansiq.cli.checks.finding import Finding, Severity, bad, warn
from tansiq.core.errors import N_

if TYPE_CHECKING:
    from tansiq.exchange.node.standing import Status


def of_exchange(now: datetime) -> Iterator[Finding]:
    """Nothing where the node has no roster: then it has no links."""
    from tansiq.exchange.node import rosters
    from tansiq.exchange.node.status import status
    from tansiq.exchange.node.under import under
    from tansiq.members.models import Node

    node, roster = Node.objects.first(), rosters.current()
    if node is None or roster is None:
        return
    stand = status(under(roster, code=node.code, now=now), now=now)
    yield from _alarms(stand)
    yield from _clocks(stand)
    yield from _keys(stand, now)
    yield from _away(stand, now)


def _alarms(stand: Status) -> Iterator[Finding]:
    for alarm in stand.alarms:
        values = {"code": alarm.code, **alarm.values, "peer": alarm.peer}
        yield Finding(alarm.code, Severity.BAD, *_words(alarm.code, values), values)


def _words(code: str, values: dict[str, Any]) -> tuple[str, str]:
    """An alarm of an older program may lack a value, or the words may."""
    from tansiq.web.exchange.words import ALARMS

    what, remedy = ALARMS.get(code, ("{nothing}", ""))
    try:
        (what + remedy).format(**values)
    except KeyError:
        return N_("There is an alarm of the links to other nodes: {code}."), N_("See the portal's page of links.")
    return what, remedy


def _clocks(stand: Status) -> Iterator[Finding]:
    wrong = [link for link in stand.links if link.is_clock_wrong]
    known = [link for link in stand.links if link.clock_offset is not None]
    if len(wrong) > 1 and len(wrong) == len(known):
        yield bad(
            "exchange.clock.ours",
            N_("The clocks of all peers that were heard ({count}) differ from this node's by more than 20 minutes."),
            N_("Set the clock of this machine right: what it sends waits at its peers until then."),
            count=len(wrong),
        )
        return
    for link in wrong:
        assert link.clock_offset is not None
        yield warn(
            "exchange.clock",
            N_("The clock of {peer} and this node's are {minutes} minutes apart."),
            N_("Ask {peer} to set its clock right; what is of the future waits until then, and nothing is lost."),
            peer=link.peer,
            minutes=round(abs(link.clock_offset).total_seconds() / 60),
        )


def _keys(stand: Status, now: datetime) -> Iterator[Finding]:
    if stand.key and stand.key.due_at and stand.key.due_at < now:
        yield warn(
            "exchange.key_due",
            N_("This node's key for the exchange is in use since {since}; it should be replaced every 90 days."),
            N_("Write a request with `tansiq roster request --rotate` and have a roster issued with it."),
            since=f"{stand.key.since:%Y-%m-%d}",
        )


def _away(stand: Status, now: datetime) -> Iterator[Finding]:
    """One finding for all of them: which ones the page says."""
    away = [link.peer for link in stand.links if link.is_away(now)]
    if away:
        yield warn(
            "exchange.away",
            N_("Nothing was heard lately of {count} of {total} peers: {peers}."),
            N_("See `tansiq exchange status`. If nobody at all is heard, look at this node's own connection."),
            count=len(away),
            total=len(stand.links),
            peers=", ".join(away[:10]) + (" …" if len(away) > 10 else ""),
        )
