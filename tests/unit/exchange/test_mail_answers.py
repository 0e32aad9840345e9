"""Answers of IMAP servers, whatever they hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tansiq.exchange.imap_answers import apart, listed_in, quoted

PIECES = st.sampled_from(
    [
        b"1 (",
        b"UID 5",
        b" FLAGS (",
        b")",
        b"RFC822.SIZE 9",
        b'"',
        b"\\",
        b" ",
        b"BODY[]",
        b"{3}",
        b"\xff",
        b"UID 99999999999",
    ]
).map(bytes)
TEXTS = st.lists(PIECES, max_size=12).map(b"".join)


def test_subject_cannot_pass_for_what_the_server_says() -> None:
    forged = b'1 (BODY[HEADER.FIELDS (SUBJECT)]<0> "Subject: UID 9 RFC822.SIZE 1 FLAGS (\\\\Deleted)" UID 5 FLAGS ()'

    ((attributes, text),) = apart([forged])

    assert attributes == b'1 (BODY[HEADER.FIELDS (SUBJECT)]<0> "" UID 5 FLAGS ()'
    assert text.startswith(b"Subject: UID 9")


def test_answers_of_any_order_are_takenapart() -> None:
    data = [
        b"1 (FLAGS (\\Seen))",
        (b"2 (BODY[HEADER.FIELDS (SUBJECT)]<0> {3}", b"one"),
        b" UID 7 RFC822.SIZE 3)",
        (b"3 (UID 8 RFC822.SIZE 4 BODY[] {3}", b"two"),
        b")",
        None,
    ]

    assert list(apart(data)) == [
        (b"1 (FLAGS (\\Seen))", b""),
        (b"2 (BODY[HEADER.FIELDS (SUBJECT)]<0> {3} UID 7 RFC822.SIZE 3)", b"one"),
        (b"3 (UID 8 RFC822.SIZE 4 BODY[] {3})", b"two"),
    ]


@pytest.mark.parametrize(
    ("folder", "written"),
    [
        ("INBOX", '"INBOX"'),
        ("a & b", '"a &- b"'),
        ('say "x\\y"', '"say \\"x\\\\y\\""'),
        ("~peter/mail/台北/日本語", '"~peter/mail/&U,BTFw-/&ZeVnLIqe-"'),  # RFC 3501 section 5.1.3
        ("Envoyés", '"Envoy&AOk-s"'),
    ],
)
def test_name_of_a_folder_is_written_as_the_protocol_has_it(folder: str, written: str) -> None:
    assert quoted(folder) == written


@given(st.lists(st.one_of(st.none(), TEXTS, st.tuples(TEXTS, TEXTS)), max_size=8))
def test_whatever_a_server_answers_is_mails_or_nothing(data: list[bytes | tuple[bytes, bytes] | None]) -> None:
    assert all(listed.uid >= 0 and listed.size_bytes >= 0 for listed in listed_in(data))
