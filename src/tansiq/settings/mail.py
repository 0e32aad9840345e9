"""Mail: where it is handed in, as whom, and where the exchange's is fetched."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from tansiq.exchange.account import ADDRESS, Account
from tansiq.exchange.account import Encryption as Fetching
from tansiq.notices.submission import Encryption, Server
from tansiq.settings.reading import LOOPBACK, BadForm, no_url, text

SMTP_URLS = "smtp://user:password@host:587, smtps://user:password@host"
IMAP_URLS = "imaps://user:password@host/INBOX, imap://user:password@host:143/INBOX"


def smtp() -> Server | None:
    """Where mails are handed in: ``smtp://user:password@host:port`` with STARTTLS, or ``smtps://…``; None: nowhere."""
    value = text("TANSIQ_SMTP_URL", "")
    if not value:
        return None
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise no_url("TANSIQ_SMTP_URL", value, SMTP_URLS) from None
    if parts.scheme not in ("smtp", "smtps") or not host or parts.path.strip("/"):
        raise no_url("TANSIQ_SMTP_URL", value, SMTP_URLS)
    if parts.scheme == "smtps":
        encryption = Encryption.FROM_THE_START
    else:
        encryption = Encryption.NONE if host in LOOPBACK else Encryption.STARTTLS
    usual = 465 if parts.scheme == "smtps" else 587  # RFC 8314
    return Server(host, port or usual, encryption, unquote(parts.username or ""), unquote(parts.password or ""))


def mail_from(host: str) -> str:
    value = text("TANSIQ_MAIL_FROM", f"tansiq@{host}")
    if value.count("@") != 1 or not value.isascii() or any(sign.isspace() or sign in "<>" for sign in value):
        raise BadForm(name="TANSIQ_MAIL_FROM", value=value, example="tansiq@cert.example")
    return value


def exchange_mail() -> str:
    """The address that other nodes send the exchange's mails to; empty: none."""
    value = text("TANSIQ_EXCHANGE_MAIL", "")
    if value and not ADDRESS.fullmatch(value):
        raise BadForm(name="TANSIQ_EXCHANGE_MAIL", value=value, example="exchange@cert.example")
    return value


def imap() -> Account | None:
    """Where mails of the exchange are fetched: ``imaps://user:password@host:port/FOLDER``, or ``imap://…`` (STARTTLS).

    None: nowhere. A URL without a user means the one who is called as TANSIQ_EXCHANGE_MAIL.
    """
    value = text("TANSIQ_EXCHANGE_IMAP_URL", "")
    if not value:
        return None
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise no_url("TANSIQ_EXCHANGE_IMAP_URL", value, IMAP_URLS) from None
    user, password, folder = map(unquote, (parts.username or "", parts.password or "", parts.path.removeprefix("/")))
    if parts.scheme not in ("imap", "imaps") or not host or not f"{user}{password}{folder}".isprintable():
        raise no_url("TANSIQ_EXCHANGE_IMAP_URL", value, IMAP_URLS)
    if parts.scheme == "imaps":
        encryption = Fetching.FROM_THE_START
    else:
        encryption = Fetching.NONE if host in LOOPBACK else Fetching.STARTTLS
    usual = 993 if parts.scheme == "imaps" else 143  # RFC 8314
    return Account(host, port or usual, encryption, user or exchange_mail(), password, folder or "INBOX", imap_done())


def imap_done() -> str:
    """The folder to which mails are moved whose content was stored; empty: they are deleted."""
    value = text("TANSIQ_EXCHANGE_IMAP_DONE", "")
    if not value.isprintable():
        raise BadForm(name="TANSIQ_EXCHANGE_IMAP_DONE", value=repr(value), example="Done")
    return value
