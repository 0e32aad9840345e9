"""What a node hands to the signers of the roster: its keys, and proof that it holds them (section 10.6).

The same file asks to be admitted, to have keys replaced, and to take a team in: what it says differs from the roster,
and people decide which of that is meant. Its fingerprints are compared by telephone before anybody acts on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tansiq.core.errors import N_, TansiqError
from tansiq.exchange import canonical, nkey, roster_reading, values
from tansiq.exchange.fields import Fields
from tansiq.exchange.roster import LONGEST_CERTIFICATE_BYTES, MAIL
from tansiq.exchange.values import Unfit
from tansiq.openpgp import sealing
from tansiq.openpgp.sealing import NotVerified, Secret

LIMIT_BYTES = 64 * 1024
_LONGEST_SIGNATURE = 4096


class NotProven(TansiqError):
    """The request is well formed, and one of its keys did not sign it."""

    code = "exchange.join.not_proven"
    message = N_("The request of node {node} is not signed by all of its keys ({which}).")
    remedy = N_("Have the node make the request again, with `tansiq roster request`, and compare its fingerprints.")
    exit_code = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinRequest:
    """What a node holds, for one team that lives there.

    Attributes:
        node_certificate, platform_certificate: binary; of the node, and what ``team`` signs with on it.
        nkey: public, for the backbone.
        team: for which the platform key is.
        mail: address of the node's exchange; may be empty.
    """

    realm: str
    node: str
    team: str
    node_certificate: bytes
    platform_certificate: bytes
    nkey: str
    mail: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def node_fingerprint(self) -> str:
        """Of the node's certificate."""
        return roster_reading.fingerprint_of(self.node_certificate)

    @property
    def platform_fingerprint(self) -> str:
        """Of the team's platform key."""
        return roster_reading.fingerprint_of(self.platform_certificate)

    def written(self) -> str:
        """The text that all three keys sign."""
        fields = {
            **self.extra,
            "v": 1,
            "realm": self.realm,
            "node": self.node,
            "team": self.team,
            "node_certificate": values.write_bytes(self.node_certificate),
            "platform_certificate": values.write_bytes(self.platform_certificate),
            "nkey": self.nkey,
            "mail": self.mail,
        }
        return canonical.write(fields)


def signed(request: JoinRequest, *, node: Secret, platform: Secret, seed: str) -> bytes:
    """The file to hand over. ``seed``: of the NKey."""
    text = request.written()
    content = signed_bytes(text)
    signatures = {
        "node": values.write_bytes(sealing.sign_detached(content, by=node)),
        "platform": values.write_bytes(sealing.sign_detached(content, by=platform)),
        "nkey": values.write_bytes(nkey.sign(seed, content)),
    }
    return canonical.write({"request": text, "signatures": signatures}).encode()


def read(data: bytes) -> JoinRequest:
    """The request in a file, signed by all of its keys.

    Raises: Unfit; NotProven, with the ``which`` of node, platform or nkey.
    """
    wrapper = Fields(canonical.read_canonical(data, limit_bytes=LIMIT_BYTES), "join request")
    text = wrapper.text("request", longest=LIMIT_BYTES)
    signatures = Fields(wrapper.any("signatures"), "signatures")
    by = {which: signatures.bytes(which, longest=_LONGEST_SIGNATURE) for which in ("node", "platform", "nkey")}
    if wrapper.left() or signatures.left():
        raise Unfit(field="join request", expected="a request and three signatures")
    request = _read(text)
    content = signed_bytes(text)
    proven = {
        "node": _is_signed(content, by["node"], request.node_certificate),
        "platform": _is_signed(content, by["platform"], request.platform_certificate),
        "nkey": nkey.verifies(request.nkey, by["nkey"], content),
    }
    for which, holds in proven.items():
        if not holds:
            raise NotProven(node=request.node, which=which)
    return request


def signed_bytes(text: str) -> bytes:
    """What the three keys of a request sign (section 10.6)."""
    return values.length_prefixed("tansiq.join.v1", text)


def grouped(fingerprint: str) -> str:
    """A fingerprint, or an NKey, as people read it aloud: four signs at a time."""
    return " ".join(fingerprint[start : start + 4] for start in range(0, len(fingerprint), 4))


def _read(text: str) -> JoinRequest:
    fields = Fields(canonical.read_canonical(text.encode(), limit_bytes=LIMIT_BYTES), "request")
    fields.whole("v", least=1, most=1)
    found = JoinRequest(
        realm=fields.form("realm", values.REALM),
        node=fields.form("node", values.CODE),
        team=fields.form("team", values.CODE),
        node_certificate=_certificate(fields, "node_certificate"),
        platform_certificate=_certificate(fields, "platform_certificate"),
        nkey=roster_reading.public_nkey(fields),
        mail=fields.form("mail", MAIL),
        extra=fields.left(),
    )
    if found.node_fingerprint == found.platform_fingerprint:
        raise Unfit(field="platform_certificate", expected="another than the node's")
    return found


def _certificate(fields: Fields, name: str) -> bytes:
    data = fields.bytes(name, longest=LONGEST_CERTIFICATE_BYTES)
    roster_reading.fingerprint_of(data)
    return data


def _is_signed(content: bytes, signature: bytes, certificate: bytes) -> bool:
    try:
        sealing.verify_detached(content, signature, signers=[certificate])
    except NotVerified:
        return False
    return True
