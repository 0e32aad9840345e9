"""Certificates that GnuPG made, and RFC 9580's own: what is read of them and what is found wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tansiq.core.errors import TansiqError
from tansiq.openpgp import armor, certificate, findings, packets, structure
from tansiq.openpgp.certificate import Certificate, inspect, inspect_all, merged

GOLDEN = Path(__file__).parents[2] / "golden" / "openpgp"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADDRESS = "cert@xa.example"


def blob(name: str) -> bytes:
    return (GOLDEN / f"{name}.asc").read_bytes()


def read(name: str, *, now: datetime = NOW) -> Certificate:
    return inspect(blob(name), now=now)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("v4", []),
        ("persian", []),
        ("rsa2048", [("weak", "warn", {"algorithm": "RSA", "bits": 2048})]),
        ("rsa1024", [("weak", "bad", {"algorithm": "RSA", "bits": 1024})]),
        ("sha1", [("weak", "bad", {"hash": "SHA-1"})]),
        ("dsa", [("weak", "bad", {"algorithm": "DSA", "bits": 2048}), ("no_encryption_subkey", "bad", {})]),
        ("expired", [("expired", "bad", {"at": "2021-01-01T00:00:00+00:00"})]),
        ("expires_soon", [("expires_soon", "warn", {"at": "2026-04-01T00:00:00+00:00"})]),
        ("revoked", [("revoked", "bad", {"reason": "unspecified"})]),
        ("wrong_address", [("wrong_address", "bad", {"address": ADDRESS})]),
        ("v6", [("wrong_address", "bad", {"address": ADDRESS}), ("v6_only", "warn", {})]),
    ],
)
def test_check_golden_certificate_finds_what_is_wrong_with_it(
    name: str, expected: list[tuple[str, str, dict[str, object]]]
) -> None:
    found = findings.check(read(name), address=ADDRESS, now=NOW)

    assert [(finding.code, finding.severity, finding.values) for finding in found] == expected


def test_inspect_v4_says_whose_and_what_it_can() -> None:
    read_ = read("v4")

    assert (read_.version, len(read_.fingerprint), read_.user_ids) == (4, 40, ("XA-CERT <cert@xa.example>",))
    assert (read_.addresses, read_.can_sign, read_.can_encrypt) == ((ADDRESS,), True, True)
    assert (read_.created_at, read_.expires_at) == (datetime(2024, 1, 1, tzinfo=UTC), None)
    assert [(key.algorithm, key.curve, key.bits, key.hash_name) for key in read_.keys] == [
        ("EdDSA", "Ed25519", 256, "SHA-256"),
        ("ECDH", "Curve25519", 256, "SHA-256"),
    ]


def test_inspect_v6_reads_the_fingerprint_that_the_rfc_prints() -> None:
    read_ = read("v6")

    assert read_.fingerprint == "CB186C4F0609A697E4D52DFA6C722B0C1F1E27C18A56708F6525EC27BAD9ACC9"
    assert (read_.version, read_.user_ids, read_.can_sign, read_.can_encrypt) == (6, (), True, True)


def test_inspect_expired_at_a_moment_of_its_life_finds_nothing() -> None:
    at = datetime(2020, 6, 1, tzinfo=UTC)

    assert findings.check(read("expired", now=at), address=ADDRESS, now=at) == ()


def test_inspect_user_id_in_persian_keeps_the_joiner() -> None:
    assert read("persian").user_ids == ("تیم\u200cها <cert@xa.example>",)


def test_shown_user_id_with_controls_and_turned_direction_replaces_them() -> None:
    assert certificate.shown("a\x00b\u202ec") == "a\ufffdb\ufffdc"


def test_check_address_in_other_case_and_alphabet_is_the_same_address() -> None:
    assert findings.check(read("v4"), address="CERT@XA.Example", now=NOW) == ()


def test_inspect_of_what_was_written_gives_the_same_certificate() -> None:
    once = read("v4")

    assert inspect(once.armored.encode(), now=NOW) == once
    assert inspect(once.binary, now=NOW) == once


def test_inspect_armor_in_a_mail_with_other_line_ends_is_read() -> None:
    mail = b"Dear all,\r\nour key:\r\n" + blob("v4").replace(b"\n", b"\r\n") + b"\r\n-- \r\nXA-CERT\r\n"

    assert inspect(mail, now=NOW).fingerprint == read("v4").fingerprint


def test_inspect_two_certificates_is_refused_and_inspect_all_reads_both() -> None:
    both = blob("v4") + blob("rsa2048")

    with pytest.raises(certificate.SeveralCertificates) as refused:
        inspect(both, now=NOW)

    assert refused.value.values == {"count": 2}
    assert [found.fingerprint for found in inspect_all(both, now=NOW)] == [
        read("v4").fingerprint,
        read("rsa2048").fingerprint,
    ]


def test_inspect_certificate_with_signatures_of_strangers_leaves_them_out() -> None:
    own, *_rest = structure.structures(armor.binary(blob("v4")))
    stranger = next(p for p in packets.packets(armor.binary(blob("rsa2048"))) if p.tag == packets.SIGNATURE)
    flooded = own.parts[0].packet.framed() + own.parts[1].packet.framed() + own.parts[1].kept[0].framed()
    flooded += stranger.framed() * 50 + b"".join(p.framed() for p in (own.parts[2].packet, *own.parts[2].kept))

    assert inspect(flooded, now=NOW) == read("v4")


def test_inspect_certificate_without_its_own_signatures_is_unbound() -> None:
    own, *_rest = structure.structures(armor.binary(blob("v4")))

    bare = inspect(own.parts[0].packet.framed() + own.parts[1].packet.framed(), now=NOW)

    assert [(finding.code, finding.severity) for finding in bare.findings] == [("unbound", "bad")]
    assert (bare.can_sign, bare.can_encrypt, bare.user_ids) == (False, False, ())


def test_inspect_user_id_with_a_forged_signature_does_not_count() -> None:
    own, *_rest = structure.structures(armor.binary(blob("v4")))
    forged = packets.Packet(packets.USER_ID, b"Grace <grace@sec.example>", 0).framed() + own.parts[1].kept[0].framed()

    assert inspect(own.binary() + forged, now=NOW).addresses == (ADDRESS,)


def test_merged_with_an_older_copy_stays_revoked() -> None:
    revoked = read("revoked")
    own, *_rest = structure.structures(revoked.binary)
    own.parts[0].kept.clear()
    older = inspect(own.binary(), now=NOW)

    both = merged(older, revoked, now=NOW)

    assert (older.revoked, both.revoked) == (False, True)


@pytest.mark.parametrize(
    ("upload", "code"),
    [
        (b"", "openpgp.not_openpgp"),
        (b"hello", "openpgp.not_openpgp"),
        ("مرحبا".encode(), "openpgp.malformed"),
        (b"\x1f\x8b\x08" + bytes(100), "openpgp.not_openpgp"),
        (blob("secret"), "openpgp.secret_key"),
        (b"\xc5\x01\x04", "openpgp.secret_key"),
        (armor.binary(blob("v4")) + b"\xc7\x01\x04", "openpgp.secret_key"),
        (blob("v4")[:-40], "openpgp.armor_truncated"),
        (blob("v4").replace(b"\n\n", b"\n\n***", 1), "openpgp.armor_broken"),
        (b"-----BEGIN PGP MESSAGE-----\n\nhF4D\n-----END PGP MESSAGE-----\n", "openpgp.not_openpgp"),
        (b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n-----END PGP PUBLIC KEY BLOCK-----\n", "openpgp.not_openpgp"),
        (b"\xc8\x04\x01abc", "openpgp.not_openpgp"),  # compressed: never unpacked
        (b"\xc6\xff\xff\xff\xff\xff\x04", "openpgp.malformed"),  # four gigabytes announced
        (b"\xc6\xe0", "openpgp.malformed"),  # partial length
        (b"\x9b\x04", "openpgp.malformed"),  # indeterminate length
        (b"\xc6\x01\x03", "openpgp.unreadable"),
        (b"\xc6\x08\x04\x00\x00\x00\x00\x01\xff\xff", "openpgp.outsize"),
        (b"\xc6\x08\x04\x00\x00\x00\x00\x01\x04\x00", "openpgp.malformed"),
        (bytes(300_000), "openpgp.too_large"),
        (b"-----BEGIN PGP PUBLIC KEY BLOCK-----\nComment: " + b"a" * 10_000_000, "openpgp.too_large"),
        (armor.binary(blob("v4")) + b"\xcd\x01a" * 60, "openpgp.too_much"),
        (armor.binary(blob("v4")) + b"\xcd\xc8\x00" * 80_000, "openpgp.too_much"),
    ],
)
def test_inspect_hostile_upload_is_refused_with_its_code(upload: bytes, code: str) -> None:
    with pytest.raises(TansiqError) as refused:
        inspect(upload, now=NOW)

    assert refused.value.code == code
    assert str(refused.value)
