"""Sealed bytes as mails: section 16, Mail."""

from __future__ import annotations

import base64
import email
import email.policy
import os
import shutil
import subprocess
import time
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from factories import exchange as make
from tansiq.exchange import mail, mime
from tansiq.exchange.body import Lane
from tansiq.exchange.mail import Contents, Fault
from tansiq.exchange.seal import SEALED_LIMIT_BYTES
from tansiq.openpgp.sealing import encrypt, generate

AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SMALL = b"\x85" + bytes(range(255))
GOLDEN_FOLDER = Path(__file__).parents[2] / "golden" / "exchange_mail"
GOLDEN = sorted(GOLDEN_FOLDER.glob("*.eml"))


def built(*sealed: bytes, **changes: Any) -> bytes:
    usual: dict[str, Any] = {
        "sender": "exchange@xa-cert.example",
        "recipient": "exchange@xb-cert.example",
        "lane": Lane.URGENT,
        "message_id": "4f7d",
        "written_at": AT,
    }
    return mail.build(sealed or (SMALL,), **usual | changes)


def wrapped_by_a_list(raw: bytes) -> bytes:
    """As a mailing list forwards it: its own head, the mail as a part, a footer as another."""
    head, _, body = raw.partition(b"\r\nAuto-Submitted")
    inner = b"Content-Type" + body.partition(b"Content-Type")[2]
    return (
        head.replace(b"Subject: ", b"Subject: [exchange] ")
        + b'\r\nContent-Type: multipart/mixed; boundary="list"\r\n\r\n--list\r\n'
        + inner
        + b"\r\n--list\r\nContent-Type: text/plain\r\n\r\n_______\r\nexchange mailing list\r\n--list--\r\n"
    )


def rewritten_by_exchange(raw: bytes) -> bytes:
    """As Microsoft Exchange leaves PGP/MIME: multipart/mixed, the parts as attachments in base64."""
    parts = [part for part in email.message_from_bytes(raw).walk() if not part.is_multipart()]
    message = EmailMessage(policy=email.policy.SMTP)
    message["Subject"] = "Tansiq exchange urgent"
    message.set_content("\n")
    for part in parts:
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename="encrypted.asc")
    return message.as_bytes()


def forwarded(raw: bytes) -> bytes:
    message = EmailMessage(policy=email.policy.SMTP)
    message["Subject"] = "Fwd: Tansiq exchange urgent"
    message.set_content("see below")
    message.add_attachment(email.message_from_bytes(raw, policy=email.policy.default))
    return message.as_bytes()


def encoded_anew(raw: bytes, encoding: str) -> bytes:
    """The armored part in another transfer encoding."""
    head, begin, rest = raw.partition(b"-----BEGIN PGP MESSAGE-----")
    armor, end, foot = rest.partition(b"-----END PGP MESSAGE-----\r\n")
    text = begin + armor + end
    if encoding == "base64":
        text = base64.encodebytes(text)
    else:
        text = text.replace(b"=", b"=3D").replace(b"-----B", b"--=2D--=\r\nB").replace(b"A", b"=41")
    field = b"Content-Type: application/octet-stream\r\n"
    return head.replace(field, field + b"Content-Transfer-Encoding: " + encoding.encode() + b"\r\n") + text + foot


CHANGES = {
    "as it is": lambda raw: raw,
    "line feeds": lambda raw: raw.replace(b"\r\n", b"\n"),
    "spaces behind lines": lambda raw: raw.replace(b"\r\n", b" \r\n").replace(b" \r\n \r\n", b"\r\n\r\n"),
    "received headers": lambda raw: b"Received: from a by b;\r\n\tSun, 22 Nov 2026\r\n" * 60 + raw,
    "a list": wrapped_by_a_list,
    "a list of lists": lambda raw: wrapped_by_a_list(wrapped_by_a_list(raw)),
    "Exchange": rewritten_by_exchange,
    "forwarded": forwarded,
    "base64": lambda raw: encoded_anew(raw, "base64"),
    "quoted-printable": lambda raw: encoded_anew(raw, "quoted-printable"),
    "a checksum": lambda raw: raw.replace(b"\r\n-----END", b"\r\n=Zk3Q\r\n-----END"),
    "a version": lambda raw: raw.replace(b"MESSAGE-----\r\n\r\n", b"MESSAGE-----\r\nVersion: X\r\nComment: Y\r\n\r\n"),
    "words around": lambda raw: raw.replace(b"-----BEGIN", b"Attention: external.\r\n-----BEGIN") + b"\r\nfooter\r\n",
    "no end": lambda raw: raw[: raw.rindex(b"\r\n--=_")],
    "a folded field": lambda raw: raw.replace(b"; boundary=", b";\r\n\tBoundary = ", 1),
}
"""What servers on the way do."""
OF_ONE_PART = ("base64", "quoted-printable")


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_mail_changed_on_its_way_is_read(change: Any) -> None:
    raw = change(built())

    assert mail.read(raw) == Contents((SMALL,))


@pytest.mark.parametrize("change", [change for name, change in CHANGES.items() if name not in OF_ONE_PART])
def test_mail_of_several_bodies_changed_on_its_way_is_read_in_order(change: Any) -> None:
    sealed = tuple(b"\x85" + os.urandom(size) for size in (1, 2, 3, 47, 48, 49, 5000))

    assert mail.read(change(built(*sealed))) == Contents(sealed)


def test_mail_is_what_rfc_3156_says_and_its_head_tells_nothing_else() -> None:
    raw = built()

    message = email.message_from_bytes(raw, policy=email.policy.default)
    version, encrypted = message.iter_parts()
    assert message.items()[:-1] == [
        ("From", "exchange@xa-cert.example"),
        ("To", "exchange@xb-cert.example"),
        ("Subject", "Tansiq exchange urgent"),
        ("Date", "Sun, 22 Nov 2026 08:00:00 +0000"),
        ("Message-ID", "<4f7d@xa-cert.example>"),
        ("Auto-Submitted", "auto-generated"),
        ("MIME-Version", "1.0"),
    ]
    assert message.get_content_type() == "multipart/encrypted"
    assert message.get_param("protocol") == "application/pgp-encrypted"
    assert (version.get_content_type(), version.get_payload()) == ("application/pgp-encrypted", "Version: 1\r\n")
    assert encrypted.get_content_type() == "application/octet-stream"
    assert [defect for part in message.walk() for defect in part.defects] == []
    assert raw.isascii() and max(map(len, raw.split(b"\r\n"))) < 200 and b"\n" not in raw.replace(b"\r\n", b"")


def test_mail_of_sealed_bytes_is_opened_by_another_program(tmp_path: Path) -> None:
    """GnuPG reads certificates of version 4; nodes' are of version 6, which changes nothing of the armor."""
    gpg = shutil.which("gpg")
    if gpg is None:
        pytest.skip("GnuPG is not installed")
    secret = generate("node <exchange@xb-cert.example>", version=4)
    sealed = encrypt(b"a body", to=[secret.certificate], signed_by=secret)
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    run = [gpg, "--homedir", home, "--batch", "--quiet", "--no-autostart", "--disable-dirmngr"]

    _, encrypted = email.message_from_bytes(built(sealed)).get_payload()  # type: ignore[misc]
    armor = encrypted.get_payload(decode=True)  # type: ignore[union-attr]
    packets = subprocess.run([*run, "--list-packets", "--list-only"], input=armor, capture_output=True, check=False)
    plain = subprocess.run([gpg, "--homedir", home, "--batch", "--dearmor"], input=armor, capture_output=True)

    assert b"encrypted" in packets.stdout + packets.stderr
    assert plain.stdout == sealed


@pytest.mark.parametrize(
    ("raw", "faults"),
    [
        (b"", (Fault.NOTHING,)),
        (b"Subject: lunch\r\n\r\nat noon?\r\n", (Fault.NOTHING,)),
        (b"x" * (mime.LIMIT_BYTES + 1), (Fault.SIZE,)),
        (built()[:-400], (Fault.ARMOR,)),
        (built().replace(b"hYAB", b"h*AB").replace(b"\r\nAAEC", b"\r\n*AEC").replace(b"hQAB", b"h*AB"), (Fault.ARMOR,)),
        (built().replace(b"MESSAGE-----\r\n\r\n", b"MESSAGE-----\r\n"), (Fault.ARMOR,)),
        (b"\n-----BEGIN PGP MESSAGE-----\n\n-----END PGP MESSAGE-----\n", (Fault.ARMOR,)),
        (b"Content-Type: multipart/report; boundary=a\r\n\r\n--a\r\n\r\n" + built(), (Fault.RETURNED,)),
        (b"Content-Type: message/rfc822\n\n" * 20 + built(), (Fault.NESTING,)),
        (b"Content-Type: multipart/mixed; boundary=a\n\n" + b"--a\n\nx\n" * 5000, (Fault.PARTS,)),
        (b"\n-----BEGIN PGP MESSAGE-----\n\naGE=\n-----END PGP MESSAGE-----" * 1001, (Fault.COUNT,)),
        ("\n".join(["", *mail.armored(bytes(SEALED_LIMIT_BYTES + 1))]).encode(), (Fault.SIZE,)),
    ],
    ids=["empty", "other", "size", "cut off", "damaged", "no blank line", "hollow", "returned", "nested", "parts",
         "count", "sealed size"],
)  # fmt: skip
def test_mail_that_cannot_be_read_is_an_outcome_with_its_reason(raw: bytes, faults: tuple[Fault, ...]) -> None:
    contents = mail.read(raw)

    assert contents.faults == faults
    assert len(contents.sealed) == (mail.MOST_SEALED if faults == (Fault.COUNT,) else 0)


def test_mail_with_one_damaged_body_gives_the_others() -> None:
    sealed = [b"\x85one", b"\x85two", b"\x85three"]
    raw = built(*sealed).replace(base64.b64encode(sealed[1]), b"????")

    assert mail.read(raw) == Contents((sealed[0], sealed[2]), (Fault.ARMOR,))


def test_mail_with_its_armor_taken_off_by_a_server_is_read() -> None:
    raw = (
        b'Content-Type: multipart/encrypted; boundary="a"\n\n--a\nContent-Type: application/pgp-encrypted\n\nVersion: 1'
        b"\n--a\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n"
        + base64.encodebytes(SMALL)
        + b"--a--\n"
    )

    assert mail.read(raw) == Contents((SMALL,))


@pytest.mark.parametrize(
    "raw",
    [
        b"\n-----BEGIN PGP MESSAGE-----" * 550_000,
        b"Content-Type: multipart/mixed; boundary=a\n\n" + b"\n--a \t" * 2_500_000,
        b"Content-Type: " + b"boundary " * 1_700_000,
        b"Content-Type: multipart/mixed; boundary=" + b"=" * 15_000_000,
        b"Content-Type:" + b"\r\n " * 5_000_000 + b"\r\n\r\n",
        b"".join(b"Content-Type: multipart/mixed; boundary=a%d\n\n--a%d\n" % (n, n) for n in range(300_000)),
        b"\n" * 16_000_000,
        b"Content-Transfer-Encoding: base64\n\n" + b" \t" * 8_000_000,
        b"\n-----BEGIN PGP MESSAGE-----\n" + b" " * 16_000_000,
        b"\n-----BEGIN PGP MESSAGE-----\n\n" + b"\n=AAAA" * 2_500_000 + b"\n-----END PGP MESSAGE-----\n",
    ],
    ids=[
        "beginnings",
        "delimiters",
        "fields",
        "boundary",
        "folds",
        "nesting",
        "lines",
        "base64",
        "spaces",
        "checksums",
    ],
)
def test_mail_made_to_take_long_is_read_in_a_short_time(raw: bytes) -> None:
    began = time.process_time()

    contents = mail.read(raw[: mime.LIMIT_BYTES])

    assert time.process_time() - began < 10
    assert contents.sealed == () and contents.faults


def test_batches_fill_mails_up_to_their_limit() -> None:
    sealed = [bytes([128 + index % 128]) * size for index, size in enumerate([SEALED_LIMIT_BYTES] * 9 + [700] * 2500)]

    groups = list(mail.batches(sealed))
    mails = [built(*group) for group in groups]

    assert [data for group in groups for data in group] == sealed
    assert [data for raw in mails for data in mail.read(raw).sealed] == sealed
    assert [len(group) for group in groups] == [7, 1000, 1000, 502]
    assert all(len(raw) <= mail.MAIL_LIMIT_BYTES for raw in mails)


@pytest.mark.parametrize(
    "changes",
    [
        {"sender": "a@b.example\r\nBcc: c@d.example"},
        {"recipient": "ä@xb.example"},
        {"recipient": "nobody"},
        {"message_id": "a@b"},
        {"message_id": ""},
        {"written_at": datetime(2026, 1, 1)},
    ],
)
def test_build_refuses_what_no_mail_can_have(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        built(**changes)


@pytest.mark.parametrize("sealed", [[b""], [bytes(SEALED_LIMIT_BYTES + 1)], [SMALL] * 1001, [bytes(1 << 20)] * 9])
def test_build_refuses_what_a_mail_cannot_hold(sealed: list[bytes]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        built(*sealed)


@pytest.mark.parametrize(
    ("subject", "urgency"),
    [
        (b"Subject: Tansiq exchange urgent\r\n\r\n", 0),
        (b"Subject: [EXTERNAL] [list] Tansiq exchange\r\n bulk\r\n", 2),
        (b"Subject: =?utf-8?q?=5BEXTERNE_=C3=A9=5D_Tansiq_exchange_normal?=", 1),
        (b"Subject: Fwd: TANSIQ\r\n\tEXCHANGE normal", 1),
        (b"Subject: Tansiq exchange", 3),
        (b"Subject: Re: your Tansiq exchange, urgently", 3),
        (b"Subject: lunch", None),
        (b"Subject: urgent", None),
        (b"", None),
        (b"Subject: =?utf-8?b?====?= =?nonsense?q?x?= \xff\xfe", None),
        (b"Subject: =?hex?q?00?=", None),
    ],
)
def test_subject_tells_mails_for_the_exchange_from_those_of_others(subject: bytes, urgency: int | None) -> None:
    assert mail.urgency(subject) == urgency


def test_read_agrees_with_the_bytes_that_the_engine_seals() -> None:
    sealed = make.sealed(make.envelope()).data

    assert mail.read(built(sealed)) == Contents((sealed,))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_mail_kept_as_servers_leave_it_is_read(path: Path) -> None:
    sealed = [SMALL, SMALL[::-1]] if path.stem == "several" else [SMALL]

    assert mail.read(path.read_bytes()) == Contents(tuple(sealed))


def test_mail_is_written_byte_for_byte_as_before() -> None:
    one, several = ((GOLDEN_FOLDER / f"{name}.eml").read_bytes() for name in ("one", "several"))

    assert built() == one
    assert built(SMALL, SMALL[::-1], lane=Lane.BULK) == several
