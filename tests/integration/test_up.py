"""The whole node as one command: real processes, real ports, real signals."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError

import pytest

from conftest import environment

PATIENCE_SECONDS = 60.0
REST_MB = 450
"""All of the node is promised to rest in 600; what comes on top in a federation is the process that opens."""
LINK = re.compile(r"^http://localhost:\d+/enter/[\w-]{43}/$", re.MULTILINE)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(said: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if said():
            return True
        time.sleep(0.1)
    return said()


@dataclass
class Up:
    """``tansiq up`` in a folder, at a port of its own."""

    home: Path
    port: int
    process: subprocess.Popen[str]
    log: Path

    def said(self) -> str:
        return self.log.read_text()

    def status(self, path: str = "/account/login/") -> int:
        try:
            with urllib.request.urlopen(f"http://localhost:{self.port}{path}", timeout=5) as answer:
                return int(answer.status)
        except HTTPError as error:
            return error.code
        except OSError:
            return 0

    def processes(self) -> dict[int, str]:
        """Of this node, by their id: those whose environment names its folder, but for shells and tests."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                mine = f"TANSIQ_HOME={self.home}\0" in (folder / "environ").read_text()
                state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
                if mine and state != "Z":
                    found[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ").strip()
            except OSError:
                continue
        return found

    def children(self) -> set[int]:
        return {pid for pid in self.processes() if parent(pid) == self.process.pid}

    def one(self, ending: str) -> int:
        """The id of the child of `up` whose command ends so."""
        mine = self.children()
        found = [pid for pid, line in self.processes().items() if pid in mine and line.endswith(ending)]
        assert len(found) == 1, (ending, self.processes())
        return found[0]


def parent(pid: int) -> int:
    """0 of a process that is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def resident_mb(pid: int) -> int:
    """What the process has in memory, shared pages counted in full."""
    found = re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found[1]) // 1024 if found else 0


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return not probe.connect_ex(("127.0.0.1", port))


Start = Callable[..., Up]
COMPILES = "refresh(settings.HOME)"  # a process that ends by itself


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """``start(home, "--code", …)``: an `up` that answers; whatever it leaves behind is killed at the end."""
    begun: list[Up] = []

    def start(home: Path, *options: str, wait: bool = True, **extra: str) -> Up:
        port, log = free_port(), tmp_path / f"log{len(begun)}"
        command = [sys.executable, "-m", "tansiq", "up", "--port", str(port), *options]
        with log.open("w") as out:
            process = subprocess.Popen(
                command, env=environment(home) | extra, stdin=subprocess.DEVNULL, stdout=out, stderr=out, text=True
            )
        up = Up(home, port, process, log)
        begun.append(up)
        if wait:
            assert eventually(lambda: "The portal is at" in up.said() or process.poll() is not None), up.said()
            assert eventually(lambda: up.status() == 200), up.said()
        return up

    yield start
    for up in begun:
        for pid in up.processes():
            with suppress(ProcessLookupError):  # it was ending
                os.kill(pid, signal.SIGKILL)
        up.process.wait()


def test_up_from_nothing_answers_and_ctrl_c_leaves_no_process(start: Start, empty_home: Path) -> None:
    up = start(empty_home, "--code", "XA-CERT", "--name", "CERT of XA", "--language", "fr")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (empty_home / "secrets").iterdir()}
    lasting = {pid: line for pid, line in up.processes().items() if COMPILES not in line}
    resident = sum(resident_mb(pid) for pid in lasting)
    parts = sorted(line.rpartition(" ")[2] for line in lasting.values())

    up.process.send_signal(signal.SIGINT)
    code = up.process.wait(PATIENCE_SECONDS)

    assert (code, up.processes()) == (0, {})
    assert "it is killed" not in up.said()
    assert resident < REST_MB
    assert modes == {"session.key": 0o600, "backbone.token": 0o600}
    assert stat.S_IMODE(empty_home.stat().st_mode) == 0o700
    assert len(LINK.findall(up.said())) == 1
    assert "Node XA-CERT, CERT of XA, in" in up.said()
    assert "Traceback" not in up.said()
    assert parts == sorted(["serve", "web", "web", "work", str(empty_home / "backbone/server.conf"), "fr"])


def test_up_link_lets_the_first_administrator_in(start: Start, home: Path) -> None:
    up = start(home, "--code", "XA-CERT", "--name", "CERT of XA", "--language", "en")
    link = LINK.findall(up.said())[0]

    answered = eventually(lambda: up.status(link.partition(f":{up.port}")[2]) == 200)
    refused = eventually(lambda: up.status("/enter/" + "x" * 43 + "/") == 410)

    assert (answered, refused) == (True, True)


def test_up_on_a_folder_that_is_up_says_so(start: Start, home: Path) -> None:
    up = start(home, "--code", "XA-CERT", "--name", "CERT of XA", "--language", "en")

    second = start(home, wait=False)

    assert second.process.wait(PATIENCE_SECONDS) == 1
    assert f"running already: process {up.process.pid}, http://localhost:{up.port}" in second.said()
    assert eventually(lambda: up.status() == 200)


def test_up_at_a_port_in_use_says_what_to_do(start: Start, home: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        up = start(home, "--port", str(port), wait=False)
        code = up.process.wait(PATIENCE_SECONDS)

    assert code == 1
    assert f"Port {port} of 127.0.0.1 is in use" in up.said()
    assert "--port or TANSIQ_PORT" in up.said()


def test_up_without_options_or_terminal_assumes_and_says_so(start: Start, home: Path) -> None:
    up = start(home)

    assert "Nobody to ask, so this node is " in up.said()


def test_up_starts_killed_parts_again_and_dies_with_all_of_them(start: Start, home: Path) -> None:
    up = start(home, "--code", "XA-CERT", "--name", "CERT of XA", "--language", "en")
    before = {ending: up.one(ending) for ending in ("web", "work", "server.conf")}

    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    again = eventually(lambda: len(up.children()) == 4 and not set(before.values()) & up.children())
    answering = eventually(lambda: up.status() == 200)
    port = int((home / "backbone/port").read_text())
    reachable = eventually(lambda: listening(port))
    os.kill(up.process.pid, signal.SIGKILL)
    gone = eventually(lambda: not up.processes())

    assert (again, answering, reachable, gone) == (True, True, True, True), (up.said(), up.processes())
    for part in ("web server", "worker", "message server"):
        assert f"The {part} ended (signal 9); it is started again in 1 s." in up.said()


def test_up_after_a_killed_one_starts_at_once(start: Start, home: Path) -> None:
    first = start(home, "--code", "XA-CERT", "--name", "CERT of XA", "--language", "en")
    os.kill(first.process.pid, signal.SIGKILL)

    second = start(home, "--port", str(first.port), wait=False)

    assert eventually(lambda: "The portal is at" in second.said()), second.said()


def test_up_with_a_federation_backbone_starts_no_server_of_its_own(start: Start, home: Path) -> None:
    up = start(home, "--code", "XA-CERT", TANSIQ_BACKBONE_URL="tls://backbone.example:4222")

    assert [line for line in up.processes().values() if "server.conf" in line] == []


def test_up_of_a_hub_listens_where_settings_say_and_doctor_is_let_in(start: Start, home: Path) -> None:
    port = free_port()
    hub = {"TANSIQ_BACKBONE_LISTEN": f"127.0.0.1:{port}"}
    up = start(home, "--code", "XA-CERT", "--name", "CERT of XA", "--language", "en", **hub)

    reachable = eventually(lambda: listening(port))
    done = subprocess.run(
        [sys.executable, "-m", "tansiq", "doctor", "--json"],
        env=environment(home) | hub,
        capture_output=True,
        text=True,
    )

    told = (home / "backbone/server.conf").read_text()
    assert reachable, up.said()
    assert "backbone.silent" not in [json.loads(line).get("code") for line in done.stdout.splitlines()]
    assert ("token" in told, told.count('"nkey"')) == (False, 1)
    assert stat.S_IMODE((home / "secrets/backbone.nkey").stat().st_mode) == 0o600


def test_up_of_a_hub_in_the_clear_for_other_machines_is_refused(start: Start, home: Path) -> None:
    up = start(home, wait=False, TANSIQ_BACKBONE_LISTEN=f"0.0.0.0:{free_port()}")

    code = up.process.wait(PATIENCE_SECONDS)

    assert code == 2
    assert "for other machines, without encryption" in up.said()


def test_up_with_a_missing_message_server_says_what_to_do(start: Start, home: Path) -> None:
    up = start(home, wait=False, TANSIQ_NATS_SERVER="/nowhere/nats-server")

    assert up.process.wait(PATIENCE_SECONDS) == 3
    assert "/nowhere/nats-server" in up.said()


@pytest.mark.parametrize("key", [b"\x03", b"\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_up_ends_without_a_word_where_its_questions_are_not_answered(empty_home: Path, key: bytes) -> None:
    command = [sys.executable, "-m", "tansiq", "up", "--port", str(free_port())]
    with_home = environment(empty_home)  # may ask the database's server: not over a connection that was forked
    pid, terminal = pty.fork()
    if not pid:  # pragma: no cover
        os.execve(sys.executable, command, with_home)
    said = b""
    while b"]: " not in said:
        said += os.read(terminal, 4096)

    os.write(terminal, key)
    _pid, status = os.waitpid(pid, 0)

    assert os.waitstatus_to_exitcode(status) == 130
    assert b"Traceback" not in said + rest_of(terminal)


def rest_of(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # nobody is at the other end any more
        return b""


def test_up_lock_names_process_and_address(start: Start, home: Path) -> None:
    up = start(home)

    said = json.loads((home / "up.lock").read_text())

    assert said == {"pid": up.process.pid, "address": f"http://localhost:{up.port}", "port": up.port}


def test_doctor_asks_the_portal_where_it_listens(start: Start, home: Path) -> None:
    start(home)  # at a port that only `up` was told

    done = subprocess.run(
        [sys.executable, "-m", "tansiq", "doctor", "--json"], env=environment(home), capture_output=True, text=True
    )

    codes = [json.loads(line).get("code") for line in done.stdout.splitlines()]
    assert "web.silent" not in codes


def test_whois_answers_on_a_node_just_started(start: Start, home: Path) -> None:
    up = start(home)

    assert eventually(lambda: up.status("/whois.json?target=MA") == 200), up.said()


def test_how_to_names_every_part_in_the_order_in_which_they_end_and_how_to_run_it_alone(tmp_path: Path) -> None:
    from tansiq.cli import up
    from tansiq.core.home import Home

    text = (Path(__file__).parents[2] / "docs/how-to/run-a-node.md").read_text(encoding="utf-8")
    wanted = up.parts(Home(tmp_path, tmp_path / "lake", ""), "XA", access_log=False)
    *first, last = [str(part.name) for part in reversed(wanted)]
    ours = [part.command() for part in wanted[1:]]

    assert f"ends {', '.join(first)} and {last} in that order" in text
    assert [" ".join(words[4:]) for words in ours] == ["work", "exchange serve", "web"]
    assert all(f"`tansiq {' '.join(words[4:])}`" in text for words in ours)
