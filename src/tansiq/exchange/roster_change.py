"""The next roster made from the one here: what the signers decide, as pure changes of a draft (section 10.7).

``begin`` gives the draft of the next epoch, each change a draft with that change, ``roster_signing.signed`` the end of
it. Changes that concern different nodes, teams and keys give the same draft in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tansiq.core.claims import Claim
from tansiq.core.errors import N_, TansiqError
from tansiq.exchange import roster_parts as parts
from tansiq.exchange import roster_reading, values
from tansiq.exchange.join import JoinRequest
from tansiq.exchange.roster import (
    Roster,
    RosterClaim,
    RosterNode,
    RosterTeam,
    Signers,
    Standing,
)


class NoSuchMember(TansiqError):
    code = "exchange.roster.no_such_member"
    message = N_("The roster has neither node nor team {code}.")
    remedy = N_("See `tansiq roster show`.")
    exit_code = 2


class NoSuchKey(TansiqError):
    code = "exchange.roster.no_such_key"
    message = N_("The roster has no key {fingerprint} that is in force.")
    remedy = N_("See `tansiq roster show`; give the whole fingerprint.")
    exit_code = 2


class ThereAlready(TansiqError):
    code = "exchange.roster.there_already"
    message = N_("{code} is in the roster already.")
    remedy = N_("To replace its keys use --rotate; to move a team to another node use --move.")
    exit_code = 2


class OtherRealm(TansiqError):
    code = "exchange.roster.other_realm"
    message = N_("The request of {node} is for the realm {theirs}; this roster is of {ours}.")
    remedy = N_("Have it made again with --realm {ours}.")
    exit_code = 2


class NothingNew(TansiqError):
    code = "exchange.roster.nothing_new"
    message = N_("The request of {node} says nothing that the roster does not say already.")
    remedy = N_("Have new keys drawn with `tansiq roster request --rotate`.")
    exit_code = 2


class StillHome(TansiqError):
    code = "exchange.roster.still_home"
    message = N_("Team {team} lives on node {node} already.")
    remedy = N_("To replace its key use --rotate.")
    exit_code = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamWords:
    """What the register of the federation says of a team; a node does not say it of itself."""

    names: Mapping[str, str]
    country: str = ""
    categories: tuple[str, ...] = ()
    community: bool = False


def founded(*, realm: str, signers: Signers, now: datetime) -> Roster:
    """Epoch 1, of nobody yet: a draft like that of ``begin``."""
    return Roster(
        realm=realm,
        epoch=1,
        issued_at=values.whole_milliseconds(now),
        previous=values.EMPTY_DIGEST,
        signers=signers,
    )


def begin(roster: Roster, *, now: datetime) -> Roster:
    """The draft of the epoch after ``roster``."""
    return replace(roster, epoch=roster.epoch + 1, previous=roster.digest, issued_at=values.whole_milliseconds(now))


def signers_of(*certificates: bytes, threshold: int = 1) -> Signers:
    """Raises: Unfit, for what is no certificate."""
    return Signers(threshold=threshold, certificates={roster_reading.fingerprint_of(one): one for one in certificates})


def admit(draft: Roster, request: JoinRequest, words: TeamWords) -> Roster:
    """A node with its team; or, where the node is there with these very keys, one more team on it: a guest.

    A node or team that was removed comes back with new keys; those of before stay with it, retired or struck.

    Raises: OtherRealm, ThereAlready, KeyTwice.
    """
    _check(draft, request)
    if (team := draft.team(request.team)) is not None and team.node:
        raise ThereAlready(code=request.team)
    host = draft.node(request.node)
    if host is None:
        draft = _with_node(draft, request)
    elif host.present is None or host.present.fingerprint != request.node_fingerprint:
        raise ThereAlready(code=request.node)
    return _with_team(draft, request, words)


def remove(draft: Roster, code: str) -> Roster:
    """A node with the team that operates it, or else the team of that code: gone to ``former``, platform keys struck.

    Guests of the node stay in the federation and live nowhere, their keys there struck, until they are moved.

    Raises: NoSuchMember.
    """
    if (node := draft.node(code)) is not None:
        if node.team:
            draft = remove_team(draft, node.team)
        for team in [team for team in draft.teams if team.node == code]:
            homeless = replace(
                team, node="", platform_keys=tuple(parts.struck(key, draft.epoch) for key in team.platform_keys)
            )
            draft = parts.put_team(draft, homeless)
        gone = parts.former(draft, code, "node", certificates=node.certificates)
        nodes = tuple(one for one in draft.nodes if one.code != code)
        return replace(draft, nodes=nodes, former=parts.in_order((*draft.former, gone)))
    return remove_team(draft, code)


def remove_team(draft: Roster, code: str) -> Roster:
    """A team alone, though a node have its code; a node that it operates stays, operated by none of the roster's.

    Raises: NoSuchMember.
    """
    team = draft.team(code)
    if team is None:
        raise NoSuchMember(code=code)
    struck = tuple(parts.struck(key, draft.epoch) for key in team.platform_keys)
    gone = parts.former(draft, code, "team", platform_keys=struck)
    return replace(
        draft,
        nodes=tuple(replace(one, team="") if one.team == code else one for one in draft.nodes),
        teams=tuple(one for one in draft.teams if one.code != code),
        former=parts.in_order((*draft.former, gone)),
    )


def rotate(draft: Roster, request: JoinRequest) -> Roster:
    """What the request has anew: node certificate, platform key, NKey, mail address. The old keys are retired.

    Raises: OtherRealm, NoSuchMember, KeyTwice, NothingNew.
    """
    _check(draft, request)
    node, team = draft.node(request.node), draft.team(request.team)
    if node is None:
        raise NoSuchMember(code=request.node)
    if team is None or team.node != request.node:
        raise NoSuchMember(code=request.team)
    changed = draft
    if all(key.fingerprint != request.node_fingerprint for key in node.certificates):
        kept = tuple(parts.retired(key, draft.epoch) for key in node.certificates)
        node = replace(node, certificates=parts.added(changed, kept, parts.certificate(draft, request)))
    changed = parts.put_node(changed, replace(node, nkey=request.nkey, mail=request.mail))
    if all(key.fingerprint != request.platform_fingerprint for key in team.platform_keys):
        old = tuple(parts.retired(key, draft.epoch) for key in team.platform_keys)
        keys = parts.added(changed, old, parts.platform_key(draft, request))
        changed = parts.put_team(changed, replace(team, platform_keys=keys))
    if changed == draft:
        raise NothingNew(node=request.node)
    return changed


def move(draft: Roster, request: JoinRequest) -> Roster:
    """A team to the node that made the request: its new key in force, all its old ones struck.

    Raises: OtherRealm, NoSuchMember, StillHome, KeyTwice, ThereAlready (the node's key is not that of the roster).
    """
    _check(draft, request)
    team, host = draft.team(request.team), draft.node(request.node)
    if team is None:
        raise NoSuchMember(code=request.team)
    if team.node == request.node:
        raise StillHome(team=request.team, node=request.node)
    if host is None:
        draft = _with_node(draft, request, operated=False)
    elif host.present is None or host.present.fingerprint != request.node_fingerprint:
        raise ThereAlready(code=request.node)
    struck = tuple(parts.struck(key, draft.epoch) for key in team.platform_keys)
    keys = parts.added(draft, struck, parts.platform_key(draft, request))
    draft = parts.put_team(draft, replace(team, node=request.node, platform_keys=keys))
    moved_in = draft.node(request.node)
    if moved_in is not None and host is None:
        draft = parts.put_node(draft, replace(moved_in, team=request.team))
    return draft


def revoke(draft: Roster, fingerprint: str) -> Roster:
    """A node's certificate is compromised: nothing that it signed is believed. Raises: NoSuchKey."""
    for node in draft.nodes:
        if any(key.fingerprint == fingerprint and not key.revoked for key in node.certificates):
            return parts.put_node(
                draft, replace(node, certificates=parts.revoked(node.certificates, fingerprint, draft.epoch))
            )
    for gone in draft.former:
        if any(key.fingerprint == fingerprint and not key.revoked for key in gone.certificates):
            revoked = replace(gone, certificates=parts.revoked(gone.certificates, fingerprint, draft.epoch))
            former = (revoked if one is gone else one for one in draft.former)
            return replace(draft, former=tuple(former))
    raise NoSuchKey(fingerprint=fingerprint)


def strike(draft: Roster, fingerprint: str) -> Roster:
    """A team's platform key is compromised: it proves nothing any more, of whatever date. Raises: NoSuchKey."""
    for team in draft.teams:
        if any(key.fingerprint == fingerprint and not key.struck for key in team.platform_keys):
            keys = (
                parts.struck(one, draft.epoch) if one.fingerprint == fingerprint else one for one in team.platform_keys
            )
            return parts.put_team(draft, replace(team, platform_keys=tuple(keys)))
    raise NoSuchKey(fingerprint=fingerprint)


def set_standing(draft: Roster, code: str, standing: Standing) -> Roster:
    """A node, or else a team, suspended or active again. Raises: NoSuchMember."""
    if (node := draft.node(code)) is not None:
        return parts.put_node(draft, replace(node, state=standing))
    if (team := draft.team(code)) is not None:
        return parts.put_team(draft, replace(team, state=standing))
    raise NoSuchMember(code=code)


def set_forwarding(draft: Roster, code: str, *, forwards: bool) -> Roster:
    """Whether a node may send what was written elsewhere. Raises: NoSuchMember."""
    if (node := draft.node(code)) is None:
        raise NoSuchMember(code=code)
    return parts.put_node(draft, replace(node, forwards=forwards))


def set_words(draft: Roster, words: Mapping[str, TeamWords]) -> Roster:
    """What the register says of teams, by code; those of whom it says nothing here stay as they are."""
    return replace(
        draft,
        teams=tuple(replace(team, **_told(words[team.code])) if team.code in words else team for team in draft.teams),
    )


def set_claims(draft: Roster, claims: Iterable[Claim], *, number: int) -> Roster:
    """The verified claim table: those of ``claims`` that are verified, as the table of that number.

    Where the two say the same of team, kind, value and validity, the one that names a decision is kept.
    """
    found: dict[tuple[str, ...], RosterClaim] = {}
    for claim in claims:
        if claim.verified:
            one = RosterClaim(claim=_whole(claim))
            if one.order not in found or not found[one.order].claim.decision:
                found[one.order] = one
    return replace(draft, claims=tuple(found[order] for order in sorted(found)), claims_number=number)


def _with_node(draft: Roster, request: JoinRequest, *, operated: bool = True) -> Roster:
    before = parts.taken_back(draft, request.node, "node")
    draft = parts.without_former(draft, request.node, "node")
    kept = tuple(parts.retired(key, draft.epoch) for key in (before.certificates if before else ()))
    node = RosterNode(
        code=request.node,
        certificates=parts.added(draft, kept, parts.certificate(draft, request)),
        nkey=request.nkey,
        mail=request.mail,
        team=request.team if operated and draft.team(request.team) else "",
    )
    return parts.put_node(draft, node)


def _with_team(draft: Roster, request: JoinRequest, words: TeamWords) -> Roster:
    before = parts.taken_back(draft, request.team, "team")
    draft = parts.without_former(draft, request.team, "team")
    there = draft.team(request.team)
    old = there.platform_keys if there else before.platform_keys if before else ()
    keys = parts.added(draft, old, parts.platform_key(draft, request))
    team = replace(there or RosterTeam(code=request.team, names={}), node=request.node, platform_keys=keys)
    draft = parts.put_team(draft, replace(team, **_told(words)))
    host = draft.node(request.node)
    first = host is not None and not any(one.node == request.node and one.code != request.team for one in draft.teams)
    return parts.put_node(draft, replace(host, team=request.team)) if host and first and not host.team else draft


def _told(words: TeamWords) -> dict[str, Any]:
    return {
        "names": dict(words.names),
        "country": words.country,
        "categories": tuple(sorted(set(words.categories))),
        "community": words.community,
    }


def _check(draft: Roster, request: JoinRequest) -> None:
    """Raises: OtherRealm; KeyTwice, where another node has its NKey."""
    if request.realm != draft.realm:
        raise OtherRealm(node=request.node, theirs=request.realm, ours=draft.realm)
    if any(one.nkey == request.nkey and one.code != request.node for one in draft.nodes):
        raise parts.KeyTwice(fingerprint=request.nkey)


def _whole(claim: Claim) -> Claim:
    """With moments as a roster writes them."""
    begins, ends = claim.valid_from, claim.valid_until
    return replace(
        claim,
        valid_from=begins and values.whole_milliseconds(begins),
        valid_until=ends and values.whole_milliseconds(ends),
    )
