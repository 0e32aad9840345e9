"""Bytes signed, verified, sealed and opened. Thin: the library decides what is valid, by the wall clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal

import pysequoia

from tansiq.core.errors import N_, TansiqError
from tansiq.openpgp.library import Refused, answer, asked
from tansiq.openpgp.packets import SECRET_KEY
from tansiq.openpgp.structure import structures

MESSAGE_LIMIT_BYTES = 4 * 1024 * 1024
_NO_VALID_SIGNATURE = "Signature verification failed"  # what the library's answer begins with
_SESSION_KEY = 1  # type of packet (RFC 9580 section 5.1)


class NotVerified(TansiqError):
    code = "openpgp.not_verified"
    message = N_("No valid signature by any of the {count} certificates that may sign this.")
    remedy = N_("Do not use the content; ask the sender which key signs, and compare its fingerprint by telephone.")
    exit_code = 2


class NotOpened(TansiqError):
    code = "openpgp.not_opened"
    message = N_("The message could not be opened: {reason}.")
    remedy = N_("It must be sealed to this key and signed by a key that is known here.")
    exit_code = 2


class NotProven(NotOpened):
    """It opened, and names a certificate among the signers; the signature is not valid now. A forgery, or a clock that
    is wrong: the library takes no signature of more than 30 minutes in the future."""

    code = "openpgp.not_proven"


class NotSealable(TansiqError):
    code = "openpgp.not_sealable"
    message = N_("Nothing can be sealed to certificate {fingerprint}.")
    remedy = N_("Ask its owner for a certificate that is not revoked and has an encryption key.")
    exit_code = 2


class Secret:
    """A secret key in memory, not protected by a password: at rest it is a file of mode 0600."""

    __slots__ = ("_key",)

    def __init__(self, key: pysequoia.Tsk) -> None:
        self._key = key

    @classmethod
    def read(cls, data: bytes) -> Secret:
        """Raises: Refused, for what is no secret key."""
        key = asked(lambda: pysequoia.Tsk.from_bytes(data))
        if _first_tag(bytes(key)) != SECRET_KEY:
            raise Refused(reason="no secret key in it")
        return cls(key)

    def __repr__(self) -> str:
        return f"<Secret {self.fingerprint}>"

    @property
    def fingerprint(self) -> str:
        return self._key.extract_certificate().fingerprint.upper()

    @property
    def certificate(self) -> bytes:
        """The public part, binary."""
        return bytes(self._key.extract_certificate())

    def write(self) -> bytes:
        """Armored, for the file that keeps it."""
        return str(self._key).encode()

    def signer(self) -> pysequoia.PySigner:
        return asked(self._key.signer)

    def decryptor(self) -> pysequoia.PyDecryptor:
        return asked(self._key.decryptor)


@dataclass(frozen=True, slots=True)
class Opened:
    """What was in a message, and the certificate that signed it; empty where nobody was asked for."""

    content: bytes
    signer: str


def generate(user_id: str, *, version: Literal[4, 6], valid_for: timedelta | None = None) -> Secret:
    """A new key on Curve25519: a primary key that certifies, one subkey that signs, one that is sealed to.

    Args:
        user_id: ``"XA-CERT <cert@xa.example>"``.
        version: 4 where GnuPG must read it, 6 (RFC 9580) between nodes.
        valid_for: whole seconds; None is without end.
    """
    profile = pysequoia.Profile.RFC4880 if version == 4 else pysequoia.Profile.RFC9580
    seconds = None if valid_for is None else int(valid_for.total_seconds())
    return Secret(asked(lambda: pysequoia.Tsk.generate(user_id=user_id, profile=profile, validity_seconds=seconds)))


def sign_detached(data: bytes, *, by: Secret) -> bytes:
    """A binary signature (RFC 9580 section 5.2.1.1). Raises: Refused, where ``by`` has no key that signs now."""
    mode = pysequoia.SignatureMode.DETACHED
    return asked(lambda: pysequoia.sign(by.signer(), data, mode=mode, armor=False))


def verify_detached(data: bytes, signature: bytes, *, signers: Sequence[bytes]) -> str:
    """The fingerprint of the certificate among ``signers`` (binary) that made ``signature`` (armored or binary).

    Raises: NotVerified, for every reason that there may be.
    """
    store = _Known(signers)
    try:
        read = asked(lambda: pysequoia.Sig.from_bytes(signature))
        result = asked(lambda: pysequoia.verify(bytes=data, store=store, signature=read))
    except Refused:
        raise NotVerified(count=len(signers)) from None
    return str(result.valid_sigs[0].certificate).upper()


def signed_at(signature: bytes) -> datetime | None:
    """When a detached signature says it was made; proves nothing. None where it says nothing or is no signature."""
    return answer(lambda: pysequoia.Sig.from_bytes(signature).created, otherwise=None)


def encrypt(data: bytes, *, to: Sequence[bytes], signed_by: Secret | None = None) -> bytes:
    """A binary message sealed to every certificate of ``to`` (binary), signed inside if ``signed_by`` says so.

    An expired certificate is sealed to all the same: whether it may be used is judged before (``findings.check``).

    Raises: NotSealable, for the first that is revoked or has no encryption key, and where ``to`` is empty.
    """
    recipients = [_certificate(binary) for binary in to]
    if not recipients:
        raise NotSealable(fingerprint="-")
    signer = signed_by.signer() if signed_by else None
    for recipient in recipients:
        if answer(lambda recipient=recipient: recipient.is_revoked, otherwise=True):  # type: ignore[misc]
            raise NotSealable(fingerprint=recipient.fingerprint.upper())
    try:
        return asked(lambda: pysequoia.encrypt(data, recipients=recipients, signer=signer, armor=False))
    except Refused:
        bad = next((one for one in recipients if not _sealable(one)), None)
        if bad is None:
            raise
        raise NotSealable(fingerprint=bad.fingerprint.upper()) from None


def decrypt(message: bytes, *, by: Secret, signers: Sequence[bytes] | None) -> Opened:
    """Open a message (binary) sealed to ``by`` and signed by one of ``signers`` (binary certificates).

    With None for ``signers`` no signature is asked for and none is reported. Refused: a message that is signed but not
    sealed, and, where a signer is asked for, one compressed inside (as GnuPG makes unless told ``--compress-algo
    none``). The library finds out that it is compressed by unpacking it: 750 kB of a hostile message took 4 seconds
    and 750 MB here, so what anybody may send is opened in a process whose memory and time are bounded.

    Raises: NotOpened, for every reason that there may be; larger than 4 MB before anything is tried. Of these
        NotProven, where only the signature's validity failed.
    """
    if len(message) > MESSAGE_LIMIT_BYTES:
        raise NotOpened(reason="too large")
    if _first_tag(message) != _SESSION_KEY:
        raise NotOpened(reason="not sealed")
    store = None if signers is None else _Known(signers)
    try:
        result = asked(lambda: pysequoia.decrypt(message, decryptor=by.decryptor(), store=store))
    except Refused as refused:
        reason = refused.values["reason"]
        named = store is not None and store.found and reason.startswith(_NO_VALID_SIGNATURE)
        raise (NotProven if named else NotOpened)(reason=reason) from None
    signer = str(result.valid_sigs[0].certificate).upper() if signers is not None else ""
    return Opened(content=result.bytes or b"", signer=signer)


def _first_tag(message: bytes) -> int:
    first = message[0] if message else 0
    if not first & 0x80:
        return 0
    return first & 0x3F if first & 0x40 else first >> 2 & 0xF


class _Known:
    """Answers the library which certificates may have signed: those that hold a key which the signature names.

    To give it all of fifty-seven nodes costs four times the opening of a message.
    """

    def __init__(self, signers: Sequence[bytes]) -> None:
        self._signers = signers
        self.found = False

    def __call__(self, handles: list[str]) -> list[pysequoia.Cert]:
        named = {handle.upper() for handle in handles}
        found = [binary for binary in self._signers if not named or not named.isdisjoint(_handles(binary))]
        self.found = self.found or bool(named and found)
        return [_certificate(binary) for binary in found]


@lru_cache(maxsize=512)
def _handles(certificate: bytes) -> frozenset[str]:
    """By what a signature can name the keys of a certificate: fingerprints, and the short ids of version 4."""
    keys = [part.key for structure in structures(certificate) for part in structure.parts if part.key]
    return frozenset(handle for key in keys for handle in (key.fingerprint, key.key_id))


def _sealable(certificate: pysequoia.Cert) -> bool:
    return answer(lambda: bool(pysequoia.encrypt(b"", recipients=[certificate], armor=False)), otherwise=False)


@lru_cache(maxsize=512)
def _certificate(binary: bytes) -> pysequoia.Cert:
    return asked(lambda: pysequoia.Cert.from_bytes(binary))
