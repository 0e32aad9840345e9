"""The roster as a value, and its canonical text: who the nodes, teams, keys and claims are (section 10).

``written`` gives the exact text that is signed, ``digest`` is over it. Fields that this program does not know are kept
in ``extra`` of whatever held them and are written again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from tansiq.core.claims import Claim
from tansiq.exchange import canonical, values

LIMIT_BYTES = 16 * 1024 * 1024
"""Of a roster's text: 57 nodes with 3,000 claims take half a MB."""
MOST_NODES, MOST_TEAMS, MOST_CLAIMS, MOST_FORMER = 1_000, 5_000, 50_000, 5_000
MOST_KEYS = 1_000
"""Certificates of one node, platform keys of one team: those of the past among them."""
MOST_SIGNERS = 32
LONGEST_CERTIFICATE_BYTES = 16 * 1024
LONGEST_NAME = 200
MAIL = re.compile(r"([!-;=?A-~]{1,64}@[!-;=?A-~]{1,253})?")
COUNTRY = re.compile(r"([A-Z]{2})?")
CATEGORY = re.compile(r"[a-z][a-z-]{0,31}")
LANGUAGE = re.compile(r"[a-z]{2,3}")


class Standing(StrEnum):
    """Of a node: whether it may send and is sent to. Of a team: whether the federation counts it now."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCertificate:
    """A certificate of a node.

    Attributes:
        certificate: binary, OpenPGP.
        until_epoch: the first epoch at which it is not the node's any more; None while it is.
        revoked: compromised: nothing that it signed is believed.
    """

    fingerprint: str
    certificate: bytes
    from_epoch: int
    until_epoch: int | None = None
    revoked: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def fields(self) -> dict[str, Any]:
        return {
            **self.extra,
            "fingerprint": self.fingerprint,
            "certificate": values.write_bytes(self.certificate),
            "from_epoch": self.from_epoch,
            "until_epoch": self.until_epoch,
            "revoked": self.revoked,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterPlatformKey:
    """What a team signs with on ``node``. ``struck``: proves nothing any more, of whatever date (section 4)."""

    fingerprint: str
    certificate: bytes
    node: str
    from_epoch: int
    until_epoch: int | None = None
    struck: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def fields(self) -> dict[str, Any]:
        return {
            **self.extra,
            "fingerprint": self.fingerprint,
            "certificate": values.write_bytes(self.certificate),
            "node": self.node,
            "from_epoch": self.from_epoch,
            "until_epoch": self.until_epoch,
            "struck": self.struck,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterNode:
    """An installation.

    Attributes:
        certificates: in the order of their fingerprints, those of the past among them.
        nkey: public key for the backbone, ``U…``.
        forwards: whether it may send what was written elsewhere (5.14).
        mail: address of its exchange; empty: it has none.
        team: code of the team that operates it; empty: none of the roster's.
    """

    code: str
    certificates: tuple[NodeCertificate, ...]
    nkey: str
    forwards: bool = False
    mail: str = ""
    team: str = ""
    state: Standing = Standing.ACTIVE
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def present(self) -> NodeCertificate | None:
        """What is sealed to and signs now; None where the last one was revoked."""
        live = [one for one in self.certificates if one.until_epoch is None and not one.revoked]
        return max(live, key=lambda one: (one.from_epoch, one.fingerprint), default=None)

    def fields(self) -> dict[str, Any]:
        return {
            **self.extra,
            "code": self.code,
            "certificates": [one.fields() for one in self.certificates],
            "nkey": self.nkey,
            "forwards": self.forwards,
            "mail": self.mail,
            "team": self.team,
            "state": self.state.value,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterTeam:
    """A team of the federation.

    Attributes:
        names: by language (``ar``, ``en``, ``fr``).
        country: ISO 3166-1 alpha-2; empty for an organisation of none.
        categories: of membership in force, in order.
        community: TLP:GREEN names it: by its category, or by an agreement.
        node: where it lives; empty: nowhere yet.
        platform_keys: in the order of their fingerprints, those of the past among them.
    """

    code: str
    names: Mapping[str, str] = field(hash=False)
    country: str = ""
    categories: tuple[str, ...] = ()
    community: bool = False
    node: str = ""
    platform_keys: tuple[RosterPlatformKey, ...] = ()
    state: Standing = Standing.ACTIVE
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def present(self) -> RosterPlatformKey | None:
        """What it signs with now; None where it has none in force."""
        live = [one for one in self.platform_keys if one.until_epoch is None and not one.struck]
        return max(live, key=lambda one: (one.from_epoch, one.fingerprint), default=None)

    def fields(self) -> dict[str, Any]:
        return {
            **self.extra,
            "code": self.code,
            "names": dict(self.names),
            "country": self.country,
            "categories": list(self.categories),
            "community": self.community,
            "node": self.node,
            "platform_keys": [one.fields() for one in self.platform_keys],
            "state": self.state.value,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterClaim:
    """A verified claim, with what else was said of it."""

    claim: Claim
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def order(self) -> tuple[str, str, str, str, str]:
        """In which claims stand; no two of a roster are equal in it."""
        said = self.claim
        return said.team, said.kind, said.value, _moment(said.valid_from), _moment(said.valid_until)

    def fields(self) -> dict[str, Any]:
        """What is empty is left out: claims are most of a roster."""
        said = self.claim
        optional = {
            "valid_from": _moment(said.valid_from),
            "valid_until": _moment(said.valid_until),
            "source": said.source,
            "decision": said.decision,
        }
        told = {name: text for name, text in optional.items() if text}
        return {**self.extra, "team": said.team, "kind": said.kind, "value": said.value, **told}


@dataclass(frozen=True, slots=True, kw_only=True)
class Former:
    """A node or a team that a roster removed.

    Attributes:
        what: ``"node"`` or ``"team"``.
        epoch: of the roster that removed it, ``removed_at`` when that was issued.
        certificates: of a node: they prove its receipts of recalls for 30 days (section 12).
        platform_keys: of a team, all of them struck.
    """

    code: str
    what: str
    epoch: int
    removed_at: datetime
    certificates: tuple[NodeCertificate, ...] = ()
    platform_keys: tuple[RosterPlatformKey, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def order(self) -> tuple[str, str]:
        """By which ``former`` ascends (section 10.1)."""
        return self.code, self.what

    def fields(self) -> dict[str, Any]:
        return {
            **self.extra,
            "code": self.code,
            "what": self.what,
            "epoch": self.epoch,
            "removed_at": values.write_time(self.removed_at),
            "certificates": [one.fields() for one in self.certificates],
            "platform_keys": [one.fields() for one in self.platform_keys],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Signers:
    """Who may sign the next roster, and how many of them must.

    Attributes:
        certificates: by fingerprint, in the order of fingerprints; binary.
    """

    threshold: int
    certificates: Mapping[str, bytes] = field(hash=False)
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def fields(self) -> dict[str, Any]:
        certificates = [
            {"fingerprint": fingerprint, "certificate": values.write_bytes(certificate)}
            for fingerprint, certificate in sorted(self.certificates.items())
        ]
        return {**self.extra, "threshold": self.threshold, "certificates": certificates}


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """One epoch of the federation.

    Attributes:
        previous: digest of the roster before; of the empty text at epoch 1.
        nodes, teams: in the order of their codes.
        claims_number: number of the table that ``claims`` are.
    """

    realm: str
    epoch: int
    issued_at: datetime
    previous: str
    signers: Signers
    nodes: tuple[RosterNode, ...] = ()
    teams: tuple[RosterTeam, ...] = ()
    claims_number: int = 0
    claims: tuple[RosterClaim, ...] = ()
    former: tuple[Former, ...] = ()
    claims_extra: Mapping[str, Any] = field(default_factory=dict, hash=False)
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def node(self, code: str) -> RosterNode | None:
        """None where the roster has none of this code."""
        return next((one for one in self.nodes if one.code == code), None)

    def team(self, code: str) -> RosterTeam | None:
        """None where the roster has none of this code."""
        return next((one for one in self.teams if one.code == code), None)

    def fields(self) -> dict[str, Any]:
        return {
            **self.extra,
            "v": 1,
            "realm": self.realm,
            "epoch": self.epoch,
            "issued_at": values.write_time(self.issued_at),
            "previous": self.previous,
            "signers": self.signers.fields(),
            "nodes": [one.fields() for one in self.nodes],
            "teams": [one.fields() for one in self.teams],
            "claims": {
                **self.claims_extra,
                "number": self.claims_number,
                "list": [one.fields() for one in self.claims],
            },
            "former": [one.fields() for one in self.former],
        }

    def written(self) -> str:
        """The text that is signed. Raises: ValueError, for one that is too long."""
        text = canonical.write(self.fields())
        if len(text.encode()) > LIMIT_BYTES:
            raise ValueError("a roster of more than its limit")
        return text

    @property
    def digest(self) -> str:
        """SHA-256 of the text that is signed, in hexadecimal: what the next roster names, and people compare."""
        return values.digest(self.written().encode())


def _moment(moment: datetime | None) -> str:
    return values.write_time(moment) if moment else ""
