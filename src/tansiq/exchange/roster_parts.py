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
    """The request's, in force from the draft's epoch on."""
    return NodeCertificate(
        fingerprint=request.node_fingerprint, certificate=request.node_certificate, from_epoch=draft.epoch
    )


def platform_key(draft: Roster, request: JoinRequest) -> RosterPlatformKey:
    """The request's, drawn on its node, in force from the draft's epoch on."""
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
    """In force until ``epoch``; one that is retired already stays as it is."""
    return key if key.until_epoch is not None else replace(key, until_epoch=max(epoch, key.from_epoch))


def struck(key: RosterPlatformKey, epoch: int) -> RosterPlatformKey:
    """Retired, and proof of nothing any more (section 4)."""
    return replace(retired(key, epoch), struck=True)


def revoked(keys: Sequence[NodeCertificate], fingerprint: str, epoch: int) -> tuple[NodeCertificate, ...]:
    """The one of this fingerprint retired and not believed any more; the others as they are."""
    return tuple(replace(retired(one, epoch), revoked=True) if one.fingerprint == fingerprint else one for one in keys)


def put_node(draft: Roster, node: RosterNode) -> Roster:
    """In place of the one of its code."""
    return replace(draft, nodes=put(draft.nodes, node))


def put_team(draft: Roster, team: RosterTeam) -> Roster:
    """In place of the one of its code."""
    return replace(draft, teams=put(draft.teams, team))


def put(there: Sequence[Part], new: Part) -> tuple[Part, ...]:
    """In place of the one of its code; ascending by code."""
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
    """A member that leaves with the draft's epoch."""
    return Former(
        code=code,
        what=what,
        epoch=draft.epoch,
        removed_at=draft.issued_at,
        certificates=certificates,
        platform_keys=platform_keys,
    )


def taken_back(draft: Roster, code: str, what: str) -> Former | None:
    """What is known of a removed member that returns; None: it was none."""
    return next((one for one in draft.former if (one.code, one.what) == (code, what)), None)


def without_former(draft: Roster, code: str, what: str) -> Roster:
    """The draft without what it knows of a removed member."""
    return replace(draft, former=tuple(one for one in draft.former if (one.code, one.what) != (code, what)))


def in_order(former: Iterable[Former]) -> tuple[Former, ...]:
    """Ascending as section 10.1 says."""
    return tuple(sorted(former, key=lambda one: one.order))
