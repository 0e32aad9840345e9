"""The mail queue against a real submission server on loopback."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from factories.postbox import Mailbox, opened

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SENDER = "tansiq@xa-cert.example"


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, Any]]:
    """A mailbox and the ``Server`` that leads to it."""
    with opened() as both:
        yield both


@pytest.fixture
def queued(database: None) -> Any:
    from tansiq.notices.mail import enqueue

    return enqueue("moussa@xf-cert.example", "Réunion", "Bonjour\n.une ligne\n", language="fr", now=NOW)


def fresh(mail: Any) -> Any:
    mail.refresh_from_db()
    return mail


def test_mail_waiting_is_sent_once_with_its_words_and_headers(queued: Any, mailbox: tuple[Mailbox, Any]) -> None:
    from tansiq.workers.mail import send_waiting

    box, server = mailbox

    first = send_waiting(server, SENDER, now=NOW)
    second = send_waiting(server, SENDER, now=NOW)

    assert (first, second, len(box.taken), box.to) == (1, 0, 1, ["moussa@xf-cert.example"])
    mail = box.taken[0]
    assert (mail["Subject"], mail["From"], mail["Content-Language"]) == ("Réunion", SENDER, "fr")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == f"<{queued.message_id}@xa-cert.example>"
    assert mail.get_content().splitlines() == ["Bonjour", ".une ligne"]
    assert (fresh(queued).stage, queued.tries, queued.claimed_at) == ("sent", 1, None)


@pytest.mark.parametrize(
    "subject",
    [
        "Plain words",
        "شهادة OpenPGP لـ XA-CERT تحتاج إلى نظر",
        "Merci de confirmer à nouveau comment joindre l'équipe de réponse aux incidents de la République, merci",
        "plain words " * 20 + "end",
        "=?utf-8?q?not_encoded?=",
        "لا" * 140,
    ],
)
def test_subject_arrives_as_it_was_written_however_long(
    database: None, mailbox: tuple[Mailbox, Any], subject: str
) -> None:
    from tansiq.notices.mail import enqueue
    from tansiq.workers.mail import send_waiting

    enqueue("moussa@xf-cert.example", subject, "t", language="fr", now=NOW)
    send_waiting(mailbox[1], SENDER, now=NOW)

    assert mailbox[0].taken[0]["Subject"] == subject


def test_mail_of_a_transaction_that_fails_is_not_sent(database: None, mailbox: tuple[Mailbox, Any]) -> None:
    from django.db import transaction

    from tansiq.notices.mail import enqueue
    from tansiq.workers.mail import send_waiting

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        enqueue("amina@xa-cert.example", "s", "t", language="ar", now=NOW)
        raise ZeroDivisionError

    assert (send_waiting(mailbox[1], SENDER, now=NOW), mailbox[0].taken) == (0, [])


def test_mail_put_off_by_the_server_is_tried_again_later_under_the_same_id(
    queued: Any, mailbox: tuple[Mailbox, Any]
) -> None:
    from tansiq.workers.mail import send_waiting

    box, server = mailbox
    box.answers = ["451 4.3.0 later"]

    send_waiting(server, SENDER, now=NOW)
    put_off = (fresh(queued).stage, queued.tries, queued.trouble, queued.uncertain)
    at_once = send_waiting(server, SENDER, now=NOW)
    later = send_waiting(server, SENDER, now=NOW + timedelta(minutes=1))

    assert put_off == ("waiting", 1, "451 4.3.0 later", 0)
    assert (at_once, later, fresh(queued).stage) == (0, 1, "sent")
    assert box.taken[0]["Message-ID"] == f"<{queued.message_id}@xa-cert.example>"


def test_mail_refused_for_good_fails_and_the_others_are_sent(queued: Any, mailbox: tuple[Mailbox, Any]) -> None:
    from tansiq.notices.mail import enqueue
    from tansiq.workers.mail import send_waiting

    box, server = mailbox
    box.refuse = "moussa@xf-cert.example"
    other = enqueue("amina@xa-cert.example", "s", "t", language="ar", now=NOW + timedelta(seconds=1))

    sent = send_waiting(server, SENDER, now=NOW + timedelta(seconds=2))

    assert (sent, box.to) == (1, ["amina@xa-cert.example"])
    assert (fresh(queued).stage, queued.trouble) == ("failed", "550 5.1.1 nobody of that name")
    assert fresh(other).stage == "sent"


def test_mail_whose_worker_is_gone_is_sent_again_and_said_to_be_uncertain(
    queued: Any, mailbox: tuple[Mailbox, Any]
) -> None:
    from tansiq.notices.mail import LOST_AFTER, claim_next
    from tansiq.workers.mail import send_waiting

    claim_next(now=NOW)

    too_soon = send_waiting(mailbox[1], SENDER, now=NOW + LOST_AFTER - timedelta(seconds=1))
    send_waiting(mailbox[1], SENDER, now=NOW + LOST_AFTER)
    sent = send_waiting(mailbox[1], SENDER, now=NOW + LOST_AFTER + timedelta(minutes=2))

    assert (too_soon, sent) == (0, 1)
    assert (fresh(queued).stage, queued.uncertain) == ("sent", 1)


def test_claim_of_a_mail_falls_to_one_worker_and_binds_it(queued: Any) -> None:
    from tansiq.notices.mail import LOST_AFTER, claim_next, sent, take_back

    mine = claim_next(now=NOW)
    theirs = claim_next(now=NOW)
    take_back(now=NOW + LOST_AFTER)
    sent(mine, now=NOW + LOST_AFTER)

    assert (mine.pk, theirs) == (queued.pk, None)
    assert fresh(queued).stage == "waiting"  # a worker given up in between has no say any more


def test_mail_waits_without_a_server_and_while_it_cannot_be_reached(queued: Any) -> None:
    from tansiq.notices.submission import Encryption, Server
    from tansiq.workers.mail import ServerUnusable, send_waiting

    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        unreachable = Server("127.0.0.1", nobody.getsockname()[1], Encryption.NONE)

        without = send_waiting(None, SENDER, now=NOW)
        with pytest.raises(ServerUnusable):
            send_waiting(unreachable, SENDER, now=NOW)

    assert without == 0
    assert (fresh(queued).stage, queued.tries, queued.trouble[:22]) == ("waiting", 1, "ConnectionRefusedError")


def test_mail_pauses_grow_and_end_after_four_days(queued: Any) -> None:
    from tansiq.notices import mail

    now, pauses = NOW, []
    while (one := mail.claim_next(now=now)) is not None:
        mail.not_sent(one, "451 later", now=now)
        pauses.append(fresh(queued).next_try_at - now)
        now = queued.next_try_at

    assert pauses[:4] == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8)]
    assert max(pauses) == timedelta(hours=4)
    assert (queued.stage, timedelta(days=4) <= queued.ended_at - NOW < timedelta(days=4, hours=4)) == ("failed", True)


def test_mail_is_erased_thirty_days_after_its_end(queued: Any) -> None:
    from tansiq.notices import mail

    mail.sent(mail.claim_next(now=NOW), now=NOW)

    early = mail.erase_old(now=NOW + timedelta(days=30) - timedelta(seconds=1))
    due = mail.erase_old(now=NOW + timedelta(days=30))

    assert (early, due) == (0, 1)
    assert (fresh(queued).to, queued.subject, queued.text, queued.html) == ("", "", "", "")


@pytest.mark.parametrize(
    "address", ["", "nobody", "a@b@c.example", "a b@c.example", "a@c.example\r\nBcc: b@c.example", "Ä@c.example"]
)
def test_enqueue_refuses_what_is_no_address(database: None, address: str) -> None:
    from tansiq.notices.mail import BadAddress, enqueue

    with pytest.raises(BadAddress):
        enqueue(address, "s", "t", language="en", now=NOW)


def test_enqueue_keeps_a_subject_on_one_line(database: None) -> None:
    from tansiq.notices.mail import enqueue

    mail = enqueue("amina@xa-cert.example", "one\r\nBcc: x@y.example", "t", language="en", now=NOW)

    assert mail.subject == "one Bcc: x@y.example"


def test_framework_mail_goes_through_the_queue_in_the_readers_language(database: None) -> None:
    from django.core.mail import EmailMultiAlternatives, get_connection
    from django.utils import translation

    from tansiq.notices.models import Mail

    message = EmailMultiAlternatives("Sujet", "mots", to=["moussa@xf-cert.example"], cc=["grace@sec.example"])
    message.attach_alternative("<p>mots</p>", "text/html")
    with translation.override("fr"):
        count = get_connection("tansiq.notices.mail_backend.QueueBackend").send_messages([message])

    rows = list(Mail.objects.order_by("to").values_list("to", "subject", "text", "html", "language"))
    assert count == 1
    assert rows == [
        (to, "Sujet", "mots", "<p>mots</p>", "fr") for to in ("grace@sec.example", "moussa@xf-cert.example")
    ]


def test_submission_demands_encryption_and_a_known_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import ssl

    from tansiq.notices.submission import Encryption, Letter, NotSent, Server, Submission

    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    box = Mailbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(
        box, hostname="localhost", port=port, tls_context=context, require_starttls=True, ready_timeout=30
    )
    controller.start()
    letter = Letter(SENDER, "amina@xa-cert.example", "مرحبا", "نص", "", "ar", "id", NOW)
    server = Server("localhost", port, Encryption.STARTTLS)
    try:
        with pytest.raises(NotSent, match="CERTIFICATE_VERIFY_FAILED"):
            Submission(server)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        submission = Submission(server)
        submission.send(letter)
        submission.close()
    finally:
        controller.stop()

    assert [(mail["Subject"], mail.get_content().split()) for mail in box.taken] == [("مرحبا", ["نص"])]
