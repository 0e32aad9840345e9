"""Who may make and revoke a team's API keys, what a key can do, and whether one is good now."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from tansiq.core.decision import YES, Decision, no
from tansiq.core.viewer import Role, Scope, Seat, Viewer

WRITING = {Scope.DIRECTORY_WRITE: Role.KEEPER, Scope.EVENTS_WRITE: Role.ANALYST}
"""A scope to write, and the role in the team that comes with it."""


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """``addresses``: networks as text, none for no limit."""

    addresses: tuple[str, ...]
    expires_at: datetime
    revoked_at: datetime | None


def may_keep_keys(*, team: str, by: Viewer) -> Decision:
    """See and make a team's keys: its head, in person. A key that makes keys could never be taken away."""
    if by.key:
        return no("members.key.by_key", team=team)
    if by.team == team and by.holds(Role.HEAD):
        return YES
    return no("members.key.not_head", team=team)


def may_revoke_key(*, team: str, by: Viewer) -> Decision:
    """Its team's head; and the Secretariat, when one is known to have leaked and nobody answers."""
    if not by.key and by.sits(Seat.SECRETARIAT):
        return YES
    return may_keep_keys(team=team, by=by)


def may_use(key: KeyFacts, *, address: str, now: datetime) -> Decision:
    """Whether the key is good at ``now`` from ``address``; the reason is for the record, never for who asks."""
    if key.revoked_at is not None and key.revoked_at <= now:
        return no("members.key.revoked")
    if key.expires_at <= now:
        return no("members.key.expired")
    if key.addresses and not within(address, key.addresses):
        return no("members.key.address")
    return YES


def within(address: str, networks: Collection[str]) -> bool:
    """An address that cannot be read is within none. IPv4 within IPv6 is the IPv4 address."""
    try:
        asked = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    plain: IPv4Address | IPv6Address = getattr(asked, "ipv4_mapped", None) or asked
    return any(plain in ip_network(network) for network in networks)


def scopes_in_force(scopes: Collection[Scope], *, read_only: bool) -> frozenset[Scope]:
    return frozenset(scope for scope in scopes if not (read_only and scope in WRITING))


def roles_of(scopes: Collection[Scope]) -> frozenset[Role]:
    """An observer's, unless it may write."""
    return frozenset({Role.OBSERVER, *(WRITING[scope] for scope in scopes if scope in WRITING)})
