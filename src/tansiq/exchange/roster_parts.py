"""Parts of a roster put, retired, struck and taken back, each where its order wants it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from tansiq.core.errors import N_, TansiqError
from tansiq.exchange import roster_reading
from tansiq.exchange.join import JoinRequest
from tansiq.exchange.roster import Former, NodeCertificate, Roster, RosterNode, RosterPlatformKey, RosterTeam

Part = TypeVar("Part", RosterNode, RosterTeam)
Key = TypeVar("Key", NodeCertificate, RosterPlatformKey)


class KeyTwice(TansiqError):
    code = "exchange.roster.key_twice"
    message = N_("The key {fingerprint} is, or was, in the roster already.")
    remedy = N_("A key that left never comes back: have new ones drawn with `tansiq roster request --rotate`.")
    exit_code = 2


def certificate(draft: Roster, request: JoinRequest) -> NodeCertificate:
    return NodeCertificate(
        fingerprint=request.node_fingerprint, certificate=request.node_certificate, from_epoch=draft.epoch
    )


def platform_key(draft: Roster, request: JoinRequest) -> RosterPlatformKey:
    return RosterPlatformKey(
        fingerprint=request.platform_fingerprint,
        certificate=request.platform_certificate,
        node=request.node,
        from_epoch=draft.epoch,
    )


def added(draft: Roster, kept: Sequence[Key], new: Key) -> tuple[Key, ...]:
    """Raises: KeyTwice, where the new key is anywhere in the roster, or was one of those kept."""
    if new.fingerprint in roster_reading.fingerprints(draft) | {one.fingerprint for one in kept}:
        raise KeyTwice(fingerprint=new.fingerprint)
    all_of_them = list(kept)
    all_of_them.append(new)
    return tuple(sorted(all_of_them, key=lambda one: one.fingerprint))


def retired(key: Key, epoch: int) -> Key:
    return key if key.until_epoch is not None else replace(key, until_epoch=max(epoch, key.from_epoch))


def struck(key: RosterPlatformKey, epoch: int) -> RosterPlatformKey:
    return replace(retired(key, epoch), struck=True)


def revoked(keys: Sequence[NodeCertificate], fingerprint: str, epoch: int) -> tuple[NodeCertificate, ...]:
    return tuple(replace(retired(one, epoch), revoked=True) if one.fingerprint == fingerprint else one for one in keys)


def put_node(draft: Roster, node: RosterNode) -> Roster:
    return replace(draft, nodes=put(draft.nodes, node))


def put_team(draft: Roster, team: RosterTeam) -> Roster:
    return replace(draft, teams=put(draft.teams, team))


def put(there: Sequence[Part], new: Part) -> tuple[Part, ...]:
    all_of_them = [one for one in there if one.code != new.code]
    all_of_them.append(new)
    return tuple(sorted(all_of_them, key=lambda one: one.code))


def former(
    draft: Roster,
    code: str,
    what: str,
    *,
    certificates: tuple[NodeCertificate, ...] = (),
    platform_keys: tuple[RosterPlatformKey, ...] = (),
) -> Former:
    return Former(
        code=code,
        what=what,
        epoch=draft.epoch,
        removed_at=draft.issued_at,
        certificates=certificates,
        platform_keys=platform_keys,
    )


def taken_back(draft: Roster, code: str, what: str) -> Former | None:
    return next((one for one in draft.former if (one.code, one.what) == (code, what)), None)


def without_former(draft: Roster, code: str, what: str) -> Roster:
    return replace(draft, former=tuple(one for one in draft.former if (one.code, one.what) != (code, what)))


def in_order(former: Iterable[Former]) -> tuple[Former, ...]:
    return tuple(sorted(former, key=lambda one: one.order))
