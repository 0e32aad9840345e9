"""Fetching mails of the exchange from a mailbox, by IMAP4rev1 (RFC 3501) with what RFC 4315 and 6851 add.

A mail is taken out of the mailbox only after the caller said that it stored the mail's content; whatever ends before
that fetches it again. Mails are named by UIDVALIDITY and UID, so that a mailbox that was restored or moved costs
nobody a mail. Mails of others in it are counted and left as they are, unread ones unread.
"""

from __future__ import annotations

import imaplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from tansiq.core.errors import N_, TansiqError
from tansiq.exchange import mail, mime
from tansiq.exchange.account import Account, Encryption
from tansiq.exchange.imap_answers import Listed, listed_in, quoted

TIMEOUT_SECONDS = 30.0
_LISTED_AT_ONCE = 500
_SUBJECT = "BODY.PEEK[HEADER.FIELDS (SUBJECT)]<0.2000>"
_FOR_NOW = ("[UNAVAILABLE]", "[INUSE]", "[LIMIT]", "[SERVERBUG]")  # RFC 5530
_LONGEST_WHY = 200


class MailboxUnusable(TansiqError):
    code = "exchange.mailbox.unusable"
    message = N_("The exchange's mailbox at {host} could not be read: {why}.")
    remedy = N_("Nothing is lost: mails stay there and are fetched when the server answers again.")
    exit_code = 3
    transient = True


class MailboxRefused(TansiqError):
    code = "exchange.mailbox.refused"
    message = N_("The mail server {host} refused: {why}.")
    remedy = N_("Check user, password and folders in TANSIQ_EXCHANGE_IMAP_URL and TANSIQ_EXCHANGE_IMAP_DONE.")
    exit_code = 3


class MailboxNoImap(MailboxUnusable):
    message = N_("The mail server {host} gave an answer that is no IMAP ({kind}).")


class MailboxAsciiOnly(MailboxRefused):
    message = N_("The mail server {host} takes a user and a password of ASCII characters only.")


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail of the exchange, as it came, and what the server calls it."""

    validity: int
    uid: int
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Look:
    """What a mailbox holds.

    Attributes:
        waiting: mails of the exchange that ``letters`` will give.
        oversized: mails of the exchange beyond 16 MB: never fetched, left there for a person to look at.
        left: those that the caller left there.
        others: mails of other people seen since the process began.
    """

    waiting: int
    oversized: int
    left: int
    others: int


class Mailbox:
    """One folder of one account; kept by who fetches from it again and again, since it remembers what it has seen."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.validity = 0
        self.seen_up_to = 0
        self.others = 0
        self.waiting: dict[int, int] = {}
        """UID -> urgency."""
        self.oversized: set[int] = set()
        self.left: set[int] = set()

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Signed in, until the end of the block. Raises: MailboxUnusable, MailboxRefused."""
        with _telling(self.account):
            connection = _connected(self.account)
        try:
            yield Session(self, connection)
        finally:
            with suppress(OSError, imaplib.IMAP4.error, ValueError):
                connection.logout()

    def forget(self, validity: int) -> None:
        """The server has numbered its mails anew: what was known of the former numbers is of no use."""
        self.validity, self.seen_up_to, self.others = validity, 0, 0
        self.waiting.clear()
        self.oversized.clear()
        self.left.clear()


class Session:
    """One connection. Made by ``Mailbox.session``; every method may raise MailboxUnusable or MailboxRefused."""

    def __init__(self, mailbox: Mailbox, connection: imaplib.IMAP4) -> None:
        self._box = mailbox
        self._server = connection
        self._exists = 0

    def enter(self) -> None:
        """Open the folder, and no more: whether that can be done."""
        with _telling(self._box.account):
            self._select()

    def look(self) -> Look:
        """See what came since the last look. To be asked first in each session."""
        box = self._box
        with _telling(box.account):
            self._select()
            newest = box.seen_up_to
            for listed in self._listed_above(box.seen_up_to):
                newest = max(newest, listed.uid)
                self._sort(listed)
            box.seen_up_to = newest
        return Look(len(box.waiting), len(box.oversized), len(box.left), box.others)

    def letters(self) -> Iterator[Letter]:
        """The mails of the exchange, one in memory at a time. None is marked or changed.

        By lane, so that whoever floods the mailbox with bulk holds up nobody's alert, and then the oldest first.
        """
        box = self._box
        for uid in sorted(box.waiting, key=lambda uid: (box.waiting[uid], uid)):
            with _telling(box.account):
                raw = self._fetched(uid)
            if raw is None:  # somebody else took it out
                box.waiting.pop(uid, None)
            elif len(raw) > mime.LIMIT_BYTES:
                box.waiting.pop(uid, None)
                box.oversized.add(uid)
            else:
                yield Letter(box.validity, uid, raw)

    def stored(self, letters: Sequence[Letter]) -> None:
        """The caller has what was in them: they are taken out, to the other folder or for good."""
        box = self._box
        uids = sorted(letter.uid for letter in letters if letter.validity == box.validity)
        if not uids:
            return
        with _telling(box.account):
            self._take_out(",".join(map(str, uids)))
        for uid in uids:
            box.waiting.pop(uid, None)

    def leave(self, letter: Letter) -> None:
        """Nothing in it could be read: it stays there, and is not fetched again before the process ends."""
        if letter.validity == self._box.validity:
            self._box.waiting.pop(letter.uid, None)
            self._box.left.add(letter.uid)

    def _select(self) -> None:
        said = self._answered(*self._server.select(quoted(self._box.account.folder)))
        self._exists = int(said[-1] or b"0")
        validity = int((self._server.response("UIDVALIDITY")[1] or [b"0"])[-1] or b"0")
        if validity != self._box.validity:
            self._box.forget(validity)

    def _listed_above(self, uid: int) -> Iterator[Listed]:
        """Mails with a higher UID, by their places from the newest on: an answer's length is then bounded."""
        last = self._exists
        while last > 0:
            first = max(1, last - _LISTED_AT_ONCE + 1)
            answer = self._server.fetch(f"{first}:{last}", f"(UID FLAGS RFC822.SIZE {_SUBJECT})")
            found = list(listed_in(self._answered(*answer)))
            yield from (listed for listed in found if listed.uid > uid)
            if any(listed.uid <= uid for listed in found):
                return
            last = first - 1

    def _sort(self, listed: Listed) -> None:
        if rb"\deleted" in listed.flags.lower():
            return
        urgency = mail.urgency(listed.text)
        if urgency is None:
            self._box.others += 1
        elif listed.size_bytes > mime.LIMIT_BYTES:
            self._box.oversized.add(listed.uid)
        else:
            self._box.waiting[listed.uid] = urgency

    def _fetched(self, uid: int) -> bytes | None:
        """Never more than the limit and a byte, whatever size the server said."""
        answer = self._server.uid("FETCH", str(uid), f"(UID RFC822.SIZE FLAGS BODY.PEEK[]<0.{mime.LIMIT_BYTES + 1}>)")
        for listed in listed_in(self._answered(*answer)):
            if listed.uid == uid:
                return None if rb"\deleted" in listed.flags.lower() else listed.text
        return None

    def _take_out(self, uids: str) -> None:
        folder = self._box.account.done_folder
        if folder:
            moves = "MOVE" in self._server.capabilities
            self._into(folder, "MOVE" if moves else "COPY", uids)
            if moves:
                return
        self._answered(*self._server.uid("STORE", uids, "+FLAGS.SILENT", r"(\Seen \Deleted)"))
        if "UIDPLUS" in self._server.capabilities:  # else it would expunge what other people have deleted, too
            self._answered(*self._server.uid("EXPUNGE", uids))

    def _into(self, folder: str, command: str, uids: str) -> None:
        kind, said = self._server.uid(command, uids, quoted(folder))
        if kind != "OK" and b"[TRYCREATE]" in _joined(said):
            self._answered(*self._server.create(quoted(folder)))
            kind, said = self._server.uid(command, uids, quoted(folder))
        self._answered(kind, said)

    def _answered(self, kind: str, said: list[Any]) -> list[Any]:
        if kind != "OK":
            raise _Refusal(_joined(said).decode("utf-8", "replace"))
        return said


class _Refusal(Exception):
    """The server answered NO."""


def _connected(account: Account) -> imaplib.IMAP4:
    """Signed in, and told what the server can."""
    if account.encryption is Encryption.FROM_THE_START:
        context = ssl.create_default_context()
        server: imaplib.IMAP4 = imaplib.IMAP4_SSL(
            account.host, account.port, ssl_context=context, timeout=TIMEOUT_SECONDS
        )
    else:
        server = imaplib.IMAP4(account.host, account.port, timeout=TIMEOUT_SECONDS)
    try:
        if account.encryption is Encryption.STARTTLS:
            server.starttls(ssl_context=ssl.create_default_context())
        _sign_in(server, account)
        _, said = server.capability()
        server.capabilities = tuple(_joined(said).decode("ascii", "replace").upper().split())
    except BaseException:
        with suppress(OSError):  # its socket may be closed
            server.shutdown()
        raise
    return server


def _sign_in(server: imaplib.IMAP4, account: Account) -> None:
    """By PLAIN (RFC 4616), which knows passwords in any script; by LOGIN where the server has nothing else."""
    try:
        if "AUTH=PLAIN" in server.capabilities:
            secret = f"\0{account.user}\0{account.password}".encode()
            server.authenticate("PLAIN", lambda _: secret)
        elif account.user.isascii() and account.password.isascii():
            server.login(account.user, account.password)
        else:
            raise MailboxAsciiOnly(host=account.host)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        raise _Refusal(_words(error)) from None


def _joined(said: Sequence[Any]) -> bytes:
    return b" ".join(item for item in said if isinstance(item, bytes))


def _words(error: BaseException) -> str:
    """What a server said, or the kind of error; never what was sent to it."""
    said = error.args[0] if error.args else ""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return " ".join(text.split())[:_LONGEST_WHY]


@contextmanager
def _telling(account: Account) -> Iterator[None]:
    try:
        yield
    except (_Refusal, imaplib.IMAP4.readonly) as error:
        why = _words(error)
        kind = MailboxUnusable if why.upper().startswith(_FOR_NOW) else MailboxRefused
        raise kind(host=account.host, why=why) from None
    except imaplib.IMAP4.error as error:
        raise MailboxUnusable(host=account.host, why=_words(error)) from None
    except OSError as error:
        raise MailboxUnusable(host=account.host, why=error.strerror or str(error) or type(error).__name__) from None
    except ValueError as error:
        raise MailboxNoImap(host=account.host, kind=type(error).__name__) from None
