"""Makes the vectors of section 10 (README.md).

Run from the root of the repository: ``PYTHONPATH=tests:src python tests/golden/exchange/generate_rosters.py``. Keys are
kept if they are there; signatures are new each time, since they hold random numbers.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tansiq.core.claims import Claim
from tansiq.exchange import canonical, join, nkey, roster_change, roster_facts, roster_signing, values
from tansiq.exchange.join import JoinRequest
from tansiq.exchange.roster import Roster
from tansiq.exchange.roster_change import TeamWords
from tansiq.exchange.roster_signing import SignedRoster, signed
from tansiq.openpgp.sealing import Secret, generate

HERE = Path(__file__).parent
BEGINNING = datetime(2026, 3, 1, 12, 0, 0, 123_000, tzinfo=UTC)
SEEDS = {"XA": "nkey-XA", "XB": "nkey-XB"}
WORDS = TeamWords(names={"ar": "فريق", "en": 'A "team"'}, country="XA", categories=("full",), community=True)
CLAIMS = [
    Claim("XA-CERT", "country", "XA"),
    Claim("XA-CERT", "cidr", "192.0.2.0/24", valid_from=BEGINNING, source="its registry — é", decision="Board 7"),
    Claim("XB-CERT", "asn", "64496", valid_until=BEGINNING),
]


def secret(name: str) -> Secret:
    """A key for tests only, made once."""
    file = HERE / "keys" / f"{name}.asc"
    if not file.exists():
        file.write_bytes(generate(f"{name}, for tests only", version=6).write())
    return Secret.read(file.read_bytes())


def seed(node: str) -> str:
    file = HERE / "keys" / f"{SEEDS[node]}.seed"
    if not file.exists():
        file.write_text(f"{nkey.new_seed()}\n")
    return file.read_text().strip()


def request(node: str, later: str = "") -> JoinRequest:
    team = f"{node}-CERT"
    return JoinRequest(
        realm="live",
        node=node,
        team=team,
        node_certificate=secret(f"node-{node}{later}").certificate,
        platform_certificate=secret(f"platform-{team}{later}").certificate,
        nkey=nkey.public(seed(node)),
        mail=f"exchange@{node.lower()}.example",
    )


def rosters() -> list[tuple[Roster, SignedRoster]]:
    first, second = secret("signer-1"), secret("signer-2")
    made: list[tuple[Roster, SignedRoster]] = []

    def issue(draft: Roster, *by: Secret) -> Roster:
        made.append((draft, signed(draft, *by)))
        return roster_change.begin(draft, now=BEGINNING + timedelta(days=len(made)))

    founded = roster_change.founded(realm="live", signers=roster_change.signers_of(first.certificate), now=BEGINNING)
    founded = roster_change.admit(founded, request("XA"), WORDS)
    draft = issue(replace(founded, extra={"x-later": {"kept": [True, None]}}), first)
    draft = roster_change.admit(draft, request("XB"), replace(WORDS, country="XB"))
    draft = issue(roster_change.set_claims(draft, CLAIMS, number=2), first)
    both = roster_change.signers_of(first.certificate, second.certificate, threshold=2)
    draft = issue(roster_change.set_forwarding(replace(draft, signers=both), "XA", forwards=True), first)
    draft = roster_change.rotate(draft, request("XB", "-later"))
    draft = issue(roster_change.set_words(draft, {"XA-CERT": replace(WORDS, names={"fr": "Équipe"})}), first, second)
    issue(roster_change.remove(draft, "XB"), first, second)
    return made


def facts(roster: Roster) -> dict[str, Any]:
    found = roster_facts.facts_of(roster, here="XA", now=roster.issued_at + timedelta(days=10))
    return {
        "node_keys": {
            key.fingerprint: {"node": key.node, "until_epoch": key.until_epoch, "revoked": key.revoked}
            for key in found.node_keys.values()
        },
        "platform_keys": {
            key.fingerprint: {"team": key.team, "node": key.node, "until_epoch": key.until_epoch, "struck": key.struck}
            for key in found.platform_keys.values()
        },
        "senders": sorted(found.senders),
        "former": sorted(found.former),
        "forwarders": sorted(found.forwarders),
        "homes": dict(found.homes),
        "community": sorted(roster_facts.community(roster)),
    }


def outcomes(made: list[tuple[Roster, SignedRoster]]) -> list[dict[str, Any]]:
    chain = [one for _roster, one in made]
    first, stranger = secret("signer-1"), secret("node-XA")
    after_first = roster_change.begin(made[0][0], now=BEGINNING + timedelta(days=1))
    other = signed(roster_change.set_claims(after_first, (), number=9), first)
    drill = signed(replace(after_first, realm="winter-2026"), first)
    elsewhere = signed(replace(after_first, previous="ab" * 32), first)
    one_of_two = replace(chain[3], signatures=chain[3].signatures[:1])
    cases: list[tuple[str, int | None, str | None, list[SignedRoster], str]] = [
        ("the first by its digest", None, chain[0].digest, [chain[0]], "accepted 1"),
        ("the first without its digest", None, None, [chain[0]], "refused anchor"),
        ("the first by another digest", None, chain[1].digest, [chain[0]], "refused anchor"),
        ("a later one first, with those after it", None, chain[2].digest, chain[1:], "accepted 5"),
        ("all at once, the last first", 0, None, chain[::-1], "accepted 5"),
        ("one after a gap", 0, None, [chain[2]], "refused missing"),
        ("the one here", 2, None, [chain[2]], "behind"),
        ("one of before", 2, None, [chain[0]], "behind"),
        ("signed by a node", 0, None, [signed(after_first, stranger)], "refused signatures"),
        ("not signed", 0, None, [replace(chain[1], signatures=())], "refused signatures"),
        ("signed by one of two", 2, None, [one_of_two], "refused signatures"),
        ("another realm", 0, None, [drill], "refused realm"),
        ("after another roster", 0, None, [elsewhere], "split 1"),
        ("two of the next epoch", 0, None, [chain[1], other], "split 2"),
        ("another of an epoch that is known", 3, None, [other], "split 2"),
        ("an epoch of the wrapper that is not the text's", 0, None, [replace(chain[2], epoch=2)], "refused form"),
    ]
    return [
        {
            "what": what,
            "known": known,
            "anchor": anchor,
            "given": [chain.index(one) if one in chain else one.written() for one in given],
            "outcome": outcome,
        }
        for what, known, anchor, given, outcome in cases
    ]


def unfit(roster: Roster) -> list[dict[str, str]]:
    said = roster.fields()
    node, team = said["nodes"][0], said["teams"][0]
    certificate = node["certificates"][0]

    def but(**changes: Any) -> str:
        return canonical.write(said | changes)

    return [
        {"what": "another version", "text": but(v=2)},
        {"what": "a space", "text": roster.written() + " "},
        {"what": "nodes out of order", "text": but(nodes=said["nodes"][::-1])},
        {"what": "a node twice", "text": but(nodes=[node, node])},
        {"what": "a threshold that nobody reaches", "text": but(signers=said["signers"] | {"threshold": 2})},
        {"what": "nothing before epoch 2", "text": but(previous=values.EMPTY_DIGEST)},
        {"what": "a team on no node", "text": but(teams=[team | {"node": "XZ"}, *said["teams"][1:]])},
        {
            "what": "another's fingerprint",
            "text": but(
                nodes=[node | {"certificates": [certificate | {"fingerprint": "0A" * 32}]}, *said["nodes"][1:]]
            ),
        },
        {
            "what": "a key of two nodes",
            "text": but(nodes=[node, said["nodes"][1] | {"certificates": node["certificates"]}]),
        },
        {"what": "an NKey mistyped", "text": but(nodes=[node | {"nkey": "U" + "A" * 55}, *said["nodes"][1:]])},
        {"what": "a claim of an unknown kind", "text": but(claims={"number": 1, "list": [_claim("planet")]})},
    ]


def _claim(kind: str) -> dict[str, str]:
    return {"team": "XA-CERT", "kind": kind, "value": "XA"}


def vectors() -> dict[str, Any]:
    made = rosters()
    asked = request("XB")
    keys = {"node": secret("node-XB"), "platform": secret("platform-XB-CERT")}
    whole = join.signed(asked, **keys, seed=seed("XB"))
    refused = [
        ("form", b"[]"),
        ("node", join.signed(asked, node=secret("node-XA"), platform=keys["platform"], seed=seed("XB"))),
        ("platform", join.signed(asked, node=keys["node"], platform=secret("node-XA"), seed=seed("XB"))),
        ("nkey", join.signed(asked, **keys, seed=seed("XA"))),
    ]
    return {
        "nkey": {
            "seed": seed("XA"),
            "public": nkey.public(seed("XA")),
            "content": "nonce",
            "signature": values.write_bytes(nkey.sign(seed("XA"), b"nonce")),
        },
        "signs": _bytes(roster_signing.signed_bytes(made[0][1].text)),
        "chain": [{"digest": one.digest, "signed": one.written()} for _roster, one in made],
        "facts": [facts(roster) for roster, _one in made],
        "outcomes": outcomes(made),
        "unfit": unfit(made[1][0]),
        "join": {"file": whole.decode(), "signs": _bytes(join.signed_bytes(asked.written()))},
        "join_refused": [{"which": which, "file": file.decode()} for which, file in refused],
    }


def _bytes(data: bytes) -> dict[str, str]:
    return {"hex": data.hex(), "sha256": values.digest(data)}


if __name__ == "__main__":
    text = json.dumps(vectors(), indent=1, ensure_ascii=False)
    (HERE / "rosters.json").write_text(f"{text}\n", encoding="utf-8")
