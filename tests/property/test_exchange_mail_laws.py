"""Laws of mails: what was written is read, whatever comes is an outcome."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import example, given
from hypothesis import strategies as st

from tansiq.exchange import mail
from tansiq.exchange.body import Lane
from tansiq.exchange.mail import Contents, Fault

AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
PIECES = st.sampled_from(
    [
        b"-----BEGIN PGP MESSAGE-----", b"-----END PGP MESSAGE-----", b"\n", b"\r\n", b"\n\n", b"--a", b"--a--", b"--b",
        b"Content-Type: multipart/mixed; boundary=a", b'Content-Type: multipart/encrypted; boundary="b"', b"\x85", b"=",
        b"Content-Type: message/rfc822", b"Content-Transfer-Encoding: base64", b"aGVs", b"====", b" ", b"\t", b"\xff",
        b"Content-Transfer-Encoding: quoted-printable", b"=41", b"Content-Type:", b"boundary=", b'"', b"\0",
    ]
)  # fmt: skip


def built(sealed: list[bytes], lane: Lane) -> bytes:
    return mail.build(sealed, sender="x@xa.example", recipient="x@xb.example", lane=lane, message_id="1", written_at=AT)


@given(st.lists(st.binary(min_size=1, max_size=400), min_size=1, max_size=8), st.sampled_from(Lane))
def test_what_is_written_is_read(sealed: list[bytes], lane: Lane) -> None:
    raw = built(sealed, lane)

    assert mail.read(raw) == Contents(tuple(sealed))
    assert mail.read(raw.replace(b"\r\n", b"\n")) == Contents(tuple(sealed))


@given(st.one_of(st.binary(max_size=2000), st.lists(PIECES, max_size=60).map(b"".join)))
@example(b"Content-Transfer-Encoding: base64\n\nA===")
def test_whatever_comes_is_an_outcome(raw: bytes) -> None:
    contents = mail.read(raw)

    assert contents.sealed or contents.faults
    assert all(contents.sealed)


@given(st.data())
def test_a_mail_damaged_anywhere_is_an_outcome(data: st.DataObject) -> None:
    sealed = [b"\x85one", b"\x85" * 100]
    raw = bytearray(built(sealed, Lane.BULK))
    at = data.draw(st.integers(0, len(raw)))
    raw[at : at + data.draw(st.integers(0, 80))] = data.draw(st.one_of(st.binary(max_size=40), PIECES))

    contents = mail.read(bytes(raw))

    assert contents.faults != (Fault.SIZE,)
    assert contents.sealed or contents.faults


@given(st.binary(max_size=300))
def test_whatever_subject_comes_is_ours_or_not(subject: bytes) -> None:
    assert mail.urgency(subject) in (None, 0, 1, 2, 3)
    assert mail.urgency(b"Subject: Tansiq exchange " + subject) is not None
