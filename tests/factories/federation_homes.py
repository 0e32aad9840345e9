"""``made(folder, set_up_home, ("XA", "XB"))``: real nodes in folders of their own, with keys and a roster of all.

The first code's node founds, signs and has the register. Each node runs one team of the same code. Making them takes
seconds a node, so a session makes them once and tests take copies (``homes.copied(folder)``). ``begin`` starts a real
message server for them, ``serving`` the exchange of one node as a process of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from factories import postgres as databases
from factories.backbone import READY, STORAGE, eventually, free_ports
from tansiq.cli.backbone import program
from tansiq.exchange import administration, jetstream, nkey, roster_reading, servers
from tansiq.exchange.roster_signing import SignedRoster

NAMED = """
from datetime import UTC, datetime
from tansiq.cli import node
node.opened()
from tansiq.members.actions.node import first_administrator
first_administrator(code="{code}", name="Node {code}", language="en", team_code="", hosts_secretariat={is_first},
    now=datetime.now(UTC))
"""
TEAM = """
[[team]]
code = "{code}"
name = "Team {code}"
periods = [ {{ category = "full", since = 2020-01-31, decision = "d" }} ]
claims = {{ asn = [{asn}] }}
contacts = [ {{ kind = "email", value = "cert@{lower}.example" }} ]
"""


@dataclass
class Homes:
    """Nodes by code.

    Attributes:
        settings: environment of every node besides its home; ``of_node`` of one.
    """

    folder: Path
    codes: tuple[str, ...]
    settings: dict[str, str] = field(default_factory=dict)
    of_node: dict[str, dict[str, str]] = field(default_factory=dict)
    administrator: str = field(default_factory=nkey.new_seed)
    server: subprocess.Popen[bytes] | None = None
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def home(self, code: str) -> Path:
        return self.folder / code

    def environment(self, code: str) -> dict[str, str]:
        foreign = ("TANSIQ_", "DJANGO_", "LC_", "LANG")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        kept |= {"TANSIQ_HOME": str(self.home(code)), "TANSIQ_LANGUAGE": "en", "PYTHONUTF8": "1"}
        url = databases.url_of(self.home(code))
        database = {"TANSIQ_DATABASE_URL": url} if url else {}
        return kept | {"PYTHONWARNINGS": "error"} | database | self.settings | self.of_node.get(code, {})

    # ---- commands

    def run(self, code: str, *arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        """``tansiq …`` on a node, to its end."""
        return self._finished(code, ["-m", "tansiq", *map(str, arguments)], more)

    def python(self, code: str, text: str) -> str:
        """A program of the test's own on a node, with its database; what it prints."""
        done = self.program(code, text)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def program(self, code: str, text: str) -> subprocess.CompletedProcess[str]:
        """The same, whatever becomes of it."""
        return self._finished(code, ["-c", "from tansiq.cli import node; HOME = node.opened()\n" + text], {})

    def json(self, code: str, *arguments: str | Path, exit_code: int = 0, **more: str) -> Any:
        """The one object that ``tansiq … --json`` prints, or the list of several."""
        done = self.run(code, *arguments, "--json", **more)
        assert done.returncode == exit_code, (done.returncode, done.stdout[-2000:], done.stderr[-2000:])
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return lines[0] if len(lines) == 1 else lines

    def _finished(self, code: str, arguments: list[str], more: dict[str, str]) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *arguments]
        environment = self.environment(code) | more
        return subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300
        )

    def exchanged(self, *codes: str, until: Callable[[], bool]) -> dict[str, list[dict[str, Any]]]:
        """``tansiq exchange send`` by one after the other, until that is so; what each round of each node said.

        A third node that is away keeps a round from ending before its time, so each is short and there are as many as
        it takes.
        """
        said: dict[str, list[dict[str, Any]]] = {code: [] for code in codes}
        end = time.monotonic() + 180
        while not until():
            assert time.monotonic() < end, said
            for code in codes:
                said[code].append(self.json(code, "exchange", "send", "--wait", "1"))
        return said

    # ---- processes

    def begin(self, *joining: jetstream.BackboneNode) -> None:
        """A message server for all of them, and for those that are still to join, from now on."""
        nodes = [*self.nodes(), *joining]
        folder = self.folder / "backbone"
        folder.mkdir()
        (port,) = free_ports(1)
        log = folder / "log"
        server = servers.Server("hub", f"127.0.0.1:{port}", folder / "store", STORAGE, log=log)
        text = servers.configuration(server, nodes, administrator=nkey.public(self.administrator))
        (folder / "conf").write_text(text)
        command = [str(program("")), "--config", str(folder / "conf")]
        self.server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(lambda: log.is_file() and READY in log.read_bytes(), 30)
        url = f"nats://127.0.0.1:{port}"
        specs = jetstream.specs(nodes, replicas=1, quotas=jetstream.Quotas())
        administration.administer([url], self.administrator, specs)
        self.settings["TANSIQ_BACKBONE_URL"] = url

    def nodes(self) -> list[jetstream.BackboneNode]:
        roster = roster_reading.read(SignedRoster.read((self.folder / "roster.json").read_bytes()).text)
        return [jetstream.BackboneNode(one.code, one.nkey, roster.realm) for one in roster.nodes]

    @contextmanager
    def serving(self, *codes: str) -> Iterator[dict[str, subprocess.Popen[str]]]:
        """``tansiq exchange serve`` on each of these, until the end."""
        started = {code: self.serve(code) for code in codes}
        try:
            for code in codes:
                eventually(lambda code=code: self.is_served(code), 30)
            yield started
        finally:
            for process in started.values():
                process.send_signal(signal.SIGTERM)
            for process in started.values():
                process.wait(30)

    def serve(self, code: str) -> subprocess.Popen[str]:
        said = (self.folder / f"{code}.log").open("a")
        command = [sys.executable, "-m", "tansiq", "exchange", "serve"]
        process = subprocess.Popen(command, env=self.environment(code), stdout=said, stderr=said, text=True)
        said.close()
        self.processes.append(process)
        return process

    def is_served(self, code: str) -> bool:
        """Does a process say that it works on the node's links?"""
        text = "from datetime import UTC, datetime; from tansiq.exchange.node import serving\n"
        return "True" in self.python(code, text + "print(serving.served(datetime.now(UTC)) is not None)")

    def end(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        if self.server is not None:
            self.server.kill()
            self.server.wait()

    @contextmanager
    def copied(self, folder: Path) -> Iterator[Homes]:
        """The same nodes, with the same keys, in another folder; whatever runs there ends in the end."""
        shutil.copytree(self.folder, folder)
        copy = Homes(folder, self.codes)
        try:
            yield copy
        finally:
            copy.end()


def added(homes: Homes, set_up_home: Path, code: str) -> None:
    """One more node, named and of no federation yet."""
    shutil.copytree(set_up_home, homes.home(code))
    homes.python(code, NAMED.format(code=code, is_first=False))


def made(folder: Path, set_up_home: Path, codes: Sequence[str]) -> Homes:
    """Nodes that were founded and admitted, none of which runs.

    Args:
        set_up_home: a node just set up, to be copied.
    """
    folder.mkdir(parents=True, exist_ok=True)
    homes = Homes(folder, tuple(codes))
    first = codes[0]
    for code in codes:
        shutil.copytree(set_up_home, homes.home(code))
        homes.python(code, NAMED.format(code=code, is_first=code == first))
    teams = "".join(TEAM.format(code=code, asn=64496 + number, lower=code.lower()) for number, code in enumerate(codes))
    (folder / "teams.toml").write_text(teams)
    _done(homes.run(first, "members", "import", folder / "teams.toml"))
    founded = homes.json(first, "roster", "found", "--mail", address(first), "--out", folder / "founded.json")
    for code in codes[1:]:
        _done(homes.run(code, "roster", "request", "--mail", address(code), "--out", folder / f"{code}.json"))
    admitted = [said for code in codes[1:] for said in ("--admit", folder / f"{code}.json")]
    _done(homes.run(first, "roster", "issue", *admitted, "--out", folder / "roster.json"))
    for code in codes[1:]:
        files = (folder / "founded.json", folder / "roster.json")
        _done(homes.run(code, "roster", "accept", *files, "--digest", founded["digest"]))
    if databases.running:
        for code in codes:
            databases.running.settle(homes.home(code))
    return homes


PUBLISH_DIRECTORY = """
from datetime import UTC, datetime
from tansiq.exchange.directory import publishing
from tansiq.exchange.node import rosters
now = datetime.now(UTC)
print(publishing.publish_changes(rosters.here(HOME, now=now), None, now))
"""
"""For ``Homes.python``: the node's team publishes what it says of itself. Prints how many objects that are."""

PUBLISH = """
from datetime import UTC, datetime
from tansiq.core.marking import Audience, Marking, Tlp
from tansiq.exchange.body import Lane
from tansiq.exchange.kinds import KNOWN, Kind
from tansiq.exchange.node import publishing, rosters
now = datetime.now(UTC)
here = rosters.here(HOME, now=now)
nothing = lambda *anything: None
KNOWN.register(Kind("new.kind", 1, Lane("{lane}"), lambda payload: True, nothing, nothing))
marking = Marking(Tlp.AMBER_STRICT, here.team, Audience.of(teams={teams}))
publishing.publish_all(here, [
    publishing.Change(kind="new.kind", name=f"thing.{{number}}", payload={{"text": "words"}}, markings=[marking],
        team=here.team)
    for number in range({count})
], now)
"""
"""For ``Homes.python``, to be formatted: ``count`` objects for ``teams``, of a kind that other programs do not know."""


def address(code: str) -> str:
    """Of a node's exchange."""
    return f"exchange@{code.lower()}.example"


def _done(finished: subprocess.CompletedProcess[str]) -> None:
    assert finished.returncode == 0, finished.stdout + finished.stderr
