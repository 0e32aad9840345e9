"""``hammered(address, names, steps=…, seed=…)``: several processes do at once whatever they like on the nodes of one
federation, each node a database of PostgreSQL, and are killed now and then; then all is healed and looked at.

Run it in a process of its own: it forks. Two processes that work on one node are what a web process, a command and
the service's threads are.
"""

from __future__ import annotations

import os
import random
import signal
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from factories import node_databases
from factories import postgres as servers
from factories.exchange_node import POISON
from federation import BEGINNING, Federation
from federation_database import DatabaseNode, Log, django
from federation_node import Roster
from tansiq.core.viewer import Role, Viewer
from tansiq.exchange.body import Version
from tansiq.exchange.channel import LIMITS
from tansiq.exchange.kinds import Said
from tansiq.exchange.sending import WINDOW

WORKERS = 3
MOST_BETWEEN = 30
"""Steps until the next of them is killed."""
FASTER = 60
"""The federation's clock: pauses before something is sent again, and leases of the killed, pass quickly."""
NAMES = "12345678"


class Table(Log):
    """The desk's entries are in the node's database: written with what they are about, or not at all."""

    CREATE = "CREATE TABLE desk (number bigserial, verb text, object text, term bigint, n bigint)"

    def apply(self, said: Said, now: Any) -> None:
        if said.team != self.code:
            self._note("applied", said.object, said.version)

    def withdraw(self, identifier: str, now: Any) -> None:
        self._note("recalled", identifier, Version(0, 0))

    @staticmethod
    def _note(verb: str, identifier: str, version: Version) -> None:
        from django.db import connection

        with connection.cursor() as cursor:
            said = (verb, identifier, *version)
            cursor.execute("INSERT INTO desk (verb, object, term, n) VALUES (%s, %s, %s, %s)", said)


class SharedNode(DatabaseNode):
    """On a database that other processes use, too."""

    def __init__(self, code: str, roster: Roster, name: str) -> None:
        super().__init__(code, roster, dict(LIMITS), WINDOW, connection=node_databases.to(name))
        self.desk = Table(code)


class Shared(Federation):
    """The nodes, as one process sees them. What is under way between them is this process's own."""

    def __init__(self, names: Mapping[str, str], since: float) -> None:
        super().__init__()
        self.since = since
        self.roster = Roster(1, frozenset(names))
        self.nodes = {code: SharedNode(code, self.roster, name) for code, name in names.items()}
        self.offsets = dict.fromkeys(names, timedelta(0))

    def look_at_the_clock(self) -> None:
        self.now = BEGINNING + timedelta(seconds=(time.time() - self.since) * FASTER)


class Worker:
    """One process."""

    def __init__(self, world: Shared, seed: int) -> None:
        self.world, self.random = world, random.Random(seed)
        self.codes = sorted(world.nodes)
        self.done: Counter[str] = Counter()

    @property
    def works(self) -> dict[Callable[[str, str], None], int]:
        """With how often each has its turn."""
        return {
            self.publish: 30,
            self.work: 40,
            self.narrow_and_widen: 5,
            self.withdraw: 3,
            self.forward: 5,
            self.retry: 4,
            self.refuse: 2,
            self.compare: 4,
        }

    def step(self) -> None:
        works = self.works
        (work,) = self.random.choices(list(works), list(works.values()))
        self.do(work)

    def do(self, work: Callable[[str, str], None]) -> None:
        from django.db import OperationalError

        self.world.look_at_the_clock()
        code, peer = self.random.sample(self.codes, 2)
        try:
            work(code, peer)
            self.done[work.__name__] += 1
        except OperationalError as error:
            self.done[f"{work.__name__}:{getattr(error.__cause__, 'sqlstate', None)}"] += 1

    # ---- people

    def publish(self, code: str, peer: str) -> None:
        audience = {peer, *self.random.sample(self.codes, self.random.randint(0, 2))}
        self._publish(code, self.random.choice(NAMES), audience)

    def _publish(self, code: str, name: str, audience: set[str]) -> None:
        is_bad, refers = self.random.random() < 0.05, self.random.random() < 0.15
        self.world[code].publish(
            name,
            audience=audience,
            text=POISON if is_bad else str(self.random.random()),
            kind=self.random.choice(["case.note", "alert", "event"]),
            needs=f"{self.random.choice(self.codes)}:{self.random.choice(NAMES)}" if refers else "",
        )

    def narrow_and_widen(self, code: str, peer: str) -> None:
        name = self.random.choice(NAMES)
        self._publish(code, name, set(self.codes) - {peer})
        self._publish(code, name, set(self.codes))

    def withdraw(self, code: str, peer: str) -> None:
        from tansiq.exchange.node import publishing

        with self.world[code].at(self.world.now) as here:
            publishing.withdraw(here, f"{code}:{self.random.choice(NAMES)}", self.world.now)

    def forward(self, code: str, peer: str) -> None:
        owner = self.random.choice([one for one in self.codes if one != code])
        self.world[code].now = self.world.now
        self.world[code].forward(f"{owner}:{self.random.choice(NAMES)}", peer)

    def retry(self, code: str, peer: str) -> None:
        from tansiq.core.decision import NotAllowed
        from tansiq.exchange.models import Waiting
        from tansiq.exchange.node import settling

        by = Viewer(person=f"{code}-P", team=code, roles=frozenset({Role.ANALYST}), community=True)
        with self.world[code].at(self.world.now) as here:
            for number in list(Waiting.objects.values_list("pk", flat=True)[:3]):
                try:
                    settling.retry(here, number, by, self.world.now)
                except (settling.NotWaiting, NotAllowed):
                    continue

    def refuse(self, code: str, peer: str) -> None:
        self.world[code].refuse(self.world.now)

    # ---- the service

    def work(self, code: str, peer: str) -> None:
        """What it has to say leaves; some of it is lost, some comes twice, in any order."""
        from tansiq.exchange.node import settling

        world = self.world
        world.tick(code)
        with world[code].at(world.now) as here:
            settling.on_known(here, world.now)
        for _ in range(100):
            if not world.letters:
                break
            index = self.random.randrange(len(world.letters))
            if self.random.random() < 0.1:
                world.letters.pop(index)
            else:
                world.deliver(index, keep=self.random.random() < 0.1)
        world.letters.clear()
        world.emitted.clear()

    def compare(self, code: str, peer: str) -> None:
        self.world[code].now = self.world.now
        for identifier in self.world.compare(code, peer):
            self.world[code].repair(peer, identifier)


def hammered(address: str, names: Mapping[str, str], *, steps: int, seed: int, folder: Path) -> dict[str, Any]:
    """Returns: what was done, how often somebody was killed, and what is wrong in the end, in words."""
    django()
    servers.running = servers.Cluster(address)
    since = time.time()
    first = Worker(Shared(names, since), seed)
    for work in first.works:
        first.do(work)  # what is imported and drawn by then is had by all processes, the nodes' keys among it
    del first
    since = time.time()
    chance = random.Random(seed)
    pids = [_forked(names, since, chance.randrange(2**32), folder) for _ in range(WORKERS)]
    kills, next_kill = 0, MOST_BETWEEN
    while (done := _done(folder)).total() < steps and not any(folder.glob("error.*")):
        time.sleep(chance.uniform(0.01, 0.1))
        if done.total() >= next_kill:
            victim = chance.randrange(WORKERS)
            _ended(pids[victim])
            pids[victim] = _forked(names, since, chance.randrange(2**32), folder)
            kills, next_kill = kills + 1, done.total() + chance.randint(1, MOST_BETWEEN)
    for pid in pids:
        _ended(pid)
    world = Shared(names, since)
    world.look_at_the_clock()
    rounds = world.heal() + _asked_again(world)
    wrong = [fault for code in sorted(names) for fault in _faults(world, code)]
    wrong += [file.read_text() for file in folder.glob("error.*")]
    return {"done": dict(_done(folder)), "kills": kills, "rounds": rounds, "wrong": wrong}


def _asked_again(world: Shared) -> int:
    """What a receipt said of objects that was lost is asked for an hour later: nothing is sent that brings another."""
    from tansiq.exchange.node import untold

    world.pass_time(untold.STATE_AFTER)
    return world.heal()


def _done(folder: Path) -> Counter[str]:
    return Counter(line for file in folder.glob("done.*") for line in file.read_text().split())


def _forked(names: Mapping[str, str], since: float, seed: int, folder: Path) -> int:
    if pid := os.fork():
        return pid
    try:
        worker = Worker(Shared(names, since), seed)
        with (folder / f"done.{os.getpid()}").open("a", buffering=1) as done:
            while True:
                worker.step()
                for what in worker.done.elements():
                    done.write(f"{what}\n")
                worker.done.clear()
    except BaseException:
        (folder / f"error.{os.getpid()}").write_text(traceback.format_exc())
    finally:
        os._exit(1)


def _ended(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


# ---- what has to be so in the end


def _faults(world: Shared, code: str) -> Iterator[str]:
    checks = (_sent, _received, _said, _held, _published, _applied, _shared)
    with world[code].at():
        for check in checks:
            yield from (f"{code}: {fault}" for fault in check(world, code))


def _sent(world: Shared, code: str) -> Iterator[str]:
    """Positions without a gap, each on the one before; the counters are what is there."""
    from tansiq.exchange.models import OutChannel, Sent
    from tansiq.exchange.values import EMPTY_DIGEST

    for channel in OutChannel.objects.all():
        rows = list(Sent.objects.filter(channel=channel).order_by("first"))
        last, digest = 0, EMPTY_DIGEST
        for row in rows:
            if (row.first, row.prev) != (last + 1, digest):
                yield f"{channel}: {row} follows {last}"
            last, digest = row.last, row.digest
        waiting = [row.size_bytes for row in rows if row.covered_at is None]
        counted = (channel.given, channel.hash, channel.waiting_bodies, channel.waiting_bytes)
        if counted != (last, digest, len(waiting), sum(waiting)):
            yield f"{channel}: {counted} of {(last, digest, len(waiting), sum(waiting))}"


def _received(world: Shared, code: str) -> Iterator[str]:
    """All of what the peer gave; what waits is counted; the last change has the last number."""
    from tansiq.exchange.models import InChannel, ObjectChange, OutChannel, Waiting

    for channel in InChannel.objects.all():
        with world[channel.peer].at():
            given = OutChannel.objects.get(peer=code, lane=channel.lane)
        if (given.incarnation, given.given, given.hash) != (channel.incarnation, channel.through, channel.hash):
            yield f"{channel}: {channel.through} of {given.given}"
        waiting = list(Waiting.objects.filter(channel=channel).values_list("size_bytes", flat=True))
        counted = (channel.waiting_bodies, channel.waiting_bytes, channel.above_bodies, channel.above_bytes)
        if (*counted, channel.above_spans) != (len(waiting), sum(waiting), 0, 0, 0):
            yield f"{channel}: {counted} of {(len(waiting), sum(waiting))}"
        numbers = list(ObjectChange.objects.filter(channel=channel).order_by("number").values_list("number", flat=True))
        if len(numbers) != len(set(numbers)) or (numbers and numbers[-1] != channel.changes):
            yield f"{channel}: changes {numbers} of {channel.changes}"


def _said(world: Shared, code: str) -> Iterator[str]:
    """What the peer said last of each object is known here: no change was passed over."""
    from tansiq.exchange.models import ObjectChange, OutChannel, Recipient

    for channel in OutChannel.objects.exclude(incarnation=""):
        with world[channel.peer].at():
            columns = ("object", "term", "n", "state", "reason")
            of_channel = ObjectChange.objects.filter(channel__peer=code, channel__lane=channel.lane)
            said = {row[0]: row[1:] for row in of_channel.values_list(*columns)}
        known = Recipient.objects.filter(peer=channel.peer, object__in=said)
        for row in known:
            here = (row.state_term, row.state_n, row.state, row.reason)
            if here != said[row.object]:
                yield f"{channel}: {row.object} is {said[row.object]} there, and {here} is known"


def _held(world: Shared, code: str) -> Iterator[str]:
    from tansiq.exchange.models import Evidence, Life, Link

    for rows in (Evidence.objects.all(), Life.objects.exclude(held_since=None), Link.objects.exclude(frozen_at=None)):
        yield from (f"{type(row).__name__} {row}" for row in rows)


def _published(world: Shared, code: str) -> Iterator[str]:
    """Each version once; what is live is the last of them, unless it was withdrawn."""
    from django.db.models import Count

    from tansiq.exchange.models import SharedObject, Statement

    own = Statement.objects.filter(object__startswith=f"{code}:", came_from="").order_by()
    for row in own.values("object", "term", "n").annotate(count=Count("pk")).filter(count__gt=1):
        yield f"published twice: {row}"
    for shared in SharedObject.objects.filter(owner=code, statement__isnull=False).select_related("statement"):
        last = own.filter(object=shared.object).order_by("-term", "-n").values_list("term", "n").first()
        if last != (shared.statement.term, shared.statement.n):
            yield f"{shared}: {shared.statement} is live, and {last} was published"


def _applied(world: Shared, code: str) -> Iterator[str]:
    """Each version at most once, later ones later; what is live is what the desk was told last."""
    from django.db import connection

    from tansiq.exchange.models import SharedObject

    last: dict[str, tuple[int, int]] = {}
    told: dict[str, tuple[int, int] | None] = {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT verb, object, term, n FROM desk ORDER BY number")
        for verb, identifier, *version in cursor.fetchall():
            if verb == "applied" and tuple(version) <= last.get(identifier, (0, 0)):
                yield f"{identifier}: {version} after {last[identifier]}"
            if verb == "applied":
                last[identifier] = (version[0], version[1])
            told[identifier] = last[identifier] if verb == "applied" else None
    others = SharedObject.objects.exclude(owner=code).filter(statement__isnull=False).select_related("statement")
    live = {row.object: (row.statement.term, row.statement.n) for row in others}
    if live != {identifier: version for identifier, version in told.items() if version is not None}:
        yield f"live are {live}, and the desk has {told}"


def _shared(world: Shared, code: str) -> Iterator[str]:
    for peer in sorted(set(world.nodes) - {code}):
        if differing := world.compare(code, peer):
            yield f"{peer} has otherwise: {differing}"
