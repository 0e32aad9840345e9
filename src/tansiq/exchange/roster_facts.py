"""What the checks need of a roster: its keys, homes and members as ``facts.Facts`` (section 10.5)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from tansiq.exchange.facts import Facts, NodeKey, PlatformKey
from tansiq.exchange.roster import NodeCertificate, Roster, RosterPlatformKey, Standing

HEARD_AFTER_REMOVAL = timedelta(days=30)
"""For how long a removed node's receipts of recalls are taken (5.10)."""


def facts_of(roster: Roster, *, here: str, now: datetime, history: Iterable[Roster] = ()) -> Facts:
    """The facts of ``roster`` for the node ``here``.

    Args:
        now: by which a removed node counts as lately removed.
        history: earlier rosters, whose keys a later one may have left out. The newest word on a key counts.
    """
    newest_last = [*sorted(history, key=lambda one: one.epoch), roster]
    return Facts(
        here=here,
        realm=roster.realm,
        epoch=roster.epoch,
        node_keys={key.fingerprint: key for one in newest_last for key in _node_keys(one)},
        senders=frozenset(node.code for node in roster.nodes if node.state is Standing.ACTIVE),
        platform_keys={key.fingerprint: key for one in newest_last for key in _platform_keys(one)},
        homes={team.code: team.node for team in roster.teams if team.node},
        former=lately_removed(roster, now=now),
        forwarders=frozenset(node.code for node in roster.nodes if node.forwards and node.state is Standing.ACTIVE),
    )


def lately_removed(roster: Roster, *, now: datetime) -> frozenset[str]:
    """Nodes removed less than 30 days ago, by the time at which the roster that did it was issued."""
    gone = (one for one in roster.former if one.what == "node")
    return frozenset(one.code for one in gone if now - one.removed_at < HEARD_AFTER_REMOVAL)


def suspended(roster: Roster) -> frozenset[str]:
    """Nodes that neither send nor are sent to, and have not left."""
    return frozenset(node.code for node in roster.nodes if node.state is Standing.SUSPENDED)


def community(roster: Roster) -> frozenset[str]:
    """Teams that TLP:GREEN names: those that are active."""
    return frozenset(team.code for team in roster.teams if team.community and team.state is Standing.ACTIVE)


def operators(roster: Roster) -> dict[str, str]:
    """Node -> the team that runs it."""
    return {node.code: node.team for node in roster.nodes if node.team}


def addresses(roster: Roster) -> dict[str, str]:
    """Node -> mail address of its exchange; only those that have one."""
    return {node.code: node.mail for node in roster.nodes if node.mail}


def _node_keys(roster: Roster) -> Iterable[NodeKey]:
    for former in roster.former:
        yield from (_node_key(former.code, key) for key in former.certificates)
    for node in roster.nodes:
        yield from (_node_key(node.code, key) for key in node.certificates)


def _platform_keys(roster: Roster) -> Iterable[PlatformKey]:
    for former in roster.former:
        yield from (_platform_key(former.code, key) for key in former.platform_keys)
    for team in roster.teams:
        yield from (_platform_key(team.code, key) for key in team.platform_keys)


def _node_key(node: str, key: NodeCertificate) -> NodeKey:
    return NodeKey(node, key.fingerprint, key.certificate, key.from_epoch, key.until_epoch, key.revoked)


def _platform_key(team: str, key: RosterPlatformKey) -> PlatformKey:
    return PlatformKey(team, key.node, key.fingerprint, key.certificate, key.from_epoch, key.until_epoch, key.struck)
