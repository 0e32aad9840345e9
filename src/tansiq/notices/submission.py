"""Handing a mail to a submission server (RFC 6409), encrypted, and telling what became of it."""

from __future__ import annotations

import re
import smtplib
import ssl
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from enum import Enum

TIMEOUT_SECONDS = 30.0
CR_LF = "\r\n"
OK, FORWARDED, GO_ON = 250, 251, 354
PLAIN = SMTP.clone(cte_type="7bit")  # whatever stands on the way
LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)


class Encryption(Enum):
    STARTTLS = "starttls"
    FROM_THE_START = "tls"
    NONE = "none"  # to this machine itself only


@dataclass(frozen=True, slots=True)
class Server:
    """Where mails are handed in. ``user`` is empty when the server asks for none."""

    host: str
    port: int
    encryption: Encryption
    user: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as it leaves, ``sender`` and ``to`` being plain addresses."""

    sender: str
    to: str
    subject: str
    text: str
    html: str
    language: str
    message_id: str
    written_at: datetime


class NotSent(Exception):
    """The attempt failed, and nothing was handed over; another may succeed."""


class Refused(Exception):
    """The server says that it will never take this mail."""


class Unknown(Exception):
    """The connection broke after the last byte: the server may have taken the mail over, or not."""


class Submission:
    """One connection, for as many mails as there are."""

    def __init__(self, server: Server) -> None:
        """Raises: NotSent: not reachable, not encrypted, or it does not let us in."""
        try:
            self._connection = _connected(server)
        except (OSError, smtplib.SMTPException) as error:
            raise NotSent(_said(error)) from error

    @property
    def most_bytes(self) -> int | None:
        """Of one mail, as the server says it (RFC 1870); None: it says nothing."""
        said = self._connection.esmtp_features.get("size", "")
        return int(said) if said.isascii() and said.isdecimal() and int(said) else None

    def close(self) -> None:
        try:
            self._connection.quit()
        except (OSError, smtplib.SMTPException):
            self._connection.close()

    def send(self, letter: Letter) -> None:
        """Returns when the server has taken the mail over. Raises: NotSent, Refused, Unknown."""
        self.hand_over(written(letter), sender=letter.sender, to=letter.to)

    def hand_over(self, mail: bytes, *, sender: str, to: str) -> None:
        """Like ``send``, for a mail that was written elsewhere: lines of ASCII ending in CR LF."""
        server = self._connection
        try:
            self._address(sender, to)
            code, words = server.docmd("DATA")
            if code != GO_ON:
                raise _of_code(code, words)
        except (OSError, smtplib.SMTPException) as error:
            raise NotSent(_said(error)) from error
        try:
            server.send(_ended(mail))
            code, words = server.getreply()
        except (OSError, smtplib.SMTPException) as error:
            raise Unknown(_said(error)) from error
        if code != OK:
            raise _of_code(code, words)

    def _address(self, sender: str, to: str) -> None:
        server = self._connection
        server.rset()
        code, words = server.mail(sender)
        if code != OK:
            raise NotSent(_reply(code, words))  # our own address or account: for the operator to mend
        code, words = server.rcpt(to)
        if code not in (OK, FORWARDED):
            raise _of_code(code, words)


def _connected(server: Server) -> smtplib.SMTP:
    if server.encryption is Encryption.FROM_THE_START:
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
        )
    else:
        connection = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_SECONDS)
    try:
        if server.encryption is Encryption.STARTTLS:
            connection.starttls(context=ssl.create_default_context())
        connection.ehlo_or_helo_if_needed()
        if server.user:
            connection.login(server.user, server.password)
    except BaseException:
        connection.close()
        raise
    return connection


def _of_code(code: int, words: bytes) -> NotSent | Refused:
    return (Refused if code >= 500 else NotSent)(_reply(code, words))


def _reply(code: int, words: bytes) -> str:
    return f"{code} {words.decode('utf-8', 'replace')}"


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        words = error.smtp_error
        return _reply(error.smtp_code, words if isinstance(words, bytes) else words.encode())
    return f"{type(error).__name__}: {error}"


def _ended(data: bytes) -> bytes:
    """With its dots doubled, and the line that ends it (RFC 5321 section 4.5.2)."""
    return LEADING_DOT.sub(b"..", data if data.endswith(b"\r\n") else data + b"\r\n") + b".\r\n"


def written(letter: Letter) -> bytes:
    """The mail as bytes of lines ending in CR LF: plain words first, the same as HTML after them if there is any."""
    message = EmailMessage(policy=PLAIN)
    message["From"] = letter.sender
    message["To"] = letter.to
    message["Date"] = format_datetime(letter.written_at)
    message["Message-ID"] = f"<{letter.message_id}@{letter.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies
    message.set_content(letter.text)
    if letter.html:
        message.add_alternative(letter.html, subtype="html")
    message["Content-Language"] = letter.language  # last: setting the words clears what is said of them
    return _subject(letter.subject) + message.as_bytes()


def _subject(words: str) -> bytes:
    """Its header line. ``EmailMessage`` leaves out the space between two encoded words that it folds (RFC 2047 section
    6.2: readers drop the one that is written), so that words of long subjects run together; ``Header`` encodes it."""
    plain = words.isascii() and "=?" not in words
    header = Header(words, "us-ascii" if plain else "utf-8", header_name="Subject")
    return f"Subject: {header.encode(linesep=CR_LF)}{CR_LF}".encode("ascii")
