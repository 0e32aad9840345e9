"""Bringing the backbone to what the roster says: its streams, and what the servers read. Done by the hub's operator.

Needs the administrator's NKey, which no node has. It sees names, numbers and sizes, never what a message says.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tansiq.core.errors import N_, TansiqError
from tansiq.exchange.body import Lane
from tansiq.exchange.jetstream import CONSUMER, STREAM, StreamSpec, sender_in
from tansiq.exchange.transport import checked, trusted

if TYPE_CHECKING:
    from tansiq.exchange.connection import Connection

API = "$JS.API"
ANSWER_SECONDS = 20.0
"""Three servers that have just begun take some seconds to agree who leads."""
ATTEMPTS, PAUSE_SECONDS = 10, 1.0
RELOADS, RELOAD_SECONDS = 2, 10.0
HEARING_SECONDS, LONGEST_HEARING_SECONDS = 1.0, 5.0
"""For servers that are asked who they are: at least, and as long as fewer have answered than are known."""
NAMED = 10
OWN_ACCOUNTS = frozenset({"$G", "$SYS"})
"""That every server has, whatever it has read."""
NOT_FOUND = (10014, 10059)
"""Consumer, stream: docs.nats.io, "JetStream API errors"."""

T = TypeVar("T")


class BackboneAway(TansiqError):
    code = "exchange.backbone.away"
    message = N_("The message server does not answer at {urls}: {reason}.")
    remedy = N_("Look whether it runs and whether this machine reaches it, then try again; what is done already stays.")
    transient = True


class BackboneSilent(BackboneAway):
    message = N_("The message server does not answer at {urls}.")


class BackboneRefused(TansiqError):
    code = "exchange.backbone.refused"
    message = N_("The message server refused {what}: {reason}.")
    remedy = N_("Look whether its configuration was written with the key that is used here, and read since.")


class BackboneOutdated(TansiqError):
    code = "exchange.backbone.outdated"
    message = N_("What the message server read is not what the roster says: {names}.")
    remedy = N_("Bring the configuration that is written from the roster to where each server reads it, and try again.")
    transient = True


@dataclass(slots=True)
class Reloaded:
    """What became of having the servers read their configuration anew.

    Attributes:
        done: ids of the servers that did.
        away: addresses, or ids, of those that did not, and why.
        wrong: names of accounts that one of them has and should not, or should have and has not.
    """

    done: set[str] = field(default_factory=set)
    away: dict[str, str] = field(default_factory=dict)
    wrong: set[str] = field(default_factory=set)

    def require(self) -> None:
        """Raises: BackboneAway, BackboneOutdated: a removed member may still be let in somewhere."""
        if self.away:
            raise _away(self.away, next(iter(self.away.values())))
        if self.wrong:
            raise BackboneOutdated(names=", ".join(sorted(self.wrong)[:NAMED]))


@dataclass(slots=True)
class Changes:
    """What was done, by names of streams; of ``purged`` by stream and sender's code."""

    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    purged: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Filling:
    """What waits in one stream of one sender: all that an operator can see."""

    realm: str
    to: str
    lane: Lane
    sender: str
    messages: int


def administer(
    urls: Sequence[str], seed: str, specs: Sequence[StreamSpec], *, authority: Path | None = None
) -> Changes:
    """Have exactly these streams and consumers; what a node that is none any more had or sent is deleted.

    May be done again at any time; what is right already is not touched. First ``reload`` the servers, so that a removed
    member cannot write behind our back.

    Raises: BackboneAway, BackboneRefused. ValueError: no specs at all, which would delete everything.
    """
    if not specs:
        raise ValueError("no streams at all")
    return _with(urls, seed, authority, lambda connection: _administer(connection, specs))


def reload(urls: Sequence[str], seed: str, *, accounts: Collection[str], authority: Path | None = None) -> Reloaded:
    """Have every server read its configuration anew, twice (see ``servers.configuration``), and look what came of it.

    Each server that is named has to answer for itself. Those that it knows besides are asked through it.

    Args:
        accounts: names of all that a server is to have then: ``servers.names``.

    Raises: BackboneAway, BackboneRefused: none of them did.
    """
    found, failure = Reloaded(), None
    for url in checked(urls):
        try:
            _with([url], seed, authority, lambda connection: _reload(connection, set(accounts), len(urls), found))
        except (BackboneAway, BackboneRefused) as error:
            found.away[url], failure = str(error.values.get("reason", "")), error
    if failure is not None and not found.done:
        raise failure
    if len(found.done) >= len(urls):  # who could not be reached from here was reached through another
        found.away = {name: reason for name, reason in found.away.items() if name not in urls}
    return found


def fillings(urls: Sequence[str], seed: str, *, authority: Path | None = None) -> list[Filling]:
    """What waits where. Raises: BackboneAway, BackboneRefused."""
    return _with(urls, seed, authority, _fillings)


def _with(urls: Sequence[str], seed: str, authority: Path | None, work: Callable[[Connection], Awaitable[T]]) -> T:
    return asyncio.run(_connected(checked(urls), seed, authority, work))


async def _connected(
    urls: Sequence[str], seed: str, authority: Path | None, work: Callable[[Connection], Awaitable[T]]
) -> T:
    from tansiq.exchange.connection import Connection, Refused

    context, reason = trusted(urls, authority), ""
    for url in urls:
        connection = Connection()
        try:
            await connection.open(
                url, seed=seed, inbox="_INBOX.administrator", trusted=context if url.startswith("tls:") else None
            )
            return await work(connection)
        except (Refused, PermissionError) as refused:
            raise BackboneRefused(what=url, reason=refused) from refused
        except OSError as away:
            reason = str(away)
        finally:
            await connection.close()
    raise _away(urls, reason)


def _away(urls: Iterable[str], reason: str) -> BackboneAway:
    """``reason``: what the system or the server said; empty: nothing was heard."""
    named = ", ".join(urls)
    return BackboneAway(urls=named, reason=reason) if reason else BackboneSilent(urls=named)


async def _administer(connection: Connection, specs: Sequence[StreamSpec]) -> Changes:
    changes = Changes()
    there = set(await _names(connection))
    wanted = {spec.name: spec for spec in specs}
    for name in sorted(there - wanted.keys()):
        await _ask(connection, f"STREAM.DELETE.{name}")
        changes.deleted.append(name)
    members = {(spec.realm, spec.to) for spec in specs}
    for name, spec in wanted.items():
        if name in there:
            await _bring(connection, spec, members, changes)
        else:
            await _ask(connection, f"STREAM.CREATE.{name}", spec.stream())
            changes.created.append(name)
        await _bring_consumer(connection, spec)
    return changes


async def _bring(connection: Connection, spec: StreamSpec, members: set[tuple[str, str]], changes: Changes) -> None:
    found = await _ask(connection, f"STREAM.INFO.{spec.name}", {"subjects_filter": ">"})
    if _differs(spec.stream(), found["config"]):
        await _ask(connection, f"STREAM.UPDATE.{spec.name}", spec.stream())
        changes.changed.append(spec.name)
    for subject in found["state"].get("subjects") or {}:
        if (spec.realm, sender_in(subject)) not in members:
            await _ask(connection, f"STREAM.PURGE.{spec.name}", {"filter": subject})
            changes.purged.append((spec.name, sender_in(subject)))


async def _bring_consumer(connection: Connection, spec: StreamSpec) -> None:
    found = await _ask(connection, f"CONSUMER.INFO.{spec.name}.{CONSUMER}", may_lack=True)
    if found is None or _differs(spec.consumer(), found["config"]):
        wanted = {"stream_name": spec.name, "config": spec.consumer()}
        await _ask(connection, f"CONSUMER.DURABLE.CREATE.{spec.name}.{CONSUMER}", wanted)


def _differs(wanted: dict[str, Any], found: dict[str, Any]) -> bool:
    """Whether the server holds something else than is wanted; what we do not say is its own matter."""
    return any(found.get(name, False) != value for name, value in wanted.items())


async def _reload(connection: Connection, accounts: set[str], count: int, found: Reloaded) -> None:
    """The server that this is connected to; through the first one, which knows them, the others too.

    Raises: OSError: that server does not answer.
    """
    others = [] if found.done else sorted(await _servers(connection, count) - {connection.server})
    if connection.server not in found.done:
        await _read_anew(connection, connection.server, accounts, found)
    for server in others:
        try:
            await _read_anew(connection, server, accounts, found)
        except OSError as silent:
            found.away[server] = str(silent)


async def _read_anew(connection: Connection, server: str, accounts: set[str], found: Reloaded) -> None:
    """Raises: OSError, BackboneRefused."""
    for _ in range(RELOADS):
        answer = await _server_said(connection, server, "RELOAD")
        if "error" in answer:
            raise BackboneRefused(what=f"RELOAD {server}", reason=answer["error"].get("description", ""))
    there = (await _server_said(connection, server, "ACCOUNTZ")).get("data", {}).get("accounts", [])
    found.wrong |= (set(there) - OWN_ACCOUNTS) ^ accounts
    found.done.add(server)
    found.away.pop(server, None)


async def _server_said(connection: Connection, server: str, what: str) -> Any:
    """What one server answers; asked again once, since it may be busy. Raises: OSError."""
    subject = f"$SYS.REQ.SERVER.{server}.{what}"
    try:
        return json.loads((await connection.ask(subject, b"", RELOAD_SECONDS)).data)
    except OSError:
        return json.loads((await connection.ask(subject, b"", RELOAD_SECONDS)).data)


async def _servers(connection: Connection, count: int) -> set[str]:
    """Ids of the servers that hear us, each answering for itself; ``count`` of them are known to be there."""
    heard: set[str] = set()
    reply, key = connection.reply()
    connection.answers[key] = lambda answer: heard.update(_named(answer.data))
    await connection.send("$SYS.REQ.SERVER.PING", b"", reply)
    until = asyncio.get_running_loop().time() + LONGEST_HEARING_SECONDS
    await asyncio.sleep(HEARING_SECONDS)
    while len(heard) < count and asyncio.get_running_loop().time() < until:
        await asyncio.sleep(0.1)
    del connection.answers[key]
    return heard


def _named(answer: bytes) -> set[str]:
    """The one server that says so; none in a word that nobody answers."""
    return {str(json.loads(answer)["server"]["id"])} if answer else set()


async def _fillings(connection: Connection) -> list[Filling]:
    result = []
    for name in sorted(await _names(connection)):
        found = await _ask(connection, f"STREAM.INFO.{name}", {"subjects_filter": ">"})
        _, realm, to, lane = name.split("_")
        subjects: dict[str, int] = found["state"].get("subjects") or {}
        result += [Filling(realm, to, Lane(lane), sender_in(subject), n) for subject, n in sorted(subjects.items())]
    return result


async def _names(connection: Connection) -> list[str]:
    """Of all streams that are ours by their form."""
    names: list[str] = []
    while True:
        page = await _ask(connection, "STREAM.NAMES", {"offset": len(names)})
        names += page.get("streams") or []
        if len(names) >= page["total"] or not page.get("streams"):
            return [name for name in names if STREAM.fullmatch(name)]


async def _ask(connection: Connection, what: str, said: dict[str, Any] | None = None, *, may_lack: bool = False) -> Any:
    """One request to JetStream, again while its servers have not agreed who leads.

    Returns: the answer; None for what is not there, if it ``may_lack``. Raises: BackboneRefused; OSError.
    """
    data = json.dumps(said).encode() if said else b""
    for attempt in range(1, ATTEMPTS + 1):
        answer = json.loads((await connection.ask(f"{API}.{what}", data, ANSWER_SECONDS)).data)
        error = answer.get("error")
        if error is None:
            return answer
        if may_lack and error.get("err_code") in NOT_FOUND:
            return None
        if error.get("code") != 503 or attempt == ATTEMPTS:
            raise BackboneRefused(what=what, reason=error.get("description", ""))
        await asyncio.sleep(PAUSE_SECONDS)
    raise AssertionError
