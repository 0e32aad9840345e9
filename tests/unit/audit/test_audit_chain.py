"""The bytes that hashes are taken over."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from tansiq.audit.chain import GENESIS, Sealed, hash_of, reason_digest

ROW = Sealed(
    number=b"1",
    at=b"2026-03-01T12:00:00.000000Z",
    who=b"P-AMINA",
    team=b"XA-CERT",
    verb=b"team.changed",
    item_kind=b"team",
    item_id=b"XA-CERT",
    facts=b'{"claims":3}',
    reason_digest=b"",
)


def test_hash_of_a_row_is_what_the_reference_says() -> None:
    parts = [
        b"tansiq audit 1", b"0" * 64, b"1", b"2026-03-01T12:00:00.000000Z", b"P-AMINA", b"XA-CERT", b"team.changed",
        b"team", b"XA-CERT", b'{"claims":3}', b"",
    ]  # fmt: skip
    expected = hashlib.sha256()
    for part in parts:
        expected.update(len(part).to_bytes(4, "big"))
        expected.update(part)

    assert hash_of(ROW, previous=GENESIS) == expected.hexdigest()


def test_hash_of_fields_that_join_to_the_same_text_differs() -> None:
    shifted = ROW._replace(who=b"P-AMINAX", team=b"A-CERT")

    assert hash_of(shifted, previous=GENESIS) != hash_of(ROW, previous=GENESIS)


def test_hash_of_a_row_after_another_row_differs() -> None:
    assert hash_of(ROW, previous="1" * 64) != hash_of(ROW, previous=GENESIS)


@pytest.mark.parametrize("salt", [b"\x00" * 32, b"\x01" * 32])
def test_reason_digest_is_keyed_by_its_salt(salt: bytes) -> None:
    digest = reason_digest("بطلب من الفريق".encode(), salt=salt)

    assert digest == hmac.new(salt, "بطلب من الفريق".encode(), hashlib.sha256).hexdigest()
