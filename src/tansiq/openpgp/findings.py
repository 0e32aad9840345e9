"""What is wrong with a certificate, by code. Pure; front doors choose the words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from tansiq.openpgp.certificate import Certificate, KeyFacts

Severity = Literal["warn", "bad"]
SOON = timedelta(days=60)
CODES: dict[str, str] = {
    "expired": "its time is over",
    "expires_soon": "within 60 days",
    "revoked": "its owner has withdrawn it",
    "unbound": "no valid signature of its own holds it together",
    "weak": "an algorithm, a size or a hash that can be broken, or soon",
    "no_encryption_subkey": "nothing can be sealed to it",
    "no_signing_key": "nothing can be signed with it",
    "wrong_address": "no user id holds the address",
    "v6_only": "GnuPG cannot read it",
}
"""Every code that ``check`` gives. ``bad``: not to be used. ``warn``: to be replaced or known."""

_BROKEN_HASHES = frozenset({"MD5", "SHA-1", "RIPEMD-160"})
_OLD_ALGORITHMS = frozenset({"DSA", "ElGamal"})
_RSA_LEAST_BITS, _RSA_GOOD_BITS = 2048, 3072  # NIST SP 800-57 part 1: 112 bits of strength, and 128


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong. ``values`` fill the words: algorithm, bits, hash, at (ISO 8601), reason, address."""

    code: str
    severity: Severity
    values: dict[str, Any] = field(default_factory=dict, hash=False)


def check(certificate: Certificate, *, address: str, now: datetime) -> tuple[Finding, ...]:
    """All that is wrong with ``certificate`` at ``now``, the bad first.

    Args:
        address: the mail address that a user id must hold, compared without case; empty: not judged.

    Returns: findings with codes of ``CODES``; none twice with the same values.
    """
    found = [
        *_of_time(certificate, now),
        *_of_strength(certificate, now),
        *_of_use(certificate, now),
        *_of_readers(certificate, address),
    ]
    return tuple(sorted(found, key=lambda finding: finding.severity != "bad"))


def _of_time(certificate: Certificate, now: datetime) -> Iterator[Finding]:
    if certificate.revoked:
        yield Finding("revoked", "bad", {"reason": certificate.revocation_reason})
    ends = certificate.expires_at
    if ends is None:
        return
    if ends <= now:
        yield Finding("expired", "bad", {"at": ends.isoformat()})
    elif ends <= now + SOON:
        yield Finding("expires_soon", "warn", {"at": ends.isoformat()})


def _of_strength(certificate: Certificate, now: datetime) -> Iterator[Finding]:
    """Of the primary key always, of subkeys while they are in use."""
    primary, *subkeys = certificate.keys
    seen: list[Finding] = []
    for key in (primary, *(key for key in subkeys if key.hash_name and key.live(now))):
        for finding in _of_key(key):
            if finding not in seen:
                seen.append(finding)
    yield from seen
    if not certificate.accepted and all(finding.severity != "bad" for finding in seen):
        yield Finding("unbound", "bad")


def _of_key(key: KeyFacts) -> Iterator[Finding]:
    if key.algorithm in _OLD_ALGORITHMS:
        yield Finding("weak", "bad", {"algorithm": key.algorithm, "bits": key.bits})
    if key.algorithm == "RSA" and key.bits < _RSA_GOOD_BITS:
        severity: Severity = "bad" if key.bits < _RSA_LEAST_BITS else "warn"
        yield Finding("weak", severity, {"algorithm": "RSA", "bits": key.bits})
    if key.hash_name in _BROKEN_HASHES:
        yield Finding("weak", "bad", {"hash": key.hash_name})


def _of_use(certificate: Certificate, now: datetime) -> Iterator[Finding]:
    """Said only of certificates that are in force: of others everything would be missing."""
    if not certificate.accepted or not certificate.keys[0].live(now):
        return
    if not certificate.can_encrypt:
        yield Finding("no_encryption_subkey", "bad")
    if not certificate.can_sign:
        yield Finding("no_signing_key", "warn")


def _of_readers(certificate: Certificate, address: str) -> Iterator[Finding]:
    if address and _plain(address) not in map(_plain, certificate.addresses):
        yield Finding("wrong_address", "bad", {"address": address})
    if certificate.version == 6:
        yield Finding("v6_only", "warn")


def _plain(address: str) -> str:
    """For comparing: lower case, the domain in A-labels where it can be written so."""
    local, _at, domain = address.strip().lower().rpartition("@")
    try:
        return f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError:
        return f"{local}@{domain}"
