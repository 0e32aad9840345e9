"""OpenPGP: what is sealed opens, what is altered does not, and nothing uploaded ever raises but our own errors."""

from __future__ import annotations

import hashlib
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tansiq.core.errors import TansiqError
from tansiq.openpgp import armor, sealing
from tansiq.openpgp.certificate import Certificate, inspect, inspect_all
from tansiq.openpgp.packets import Packet
from tansiq.openpgp.sealing import NotOpened, NotSealable, NotVerified, Secret

GOLDEN = Path(__file__).parents[1] / "golden" / "openpgp"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ARMORED = [path.read_bytes() for path in sorted(GOLDEN.glob("*.asc")) if path.stem != "secret"]
BINARY = [armor.binary(blob) for blob in ARMORED]
XA, XF = (sealing.generate(f"{code} <cert@{code.lower()}.example>", version=6) for code in ("XA", "XF"))
OLD = sealing.generate("XE <cert@xe.example>", version=4)
GNUPG = Secret.read((GOLDEN / "secret.asc").read_bytes())
SECRETS = st.sampled_from([XA, XF, OLD, GNUPG])
DATA = st.binary(max_size=2000)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A real certificate with some bytes changed, taken out, put in, or its parts swapped."""
    data = bytearray(draw(st.sampled_from(ARMORED + BINARY * 3)))
    for _change in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        kind = draw(st.sampled_from(["set", "cut", "insert", "repeat", "truncate"]))
        size = draw(st.integers(1, 60))
        if kind == "set" and data:
            data[at] = draw(st.integers(0, 255))
        elif kind == "cut":
            del data[at : at + size]
        elif kind == "insert":
            data[at:at] = draw(st.binary(min_size=1, max_size=20))
        elif kind == "repeat":
            data[at:at] = data[at : at + size] * draw(st.integers(1, 20))
        else:
            del data[max(1, at) :]
    return bytes(data)


@given(upload=st.one_of(mutated(), st.binary(max_size=3000)))
@settings(max_examples=500, deadline=None)
def test_inspect_whatever_is_uploaded_is_read_or_refused(upload: bytes) -> None:
    try:
        found = inspect_all(upload, now=NOW)
    except TansiqError as refused:
        assert refused.code.startswith("openpgp.")
        assert str(refused)
    else:
        assert all(isinstance(certificate, Certificate) for certificate in found)
        assert [inspect(one.armored.encode(), now=NOW) for one in found] == list(found)


def flooded(bits: int, signature_bits: int, *, user_ids: int, subkeys: int, each: int) -> bytes:
    """A certificate of numbers that mean nothing, with as many signatures of its own as asked for."""

    def number(width: int) -> bytes:
        return width.to_bytes(2) + ((1 << width) - 1).to_bytes((width + 7) // 8)

    def rsa(width: int) -> bytes:
        return b"\x04\x50\x00\x00\x00\x01" + number(width) + (17).to_bytes(2) + b"\x01\x00\x01"

    primary = rsa(bits)
    issuer = hashlib.sha1(b"\x99" + len(primary).to_bytes(2) + primary).digest()[-8:]

    def signature(kind: int, salt: int) -> bytes:
        covered = b"\x05\x02\x50\x00\x00\x01\x02\x1b\x0f"
        said = b"\x04" + bytes([kind, 1, 8]) + len(covered).to_bytes(2) + covered
        return Packet(2, said + b"\x00\x0a\x09\x10" + issuer + salt.to_bytes(2) + number(signature_bits), 0).framed()

    out = Packet(6, primary, 0).framed()
    for count in range(user_ids):
        out += Packet(13, b"%d <cert@xa.example>" % count, 0).framed()
        out += b"".join(signature(0x13, salt) for salt in range(each))
    for count in range(subkeys):
        out += Packet(14, rsa(512 + count), 0).framed() + b"".join(signature(0x18, salt) for salt in range(each))
    return out


@pytest.mark.parametrize(
    "shape",
    [
        {"bits": 2048, "signature_bits": 2047, "user_ids": 50, "subkeys": 50, "each": 8},
        {"bits": 4096, "signature_bits": 4095, "user_ids": 20, "subkeys": 20, "each": 11},
        {"bits": 16384, "signature_bits": 16383, "user_ids": 10, "subkeys": 10, "each": 5},
        {"bits": 2048, "signature_bits": 64, "user_ids": 50, "subkeys": 50, "each": 30},
        {"bits": 2048, "signature_bits": 64, "user_ids": 8, "subkeys": 0, "each": 480},
    ],
)
def test_inspect_certificate_flooded_with_signatures_ends_soon(shape: dict[str, int]) -> None:
    upload = flooded(**shape)
    assert 100_000 < len(upload) <= armor.LIMIT_BYTES
    begun = time.process_time()

    found = inspect(upload, now=NOW)

    assert (found.accepted, found.can_encrypt, len(found.user_ids)) == (False, False, shape["user_ids"])
    assert time.process_time() - begun < 5


@given(data=DATA, secret=SECRETS)
@settings(max_examples=50, deadline=None)
def test_detached_signature_verifies_over_the_same_bytes_by_the_signer_only(data: bytes, secret: Secret) -> None:
    signature = sealing.sign_detached(data, by=secret)

    assert sealing.verify_detached(data, signature, signers=[XA.certificate, secret.certificate]) == secret.fingerprint
    with pytest.raises(NotVerified):
        sealing.verify_detached(data + b"\x00", signature, signers=[secret.certificate])
    with pytest.raises(NotVerified):
        others = [one.certificate for one in (XA, XF, OLD) if one is not secret]
        sealing.verify_detached(data, signature, signers=others)


@given(data=DATA, signer=SECRETS, reader=SECRETS)
@settings(max_examples=50, deadline=None)
def test_message_opens_for_each_reader_and_names_its_signer(data: bytes, signer: Secret, reader: Secret) -> None:
    message = sealing.encrypt(data, to=[reader.certificate, XF.certificate], signed_by=signer)

    for one in (reader, XF):
        opened = sealing.decrypt(message, by=one, signers=[signer.certificate])
        assert (opened.content, opened.signer) == (data, signer.fingerprint)


@given(data=DATA, at=st.integers(0, 10_000), to=st.integers(1, 255))
@settings(max_examples=200, deadline=None)
def test_message_altered_anywhere_never_opens_to_other_content(data: bytes, at: int, to: int) -> None:
    message = bytearray(sealing.encrypt(data, to=[XA.certificate], signed_by=XF))
    message[at % len(message)] ^= to

    try:
        opened = sealing.decrypt(bytes(message), by=XA, signers=[XF.certificate])
    except NotOpened:
        return
    assert (opened.content, opened.signer) == (data, XF.fingerprint)


@given(junk=st.binary(max_size=500))
@settings(max_examples=200, deadline=None)
def test_junk_neither_opens_nor_verifies(junk: bytes) -> None:
    with pytest.raises(NotOpened):
        sealing.decrypt(junk, by=XA, signers=None)
    with pytest.raises(NotVerified):
        sealing.verify_detached(b"data", junk, signers=[XA.certificate])


@pytest.mark.parametrize("version", [4, 6])
def test_message_without_the_signature_asked_for_is_refused(version: int) -> None:
    reader = OLD if version == 4 else XA
    message = sealing.encrypt(b"data", to=[reader.certificate])

    with pytest.raises(NotOpened):
        sealing.decrypt(message, by=reader, signers=[XF.certificate])
    assert sealing.decrypt(message, by=reader, signers=None) == sealing.Opened(b"data", "")


def test_message_for_another_reader_is_refused() -> None:
    with pytest.raises(NotOpened):
        sealing.decrypt(sealing.encrypt(b"data", to=[XF.certificate]), by=XA, signers=None)


def test_message_signed_but_not_sealed_is_refused() -> None:
    import pysequoia

    with pytest.raises(NotOpened) as refused:
        sealing.decrypt(pysequoia.sign(XF.signer(), b"data", armor=False), by=XA, signers=[XF.certificate])

    assert refused.value.values == {"reason": "not sealed"}


@pytest.mark.parametrize("name", ["revoked", "dsa", "rsa1024"])
def test_encrypt_to_a_certificate_that_takes_nothing_names_it(name: str) -> None:
    certificate = inspect((GOLDEN / f"{name}.asc").read_bytes(), now=NOW)

    with pytest.raises(NotSealable) as refused:
        sealing.encrypt(b"data", to=[XA.certificate, certificate.binary])

    assert refused.value.values == {"fingerprint": certificate.fingerprint}


def test_encrypt_to_nobody_is_refused() -> None:
    with pytest.raises(NotSealable):
        sealing.encrypt(b"data", to=[])


def test_secret_written_and_read_is_the_same_key() -> None:
    again = Secret.read(XA.write())

    assert (again.fingerprint, again.certificate) == (XA.fingerprint, XA.certificate)


def test_secret_read_from_a_public_certificate_is_refused() -> None:
    with pytest.raises(TansiqError) as refused:
        Secret.read(XA.certificate)

    assert refused.value.code == "openpgp.refused"
