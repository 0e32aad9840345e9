"""The links of this node to its peers: what a person has to see to, in the words of the portal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tansiq.cli.checks.finding import Finding, Severity, bad, warn
from tansiq.core.errors import N_, TansiqError

if TYPE_CHECKING:
    from tansiq.core.home import Home
    from tansiq.exchange.custody import Keys
    from tansiq.exchange.node.standing import Status
    from tansiq.exchange.roster import Roster


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
    yield from _held(stand)
    yield from _alarms(stand)
    yield from _quarantined(stand)
    yield from _clocks(stand)
    yield from _keys(stand, now)
    yield from _away(stand, now)


def of_exchange_keys(home: Home) -> Iterator[Finding]:
    """Whether the secret keys that the roster names are here, whole, and closed to others."""
    from tansiq.exchange import custody
    from tansiq.exchange.node import rosters
    from tansiq.members.models import Node

    node, roster = Node.objects.first(), rosters.current()
    if node is None or roster is None:
        return
    try:
        keys = custody.in_force(custody.load(home, realm=roster.realm), roster, here=node.code)
    except custody.NoKey:
        keys = custody.Keys((), {}, "")
    except TansiqError as error:
        yield bad(error.code, error.message, error.remedy, **error.values)
        return
    if missing := _missing(keys, roster, node.code):
        yield bad(
            "exchange.custody.missing",
            N_(
                "The roster names keys of this node that are not in {folder}, with which these open and sign: {owners}."
            ),
            N_("Put the folder back from the backup. Without one have keys drawn: `tansiq roster request --rotate`."),
            folder=home.secrets / "exchange",
            owners=", ".join(missing),
        )


def _missing(keys: Keys, roster: Roster, code: str) -> list[str]:
    """The node and its teams, as far as the roster names a key of theirs that ``keys`` lacks."""
    node = roster.node(code)
    if node is None:
        return []
    is_here = node.present is None or any(one.fingerprint == node.present.fingerprint for one in keys.node)
    teams = [team.code for team in roster.teams if team.node == code and team.present]
    return [code] * (not is_here) + [team for team in teams if team not in keys.platform]


def _held(stand: Status) -> Iterator[Finding]:
    if stand.held_since:
        asked = [link.peer for link in stand.links if link.asking and not link.waived]
        yield bad(
            "exchange.held",
            N_("This node is held since {since}: it says nothing new until these have answered: {peers}."),
            N_("Wait for them, or record why one is not waited for: `tansiq exchange waive NODE --reason TEXT`."),
            since=f"{stand.held_since:%Y-%m-%d %H:%M} UTC",
            peers=_few(asked),
        )


def _alarms(stand: Status) -> Iterator[Finding]:
    for alarm in stand.alarms:
        if alarm.code == "exchange.held" and stand.held_since:
            continue  # said already, with who is waited for
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


def _quarantined(stand: Status) -> Iterator[Finding]:
    of = {link.peer: sum(link.quarantined.values()) for link in stand.links if link.quarantined}
    if of:
        yield warn(
            "exchange.quarantined",
            N_("What came from other nodes is quarantined and not shown: {count} in all, from {peers}."),
            N_("See why with `tansiq exchange waiting`, then try it again (`retry`) or refuse it (`refuse`)."),
            count=sum(of.values()),
            peers=_few(list(of)),
        )


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
            peers=_few(away),
        )


def _few(peers: Sequence[str]) -> str:
    return ", ".join(peers[:10]) + (" …" if len(peers) > 10 else "")
