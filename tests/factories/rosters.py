"""Rosters of a small federation, its signers, and the requests by which it grew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

from factories import exchange as make
from tansiq.core.claims import Claim
from tansiq.exchange import join, nkey, roster_change
from tansiq.exchange.join import JoinRequest
from tansiq.exchange.roster import Roster
from tansiq.exchange.roster_change import TeamWords
from tansiq.exchange.roster_signing import SignedRoster, signed
from tansiq.openpgp.sealing import Secret, generate

BEGINNING = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
WORDS = TeamWords(names={"en": "A team", "ar": "فريق"}, country="XA", categories=("full",), community=True)
CLAIMS = [
    Claim("XA-CERT", "country", "XA"),
    Claim("XA-CERT", "cidr", "192.0.2.0/24", valid_from=BEGINNING, source="its registry", decision="Board 7"),
    Claim("XB-CERT", "domain", "gov.example"),
    Claim("XB-CERT", "asn", "64496", verified=False),
]


@cache
def signer(name: str = "first") -> Secret:
    return generate(f"signer {name}", version=6)


@cache
def seed(node: str) -> str:
    return nkey.new_seed()


@cache
def secret(name: str) -> Secret:
    return generate(name, version=6)


def request(node: str, team: str = "", *, generation: int = 0, realm: str = make.REALM) -> JoinRequest:
    """Of ``node`` for ``team``, ``node``-CERT unless told otherwise; keys of another generation are other keys."""
    team = team or f"{node}-CERT"
    return JoinRequest(
        realm=realm,
        node=node,
        team=team,
        node_certificate=node_secret(node, generation).certificate,
        platform_certificate=platform_secret(team, node, generation).certificate,
        nkey=nkey.public(seed(node)),
        mail=f"exchange@{node.lower()}.example",
    )


def node_secret(node: str, generation: int = 0) -> Secret:
    return secret(f"node {node} {generation}") if generation else make.node_secret(node)


def platform_secret(team: str, node: str, generation: int = 0) -> Secret:
    return secret(f"{team} at {node} {generation}")


def written_request(node: str, team: str = "", *, generation: int = 0) -> bytes:
    asked = request(node, team, generation=generation)
    return join.signed(
        asked,
        node=node_secret(node, generation),
        platform=platform_secret(asked.team, node, generation),
        seed=seed(node),
    )


def founded(*codes: str, signers: tuple[Secret, ...] = (), threshold: int = 1) -> Roster:
    """Epoch 1 of the nodes ``codes``, with a team each, and the claims above."""
    by = signers or (signer(),)
    draft = roster_change.founded(
        realm=make.REALM,
        signers=roster_change.signers_of(*(one.certificate for one in by), threshold=threshold),
        now=BEGINNING,
    )
    for code in codes:
        draft = roster_change.admit(draft, request(code), WORDS)
    return roster_change.set_claims(draft, CLAIMS, number=3)


def after(roster: Roster, days: int = 1) -> Roster:
    """The draft of the next epoch."""
    return roster_change.begin(roster, now=BEGINNING + timedelta(days=roster.epoch * days))


def chain(first: Roster, length: int, *, by: Secret | None = None) -> list[SignedRoster]:
    """``first`` and ``length`` − 1 more, each of one change: the number of the claim table."""
    found, roster = [], first
    for _step in range(length):
        found.append(signed(roster, by or signer()))
        roster = roster_change.set_claims(after(roster), CLAIMS, number=roster.claims_number + 1)
    return found
