"""One connection to a message server, from its first byte to its last. Loaded when the first transport opens: ADR 0012.

It does not come back: what ends it ends everything under way on it, and another is made.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import secrets
import ssl
from collections.abc import Callable, Mapping
from typing import Any

from nats import errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from tansiq.exchange import nkey

CONNECT_SECONDS, CLOSE_SECONDS = 5.0, 1.0
PING_SECONDS = 20
"""Two pings without an answer and the connection is over: a backbone that is gone is noticed within a minute."""
SILENCES = 2
STATUS_HEADER = "Status"
NO_RESPONDERS = "503"
FORBIDDEN = re.compile(r"permissions violation for publish to \"([^\"]*)\"", re.IGNORECASE)


class Refused(Exception):
    """The server does not know the key, or shows a certificate that is not to be believed."""


class NoAnswer(OSError):
    """Nobody said anything: there are no words of a server's or of the system's to pass on."""


class _Speaker(Client):
    """nats-py's client with our NKeys, and without what a hostile message could stop it by."""

    def _setup_nkeys_seed_connect(self) -> None:
        seed = str(self._nkeys_seed_str)
        self._public_nkey = nkey.public(seed)
        self._signature_cb = lambda nonce: base64.b64encode(nkey.sign(seed, nonce.encode()))

    async def _process_headers(self, headers: Any) -> dict[str, str] | None:
        """What cannot be read is no header. The client would end its reading silently, and get the message again."""
        try:
            return await super()._process_headers(headers)
        except Exception:
            return None


class Connection:
    """What a transport does with a connection: send, be answered, hear that it ended.

    Attributes:
        ended: set when it is over, whoever ended it.
        answers: by the last part of a reply's subject: who waits for it. A caller adds and takes away its own.
        forbidden: called with a subject, in small letters, on which the server did not let us publish.
    """

    def __init__(self, *, forbidden: Callable[[str], None] = lambda _: None) -> None:
        self.ended = asyncio.Event()
        self.answers: dict[str, Callable[[Msg], None]] = {}
        self.forbidden = forbidden
        self._client = _Speaker()
        self._asked: dict[str, asyncio.Future[Msg]] = {}
        self._inbox = ""
        self._numbers = 0

    async def open(self, url: str, *, seed: str, inbox: str, trusted: ssl.SSLContext | None) -> None:
        """Connect to one server and hear answers under ``inbox``. Raises: Refused; OSError: it is away."""
        self._inbox = f"{inbox}.{secrets.token_hex(16)}"
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._client.connect(
                    [url],
                    nkeys_seed_str=seed,
                    inbox_prefix=inbox,
                    tls=trusted,
                    tls_handshake_first=trusted is not None,  # else whoever is between could say "no encryption here"
                    allow_reconnect=False,
                    max_reconnect_attempts=1,
                    reconnect_time_wait=0,
                    ping_interval=PING_SECONDS,
                    max_outstanding_pings=SILENCES,
                    error_cb=self._heard_error,
                    closed_cb=self._closed,
                )
                await self._client.subscribe(self._inbox + ".*", cb=self._heard)
                await self._client.flush()
        except (TimeoutError, OSError, errors.Error, nkey.BadKey) as failure:
            await self.close()
            if _is_refusal(failure):
                raise Refused(str(failure)) from failure
            raise (OSError(str(failure)) if str(failure) else NoAnswer()) from failure

    @property
    def server(self) -> str:
        """Id of the server that this is a connection to, as long as it runs."""
        return str(self._client._server_info.get("server_id", ""))

    async def hear(self, name: str, call: Callable[[Msg], None]) -> str:
        """Hear what comes to ``<inbox>.<name>.*``, whatever subject it has then: a stream's messages keep theirs.

        Returns: what the subjects begin with.
        """

        async def heard(message: Msg) -> None:
            call(message)

        await self._client.subscribe(f"{self._inbox}.{name}.*", cb=heard)
        return f"{self._inbox}.{name}."

    async def close(self) -> None:
        """Never waits long: after a certificate that is not believed the client would wait for ever."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._client.close()
        self.ended.set()

    def reply(self) -> tuple[str, str]:
        """A subject to be answered on, and the key of it in ``answers``. Nobody else can know it."""
        self._numbers += 1
        key = str(self._numbers)
        return f"{self._inbox}.{key}", key

    async def send(self, subject: str, data: bytes, reply: str, headers: Mapping[str, str] | None = None) -> None:
        """Raises: OSError: it ended."""
        try:
            await self._client.publish(subject, data, reply=reply, headers=dict(headers) if headers else None)
        except errors.Error as failure:
            raise OSError(str(failure)) from failure

    async def ask(self, subject: str, data: bytes, seconds: float) -> Msg:
        """One question, one answer.

        Raises: PermissionError: not for us to ask; NoAnswer: none came, or nobody can give one; OSError: it ended.
        """
        reply, key = self.reply()
        answer: asyncio.Future[Msg] = asyncio.get_running_loop().create_future()
        self.answers[key] = lambda heard: None if answer.done() else answer.set_result(heard)
        self._asked[subject.lower()] = answer
        try:
            await self.send(subject, data, reply)
            async with asyncio.timeout(seconds):
                heard = await answer
        except TimeoutError:
            raise NoAnswer() from None
        finally:
            del self.answers[key]
            self._asked.pop(subject.lower(), None)
        if is_status(heard, NO_RESPONDERS):
            raise NoAnswer()
        return heard

    async def _heard(self, message: Msg) -> None:
        waiting = self.answers.get(message.subject.rpartition(".")[2])
        if waiting is not None and message.subject.startswith(self._inbox):
            waiting(message)

    async def _heard_error(self, error: Exception) -> None:
        found = FORBIDDEN.search(str(error))
        if found is None:
            return
        self.forbidden(found[1])
        asked = self._asked.get(found[1])
        if asked is not None and not asked.done():
            asked.set_exception(PermissionError(str(error)))

    async def _closed(self) -> None:
        self.ended.set()


def _is_refusal(failure: Exception) -> bool:
    """Whether trying again later will not help, but for somebody's doing something."""
    if isinstance(failure, (ssl.SSLCertVerificationError, nkey.BadKey)):
        return True
    return isinstance(failure, errors.Error) and "authorization violation" in str(failure).lower()


def is_status(message: Msg, code: str = "") -> bool:
    """Whether this is a word of the server's own. A message from a stream has an acknowledgement's subject."""
    said = (message.headers or {}).get(STATUS_HEADER, "")
    return not message.reply and not message.data and bool(said) and code in ("", said)
