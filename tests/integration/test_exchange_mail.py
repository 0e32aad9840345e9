"""Mails of the exchange over real servers: handed in to an SMTP server, fetched from Dovecot by IMAP."""

from __future__ import annotations

import mailbox as stdlib
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from factories import mailbox as servers
from factories.mailbox import PASSWORD, USER, Server
from tansiq.exchange import imap, mail, mime
from tansiq.exchange.account import Account, Encryption
from tansiq.exchange.body import Lane
from tansiq.exchange.imap import Letter, Look, Mailbox, MailboxRefused, MailboxUnusable
from tansiq.exchange.mail import Contents
from tansiq.notices import submission as submissions
from tansiq.notices.submission import Submission

AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SENDER = "exchange@xa-cert.example"
OTHER = b"From: a@b.example\r\nSubject: lunch\r\n\r\nat noon?\r\n"


@pytest.fixture(scope="module")
def started() -> Iterator[Server]:
    with servers.serving() as server:
        if server is None:
            pytest.skip("Dovecot is not installed (apt-get install dovecot-imapd)")
        yield server


@pytest.fixture
def server(started: Server) -> Server:
    """With an empty mailbox."""
    for folder in (started.folder / "Maildir").glob(".*"):
        shutil.rmtree(folder)
    for path in (started.folder / "Maildir").glob("[nc]??/*"):
        path.unlink()
    return started


def account(server: Server, **changes: Any) -> Account:
    return replace(Account("127.0.0.1", server.plain_port, Encryption.NONE, USER, PASSWORD), **changes)


def sealed(number: int, size: int = 300) -> bytes:
    return b"\x85" + number.to_bytes(4) + os.urandom(size)


def built(*bodies: bytes, lane: Lane = Lane.NORMAL) -> bytes:
    name = os.urandom(16).hex()
    return mail.build(bodies, sender=SENDER, recipient=USER, lane=lane, message_id=name, written_at=AT)


def hand_over(server: Server, *mails: bytes) -> None:
    submission = Submission(submissions.Server("127.0.0.1", server.smtp_port, submissions.Encryption.NONE))
    for raw in mails:
        submission.hand_over(raw, sender=SENDER, to=USER)
    submission.close()


def fetched(box: Mailbox, *, store: bool = True) -> tuple[Look, list[Letter]]:
    with box.session() as session:
        look = session.look()
        letters = list(session.letters())
        if store:
            session.stored(letters)
    return look, letters


def bodies(letters: list[Letter]) -> list[bytes]:
    return [body for letter in letters for body in mail.read(letter.raw).sealed]


def test_sealed_bytes_handed_in_by_smtp_are_fetched_by_imap(server: Server) -> None:
    one, several = sealed(1), [sealed(2), sealed(3, 1_000_000), sealed(4)]
    hand_over(server, built(one, lane=Lane.URGENT), built(*several))

    look, letters = fetched(Mailbox(account(server)))

    assert look == Look(waiting=2, oversized=0, left=0, others=0)
    assert bodies(letters) == [one, *several]
    assert server.names() == []


def test_mail_of_ten_megabytes_arrives_whole(server: Server) -> None:
    (group,) = mail.batches(sealed(number, 1_000_000) for number in range(7))
    hand_over(server, built(*group))

    _, letters = fetched(Mailbox(account(server)))

    assert mail.read(letters[0].raw) == Contents(tuple(group))


@pytest.mark.parametrize("encryption", [Encryption.FROM_THE_START, Encryption.STARTTLS])
def test_mailbox_demands_encryption_and_a_known_certificate(
    server: Server, encryption: Encryption, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = server.tls_port if encryption is Encryption.FROM_THE_START else server.plain_port
    box = Mailbox(account(server, host="localhost", port=port, encryption=encryption))
    body = sealed(1)
    server.deliver(built(body))

    with pytest.raises(MailboxUnusable, match="CERTIFICATE_VERIFY_FAILED"):
        fetched(box)
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    _, letters = fetched(box)

    assert bodies(letters) == [body]


def test_mail_that_was_not_said_to_be_stored_is_fetched_again(server: Server) -> None:
    body = sealed(1)
    server.deliver(built(body))

    killed = fetched(Mailbox(account(server)), store=False)
    kept = Mailbox(account(server))
    again = [fetched(kept, store=False), fetched(kept), fetched(kept)]

    assert [bodies(letters) for _, letters in [killed, *again]] == [[body], [body], [body], []]


def test_urgent_mails_are_fetched_before_whatever_floods_the_mailbox(server: Server) -> None:
    for number, lane in enumerate([Lane.BULK, Lane.BULK, Lane.NORMAL, Lane.URGENT, Lane.BULK, Lane.URGENT]):
        server.deliver(built(sealed(number), lane=lane))

    _, letters = fetched(Mailbox(account(server)))

    assert [int.from_bytes(body[1:5]) for body in bodies(letters)] == [3, 5, 2, 0, 1, 4]


def test_process_killed_before_it_stored_a_mail_costs_none(server: Server) -> None:
    body = sealed(1)
    server.deliver(built(body))
    program = (
        "import sys; from tansiq.exchange.account import Account, Encryption\n"
        "from tansiq.exchange.imap import Mailbox\n"
        "box = Mailbox(Account('127.0.0.1', int(sys.argv[1]), Encryption.NONE, *sys.argv[2:]))\n"
        "with box.session() as session:\n"
        "    session.look(); print(len(list(session.letters())), flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", program, str(server.plain_port), USER, PASSWORD]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        process.kill()

    _, letters = fetched(Mailbox(account(server)))

    assert (said, bodies(letters)) == (b"1\n", [body])


def test_mails_of_others_are_counted_and_left_as_they_are(server: Server) -> None:
    box = Mailbox(account(server))
    for _ in range(3):
        server.deliver(OTHER)
    server.deliver(built(sealed(1)))
    before = server.names()

    looks = [fetched(box)[0], fetched(box)[0]]
    server.deliver(OTHER)
    looks.append(fetched(box)[0])

    assert looks == [Look(1, 0, 0, 3), Look(0, 0, 0, 3), Look(0, 0, 0, 4)]
    names = server.names()
    assert len(names) == 4
    flags = {name.partition(":2,")[2] for name in names}
    assert flags == {""}  # unread, as they came
    assert {name.partition(":")[0] for name in names} > {name.partition(":")[0] for name in before[:3]}


def test_mail_that_somebody_deleted_or_took_out_is_let_be(server: Server) -> None:
    box = Mailbox(account(server))
    server.deliver(built(sealed(1)))
    server.deliver(built(sealed(2)))
    fetched(box, store=False)
    stdlib_box = stdlib.Maildir(server.folder / "Maildir", create=False)
    stdlib_box.remove(stdlib_box.keys()[0])
    server.deliver(built(sealed(3)))

    with box.session() as session:
        look, letters = session.look(), list(session.letters())
        session.stored(letters)
        session.stored(letters)  # twice, as after a kill between the two

    assert (look.waiting, len(letters), server.names()) == (3, 2, [])


def test_mail_beyond_the_limit_is_reported_and_never_fetched(server: Server) -> None:
    box = Mailbox(account(server))
    server.deliver(b"Subject: Tansiq exchange bulk\r\n\r\n" + b"x" * 998 + b"\r\n" * (mime.LIMIT_BYTES // 2))
    server.deliver(built(sealed(1)))

    look, letters = fetched(box)

    assert (look, len(letters), len(server.names())) == (Look(1, 1, 0, 0), 1, 1)


def test_mail_without_anything_readable_stays_and_is_not_fetched_again(server: Server) -> None:
    box = Mailbox(account(server))
    server.deliver(b"Subject: Re: Tansiq exchange\r\n\r\nWhat is this?\r\n")
    with box.session() as session:
        session.look()
        (letter,) = session.letters()
        session.leave(letter)

    look, letters = fetched(box)

    assert (look, letters, len(server.names())) == (Look(0, 0, 1, 0), [], 1)


@pytest.mark.parametrize("folder", ["Done", 'Traités & "rangés"', "منجز"])
def test_mail_stored_is_moved_to_a_folder_that_is_made_for_it(server: Server, folder: str) -> None:
    box = Mailbox(account(server, done_folder=folder))
    raw = built(sealed(1))
    server.deliver(raw)

    fetched(box)

    reader = Mailbox(account(server, folder=folder))
    _, letters = fetched(reader, store=False)
    assert (server.names(), [letter.raw for letter in letters]) == ([], [raw])


@pytest.mark.parametrize("capability", ["IMAP4rev1", "IMAP4rev1 UIDPLUS"])
def test_server_that_can_less_loses_nothing_and_keeps_what_others_deleted(capability: str) -> None:
    with servers.serving(capability=capability) as server:
        if server is None:
            pytest.skip("Dovecot is not installed (apt-get install dovecot-imapd)")
        server.deliver(OTHER)
        other = server.folder / "Maildir" / "new" / server.names()[0]
        deleted = server.folder / "Maildir" / "cur" / f"{other.name}:2,T"
        other.rename(deleted)
        server.deliver(built(sealed(1)))
        server.deliver(built(sealed(2)))

        first = Mailbox(account(server, done_folder="Done"))
        counts = [len(fetched(first)[1]), len(fetched(first)[1]), len(fetched(Mailbox(account(server)))[1])]

        assert counts == [2, 0, 0]
        assert len(server.names("Done")) == 2
        left = [re.sub(r".*:2,", "", name) for name in server.names()]
        assert left == (["T"] if "UIDPLUS" in capability else ["T", "ST", "ST"])


def test_mailbox_numbered_anew_costs_no_mail_and_no_others_mail(server: Server) -> None:
    box = Mailbox(account(server))
    server.deliver(built(sealed(1)))
    _, letters = fetched(box, store=False)
    server.deliver(OTHER)
    server.renumber()

    with box.session() as session:
        look = session.look()
        session.stored(letters)  # under a number that is another mail's now, or may be
        again = list(session.letters())

    assert (look, len(server.names())) == (Look(1, 0, 0, 1), 2)
    assert again[0].validity != letters[0].validity
    assert again[0].raw == letters[0].raw


def test_mailbox_of_many_mails_is_listed_in_pieces_and_then_only_what_is_new(server: Server) -> None:
    box = Mailbox(account(server))
    for number in range(1203):
        server.deliver(built(sealed(number)) if number % 400 == 1 else OTHER)

    look, letters = fetched(box)
    again, _ = fetched(box)

    assert (look, again) == (Look(4, 0, 0, 1199), Look(0, 0, 0, 1199))
    assert [int.from_bytes(body[1:5]) for body in bodies(letters)] == [1, 401, 801, 1201]


def test_wrong_password_is_refused_and_never_said(server: Server) -> None:
    with pytest.raises(MailboxRefused) as refused:
        fetched(Mailbox(account(server, password="wrong-7f3a-é")))

    assert refused.value.values == {"host": "127.0.0.1", "why": "[AUTHENTICATIONFAILED] Authentication failed."}
    assert "wrong-7f3a" not in repr(account(server, password="wrong-7f3a"))


def test_server_that_cannot_be_told_a_password_beyond_ascii_is_named() -> None:
    server: Any = SimpleNamespace(capabilities=("IMAP4REV1",))

    with pytest.raises(MailboxRefused) as refused:
        imap._sign_in(server, Account("mail.example", 993, Encryption.NONE, "amina", "wrong-é"))

    assert refused.value.values == {"host": "mail.example"}


def test_folder_that_is_not_there_is_refused(server: Server) -> None:
    with pytest.raises(MailboxRefused, match="Mailbox doesn't exist"):
        fetched(Mailbox(account(server, folder="Nowhere")))


def test_trouble_of_the_caller_is_not_taken_for_the_servers(server: Server) -> None:
    with pytest.raises(OSError, match="disk") as raised, Mailbox(account(server)).session():
        raise OSError("disk")

    assert type(raised.value) is OSError


def test_nobody_at_that_port_is_said() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        box = Mailbox(Account("127.0.0.1", nobody.getsockname()[1], Encryption.NONE, USER, PASSWORD))
        with pytest.raises(MailboxUnusable, match="Connection refused"):
            fetched(box)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"* BYE no room\r\n",
        b"* OK hi\r\n\xff\xfe\r\n",
        b"* OK hi\r\n* 1 FETCH",
    ],
)
def test_server_that_speaks_nonsense_is_an_outcome(said: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(said)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(1000):
                    pass

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(MailboxUnusable) as unusable:
            fetched(Mailbox(Account("127.0.0.1", listening.getsockname()[1], Encryption.NONE, USER, PASSWORD)))
        thread.join(10)

    assert not thread.is_alive()
    assert "no IMAP" not in str(unusable.value.values)


def test_settings_name_the_mailbox(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, _connected: None) -> None:
    from tansiq import settings

    secret = tmp_path / "url"
    secret.write_text("imaps://exchange%40xb.example:p%20w%C3%A9@mail.xb.example/Travail%2F%C3%A9change\n")
    monkeypatch.setenv("TANSIQ_EXCHANGE_IMAP_URL_FILE", str(secret))
    monkeypatch.setenv("TANSIQ_EXCHANGE_IMAP_DONE", "Fait")
    named = settings.imap()
    monkeypatch.delenv("TANSIQ_EXCHANGE_IMAP_URL_FILE")
    monkeypatch.setenv("TANSIQ_EXCHANGE_MAIL", USER)
    remote, local = [], []
    for host, found in (("mail.xb.example", remote), ("localhost:1143", local)):
        monkeypatch.setenv("TANSIQ_EXCHANGE_IMAP_URL", f"imap://{host}")
        found.append(settings.imap())

    assert named == Account(
        "mail.xb.example", 993, Encryption.FROM_THE_START, "exchange@xb.example", "p wé", "Travail/échange", "Fait"
    )
    assert remote == [Account("mail.xb.example", 143, Encryption.STARTTLS, USER, "", "INBOX", "Fait")]
    assert local == [Account("localhost", 1143, Encryption.NONE, USER, "", "INBOX", "Fait")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TANSIQ_EXCHANGE_IMAP_URL", "https://user:hidden-7f3a@host"),
        ("TANSIQ_EXCHANGE_IMAP_URL", "imaps://user:hidden-7f3a@host:port"),
        ("TANSIQ_EXCHANGE_IMAP_URL", "imaps://"),
        ("TANSIQ_EXCHANGE_IMAP_URL", "imaps://user:hidden-7f3a%0d%0aA1@host"),
        ("TANSIQ_EXCHANGE_MAIL", "nobody"),
        ("TANSIQ_EXCHANGE_MAIL", "a b@c.example"),
        ("TANSIQ_EXCHANGE_IMAP_DONE", "a\nb"),
    ],
)
def test_settings_refuse_what_they_cannot_use_and_keep_the_password(
    monkeypatch: pytest.MonkeyPatch, _connected: None, name: str, value: str
) -> None:
    from tansiq import settings

    monkeypatch.setenv(name, value)

    with pytest.raises(settings.BadSetting, match=name) as bad:
        settings.exchange_mail(), settings.mail.imap_done(), settings.imap()
    assert "hidden-7f3a" not in str(bad.value)
