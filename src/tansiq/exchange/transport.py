"""A node's way to the backbone, as plain calls that block: publish, fetch, acknowledge. Section 16, "JetStream".

Bytes and names only: no database, no keys but the node's NKey, no content. One thread holds one event loop and one
connection, which it makes anew for ever. What a call could not do it says; a backbone that is away raises nothing.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tansiq.core.errors import N_, TansiqError
from tansiq.exchange import jetstream
from tansiq.exchange.body import Lane
from tansiq.exchange.carried import Outbound, Outcome, Received, Trouble
from tansiq.exchange.server_address import ALLOWED, is_server

if TYPE_CHECKING:
    from tansiq.exchange.traffic import Traffic

__all__ = ["BadBackbone", "Outbound", "Outcome", "Received", "Transport", "Trouble"]

ANSWER_SECONDS = 5.0
ENDING_SECONDS = 10.0
GLANCE_SECONDS = 2.0
"""How often a waiting call looks whether the thread that would answer is still there."""

T = TypeVar("T")


class BadBackbone(TansiqError):
    """Says nothing of what comes before an @: it may be a secret."""

    code = "exchange.backbone.url"
    message = N_("{url} is not the address of a message server. Allowed: {allowed}.")
    remedy = N_("Name each server as in the example, separated by commas; other machines by tls:// only.")
    exit_code = 2


class Transport:
    """A node's connection. Every method may be called from any thread; ``close`` when done, or use ``with``.

    Args:
        urls: of the servers, ``tls://host:port``, or ``nats://`` on this machine itself; tried in turn.
        seed: the node's NKey, ``SU…``.
        authority: certificates that may sign the servers'; the system's if None.

    Raises: BadBackbone.
    """

    def __init__(
        self, urls: Sequence[str], seed: str, code: str, realm: str = "live", *, authority: Path | None = None
    ) -> None:
        from tansiq.exchange.traffic import Traffic  # loads the client of the message server: only who needs it

        self._traffic = Traffic(checked(urls), seed, code, realm, trusted(urls, authority))
        self._up = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="backbone", daemon=True)
        self._thread.start()

    @property
    def connected(self) -> bool:
        """Whether a connection is up at this moment."""
        return self._up.is_set()

    @property
    def trouble(self) -> Trouble | None:
        """Why there is no connection, as far as the last attempt knows."""
        return self._traffic.trouble

    def wait(self, timeout_seconds: float) -> bool:
        """Wait until there is a connection, at most so long. Returns whether there is."""
        return self._up.wait(timeout_seconds)

    def publish(
        self,
        subject: str,
        data: bytes,
        msg_id: str,
        *,
        type: jetstream.Type = jetstream.Type.BODY,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float = ANSWER_SECONDS,
    ) -> Outcome:
        """Have one message stored. Raises: ValueError, see ``Outbound``."""
        message = Outbound(subject, data, msg_id, type, headers or {})
        return self.publish_many([message], timeout_seconds=timeout_seconds)[0]

    def publish_many(self, messages: Sequence[Outbound], *, timeout_seconds: float = ANSWER_SECONDS) -> list[Outcome]:
        """Have messages stored, many under way at once. Returns one outcome for each, in their order.

        Args:
            timeout_seconds: for each message's answer, from when it was sent.
        """
        nothing_known = [Outcome.FAILED] * len(messages)
        return self._called(lambda traffic: traffic.publish(messages, timeout_seconds), nothing_known)

    def fetch(self, lane: Lane, most: int, timeout_seconds: float) -> list[Received]:
        """The next messages of a lane: those that are there, or the first that come in so long; else none.

        With 0 it asks what is there and does not wait for more.
        """
        return self._called(lambda traffic: traffic.fetch(lane, most, timeout_seconds), [])

    def ack(self, received: Sequence[Received]) -> None:
        """Have the stream forget them. What gets lost of this comes again after a minute, and is then a repeat."""
        tokens = [one.token for one in received]
        self._called(lambda traffic: traffic.ack(tokens), None)

    def close(self) -> None:
        """End the connection and the thread. Whoever waits in another thread gets its empty answer."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(ENDING_SECONDS)

    def __enter__(self) -> Transport:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _called(self, work: Callable[[Traffic], Coroutine[object, object, T]], otherwise: T) -> T:
        """Run on the loop and wait. ``otherwise`` where the transport is closed, or is being closed meanwhile."""
        if self._loop.is_closed():
            return otherwise
        asked = asyncio.run_coroutine_threadsafe(work(self._traffic), self._loop)
        while True:
            try:
                return asked.result(GLANCE_SECONDS)
            except CancelledError:
                return otherwise
            except TimeoutError:
                if not self._thread.is_alive() and not asked.done():
                    return otherwise

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        keeping = self._loop.create_task(self._traffic.keep(self._tell))
        try:
            self._loop.run_forever()
        finally:
            rest = asyncio.all_tasks(self._loop)
            for task in rest:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(keeping, *rest, return_exceptions=True))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    def _tell(self, up: bool) -> None:
        if up:
            self._up.set()
        else:
            self._up.clear()


def checked(urls: Sequence[str]) -> list[str]:
    """Raises: BadBackbone."""
    for url in urls:
        if not is_server(url):
            raise BadBackbone(url=url.rpartition("@")[2], allowed=ALLOWED)
    if not urls:
        raise BadBackbone(url="-", allowed=ALLOWED)
    return list(urls)


def trusted(urls: Sequence[str], authority: Path | None) -> ssl.SSLContext | None:
    """How servers are known. None where none is reached over TLS."""
    if not any(url.startswith("tls:") for url in urls):
        return None
    context = ssl.create_default_context(cafile=str(authority) if authority else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context
