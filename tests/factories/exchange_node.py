"""``here("XA")``: who a node is under a roster, with generated keys; and a desk that notes what is applied.

Every node runs one team of the same code, so that ``XA:1`` is an object of XA's own team. Keys are made once a run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from factories.exchange import node_key, node_secret, platform_key, platform_secret
from tansiq.core.marking import Audience, Marking, Tlp
from tansiq.exchange.body import Lane, Version
from tansiq.exchange.channel import LIMITS, Limit
from tansiq.exchange.facts import Facts
from tansiq.exchange.kinds import Kind, Kinds, Said
from tansiq.exchange.node.here import Here
from tansiq.exchange.sending import WINDOW

CODES = ("XA", "XE", "XF")
REALM = "live"
NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
POISON = "poison"
"""A payload with it in its text fits no kind here (check 5.19)."""


@dataclass
class Desk:
    """What a node's desks were told, in order; the texts of what is there."""

    applied: list[tuple[str, Version]] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)

    def apply(self, said: Said, now: datetime) -> None:
        self.applied.append((said.object, said.version))
        self.texts[said.object] = said.payload["text"]

    def withdraw(self, identifier: str, now: datetime) -> None:
        self.withdrawn.append(identifier)
        self.texts.pop(identifier, None)


def fits(payload: Any) -> bool:
    return isinstance(payload, dict) and POISON not in payload.get("text", POISON)


def needed(payload: Any) -> Collection[str]:
    return [payload["needs"]] if payload.get("needs") else []


def kinds(desk: Desk | None = None, *, known: Iterable[str] = ("alert", "case.note", "event")) -> Kinds:
    """``alert`` is urgent and self-contained, ``event`` bulk; ``new.kind`` is for a program that comes later. And what
    this program registers itself (``recall``)."""
    told = desk or Desk()
    lanes = {"alert": Lane.URGENT, "case.note": Lane.NORMAL, "event": Lane.BULK, "new.kind": Lane.NORMAL}
    made = [
        Kind(
            name=name,
            schema=1,
            lane=lanes[name],
            fits=fits,
            apply=told.apply,
            withdraw=told.withdraw,
            self_contained=name == "alert",
            references=needed,
        )
        for name in known
    ]
    return Kinds([*made, *_registered()])


def _registered() -> list[Kind]:
    """The kind ``recall``, which the exchange itself keeps; the desks' own kinds are none of these tests'."""
    from tansiq.exchange.kinds import KNOWN

    return [kind for name, kind in KNOWN.by_name().items() if name == "recall"]


def facts(
    code: str, *, epoch: int, members: Collection[str], former: Collection[str], forwarders: Collection[str]
) -> Facts:
    everybody = sorted({*members, *former, code})
    node_keys = [node_key(one) for one in everybody]
    platform_keys = [platform_key(one, one) for one in everybody]
    return Facts(
        here=code,
        realm=REALM,
        epoch=epoch,
        node_keys={key.fingerprint: key for key in node_keys},
        senders=frozenset(members),
        platform_keys={key.fingerprint: key for key in platform_keys},
        homes={one: one for one in members},
        former=frozenset(former),
        forwarders=frozenset(forwarders),
    )


def here(
    code: str = "XA",
    *,
    epoch: int = 1,
    members: Collection[str] = CODES,
    former: Collection[str] = (),
    forwarders: Collection[str] | None = None,
    mail: Collection[str] = (),
    desk: Desk | None = None,
    known: Kinds | None = None,
    limits: Mapping[Lane, Limit] = LIMITS,
    window: int = WINDOW,
) -> Here:
    """A node under the roster ``epoch`` that names ``members``.

    Args:
        forwarders: None: every member may forward.
        mail: nodes that have an exchange address.
        known: kinds; None: those of ``kinds(desk)``.
    """
    may_forward = members if forwarders is None else forwarders
    return Here(
        code=code,
        realm=REALM,
        team=code,
        facts=facts(code, epoch=epoch, members=members, former=former, forwarders=may_forward),
        members=frozenset(members),
        community=frozenset(members),
        secrets=(node_secret(code),),
        platform={code: platform_secret(code)},
        operators={one: one for one in {*members, *former, code}},
        mail={one: f"exchange@{one.lower()}.example" for one in mail},
        kinds=known or kinds(desk),
        limits=dict(limits),
        window=window,
    )


def marked(origin: str, *teams: str) -> list[Marking]:
    """For the teams named and nobody else but the origin."""
    return [Marking(Tlp.AMBER_STRICT, origin, Audience.of(teams=teams))]


def payload(text: str = "words", *, needs: str = "") -> dict[str, str]:
    return {"text": text} | ({"needs": needs} if needs else {})
