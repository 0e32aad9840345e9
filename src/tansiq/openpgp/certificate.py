"""A certificate as people need to know it: whose, until when, of what strength, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

import pysequoia

from tansiq.core.errors import N_, TansiqError
from tansiq.openpgp.armor import binary
from tansiq.openpgp.findings import Finding, check
from tansiq.openpgp.library import answer, asked
from tansiq.openpgp.packets import Key, Signature
from tansiq.openpgp.structure import Part, Structure, structures

_REVOKES_KEY, _REVOKES_SUBKEY, _DIRECT, _REVOKES_USER_ID = 0x20, 0x28, 0x1F, 0x30
_CERTIFIES = frozenset({0x10, 0x11, 0x12, 0x13})
_BINDS_SUBKEY = 0x18
_SIGNS, _SEALS = 0x02, 0x0C  # key flags (RFC 9580 section 5.2.3.29); sealing is for transport or storage
_SIGNING = frozenset({"RSA", "DSA", "ECDSA", "EdDSA", "Ed25519", "Ed448"})
_SEALING = frozenset({"RSA", "ElGamal", "ECDH", "X25519", "X448"})
_REASONS = {0: "unspecified", 1: "superseded", 2: "compromised", 3: "retired", 32: "user_id_invalid"}
_IN_BRACKETS = re.compile(r"<([^<>\s@]{1,64}@[^<>\s@]{1,253})>\s*$")
_BARE = re.compile(r"[^<>\s@]{1,64}@[^<>\s@]{1,253}")
_JOINERS = "\u200c\u200d"  # Persian, Urdu and others spell with them


class SeveralCertificates(TansiqError):
    code = "openpgp.several"
    message = N_("The file holds {count} certificates; one is wanted.")
    remedy = N_("Export the one key: gpg --armor --export FINGERPRINT")
    exit_code = 2


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """One key of a certificate.

    Attributes:
        bits: of the modulus, prime or field; 0 where the algorithm's name says all.
        hash_name: of the signature in force that binds it; empty without one.
        expires_at: None is never.
    """

    fingerprint: str
    algorithm: str
    bits: int
    curve: str
    hash_name: str
    created_at: datetime
    expires_at: datetime | None
    revoked: bool
    signs: bool
    seals: bool

    def live(self, now: datetime) -> bool:
        return not self.revoked and self.created_at <= now and (self.expires_at is None or self.expires_at > now)


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate, judged at one moment.

    Attributes:
        fingerprint: capital hexadecimal, 40 digits (version 4) or 64 (version 6).
        user_ids: those bound and not revoked, the unprintable replaced; ``addresses`` the mail addresses in them.
        expires_at: end of the primary key; None is never.
        revoked: by its owner; ``revocation_reason`` one of unspecified, superseded, compromised, retired, or empty.
        keys: the primary key first.
        accepted: the library holds the primary key for validly bound, by its policy (RFC 9580, no SHA-1).
        can_sign, can_encrypt: at the moment of judging.
        binary: what is stored and sent: without pictures and other people's signatures.
        findings: what is wrong with it apart from the address; ``findings.check`` judges that too.
    """

    fingerprint: str
    version: int
    user_ids: tuple[str, ...]
    addresses: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked: bool
    revocation_reason: str
    keys: tuple[KeyFacts, ...]
    accepted: bool
    can_sign: bool
    can_encrypt: bool
    binary: bytes
    findings: tuple[Finding, ...] = ()

    @property
    def armored(self) -> str:
        return pysequoia.armor(self.binary, pysequoia.ArmorKind.PublicKey)


def inspect(blob: bytes, *, now: datetime) -> Certificate:
    """Read and judge the one certificate in an upload, armored or binary.

    What holds the primary key, its end and user ids is verified by the library. Of subkeys, that one can be sealed to
    is verified; that one signs is taken as it says. Third parties' signatures are left out, those of a designated
    revoker (RFC 9580 section 5.2.3.23, deprecated) with them.

    Args:
        blob: at most 256 kB; anything may be in it. Bounded: some milliseconds, at worst under two seconds.
        now: the moment to judge at; the library itself goes by the wall clock.

    Raises: TansiqError, always with a code of ``openpgp.``, and nothing else.
    Source: RFC 9580 sections 4, 5, 6 and 10.1.
    """
    found = inspect_all(blob, now=now)
    if len(found) > 1:
        raise SeveralCertificates(count=len(found))
    return found[0]


def inspect_all(blob: bytes, *, now: datetime) -> tuple[Certificate, ...]:
    """Like ``inspect``, for an upload of one to fifty certificates."""
    return tuple(_judged(structure, now) for structure in structures(binary(blob)))


def merged(one: Certificate, other: Certificate, *, now: datetime) -> Certificate:
    """What both copies of a certificate say: a revocation known once stays known.

    Raises: Refused, where they are not the same certificate.
    """
    first, second = (pysequoia.Cert.from_bytes(copy.binary) for copy in (one, other))
    return inspect(bytes(asked(lambda: first.merge(second))), now=now)


def _judged(structure: Structure, now: datetime) -> Certificate:
    data = structure.binary()
    certificate = asked(lambda: pysequoia.Cert.from_bytes(data))
    accepted = answer(lambda: (certificate.expiration, True)[1], otherwise=False)
    primary = structure.parts[0]
    bound = _in_force([*primary.signatures, *_certifications(structure)], _CERTIFIES | {_DIRECT})
    keys = (_facts(structure.primary, bound, revoked=False), *map(_subkey, structure.subkeys))
    expires_at = answer(lambda: certificate.expiration, otherwise=keys[0].expires_at)
    revocation = next((said for said in primary.signatures if said.kind == _REVOKES_KEY), None)
    revoked = answer(lambda: certificate.is_revoked, otherwise=True) or (not accepted and revocation is not None)
    keys = (replace(keys[0], expires_at=expires_at, revoked=revoked), *keys[1:])
    said = answer(lambda: [str(user_id) for user_id in certificate.user_ids], otherwise=_claimed(structure))
    user_ids = tuple(dict.fromkeys(map(shown, said)))
    usable = keys[0].live(now)
    judged = Certificate(
        fingerprint=structure.primary.fingerprint,
        version=structure.primary.version,
        user_ids=user_ids,
        addresses=_addresses(user_ids),
        created_at=structure.primary.created_at,
        expires_at=expires_at,
        revoked=revoked,
        revocation_reason=_reason(revocation) if revoked else "",
        keys=keys,
        accepted=accepted,
        can_sign=usable and accepted and any(key.signs and key.live(now) for key in keys),
        can_encrypt=usable and any(key.seals and key.live(now) for key in keys) and _takes_a_message(certificate),
        binary=data,
    )
    return replace(judged, findings=check(judged, address="", now=now))


def _takes_a_message(certificate: pysequoia.Cert) -> bool:
    """The library finds a validly bound key to seal to. It would take an expired one, which is judged beside it."""
    return answer(lambda: bool(pysequoia.encrypt(b"", recipients=[certificate], armor=False)), otherwise=False)


def _certifications(structure: Structure) -> list[Signature]:
    """Of the user id that speaks for the key: the one marked primary, else the newest."""
    of_ids = [said for part in structure.user_ids for said in part.signatures if said.kind in _CERTIFIES]
    return [said for said in of_ids if said.primary] or of_ids


def _in_force(signatures: Iterable[Signature], kinds: frozenset[int]) -> Signature | None:
    dated = [said for said in signatures if said.kind in kinds and said.created_at is not None]
    return max(dated, key=lambda said: said.created_at or datetime.min, default=None)


def _subkey(part: Part) -> KeyFacts:
    assert part.key is not None
    bound = _in_force(part.signatures, frozenset({_BINDS_SUBKEY}))
    revoked = any(said.kind == _REVOKES_SUBKEY for said in part.signatures)
    facts = _facts(part.key, bound, revoked=revoked)
    return replace(facts, signs=facts.signs and bound is not None and bound.backed)


def _facts(key: Key, bound: Signature | None, *, revoked: bool) -> KeyFacts:
    flags = bound.flags if bound else 0
    return KeyFacts(
        fingerprint=key.fingerprint,
        algorithm=key.algorithm,
        bits=key.bits,
        curve=key.curve,
        hash_name=bound.hash_name if bound else "",
        created_at=key.created_at,
        expires_at=key.created_at + bound.key_valid_for if bound and bound.key_valid_for else None,
        revoked=revoked,
        signs=bool(flags & _SIGNS) if flags is not None else key.algorithm in _SIGNING,
        seals=bool(flags & _SEALS) if flags is not None else key.algorithm in _SEALING,
    )


def _claimed(structure: Structure) -> list[str]:
    """The user ids of a certificate that the library's policy refuses whole, so that people see whose it is."""
    parts = [part for part in structure.user_ids if _in_force(part.signatures, _CERTIFIES)]
    return [
        part.packet.body.decode("utf-8", "replace")
        for part in parts
        if all(said.kind != _REVOKES_USER_ID for said in part.signatures)
    ]


def _reason(revocation: Signature | None) -> str:
    if revocation is None or revocation.revocation_reason is None:
        return ""
    return _REASONS.get(revocation.revocation_reason, "unspecified")


def shown(user_id: str) -> str:
    """A user id for people and databases: what does not print (controls, changes of direction) is replaced."""
    kept = (c if c.isprintable() or c in _JOINERS else "\N{REPLACEMENT CHARACTER}" for c in user_id)
    return "".join(kept)


def _addresses(user_ids: Iterable[str]) -> tuple[str, ...]:
    """The mail addresses, in lower case: within angle brackets at the end, or the whole user id."""
    found = (_IN_BRACKETS.search(user_id) or _BARE.fullmatch(user_id) for user_id in user_ids)
    return tuple(dict.fromkeys(match[match.lastindex or 0].lower() for match in found if match))
