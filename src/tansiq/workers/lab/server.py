"""The lab's message server: the bundled program, told what a hub tells it, and what it says of its traffic."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tansiq.core.errors import N_, TansiqError
from tansiq.exchange import administration, jetstream, nkey, servers
from tansiq.exchange.jetstream import BackboneNode
from tansiq.workers.lab.place import Place
from tansiq.workers.parent import tied_to

STORAGE_BYTES = 10 << 30
START_SECONDS = 20.0
END_SECONDS = 10.0


class ServerSilent(TansiqError):
    code = "lab.server"
    message = N_("The lab's message server does not answer within {seconds} s.")
    remedy = N_("See what it says in {log}.")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class MessageServer:
    """One process. ``program``: the file of nats-server."""

    place: Place
    program: Path
    port: int
    monitor: int
    seed: str
    process: subprocess.Popen[bytes] | None = None

    @property
    def urls(self) -> Sequence[str]:
        return [f"nats://127.0.0.1:{self.port}"]

    @classmethod
    def drawn(cls, place: Place, program: Path) -> MessageServer:
        return cls(place, program, free_port(), free_port(), nkey.new_seed())

    def configure(self, nodes: Iterable[BackboneNode]) -> Path:
        self.place.server.mkdir(mode=0o700, exist_ok=True)
        server = servers.Server(
            "lab", f"127.0.0.1:{self.port}", self.place.server / "store", STORAGE_BYTES, self.place.log("nats")
        )
        text = servers.configuration(server, nodes, administrator=nkey.public(self.seed))
        file = self.place.server / "server.conf"
        file.write_text(f'{text}http: "127.0.0.1:{self.monitor}"\n')
        return file

    def start(self, nodes: Sequence[BackboneNode]) -> None:
        """Raises: ServerSilent."""
        file = self.configure(nodes)
        self.process = subprocess.Popen(
            [str(self.program), "--config", str(file)],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=tied_to(os.getpid()),
        )
        self._await()
        self.apply(nodes, reload=False)

    def apply(self, nodes: Sequence[BackboneNode], *, reload: bool = True) -> None:
        """Bring the server to a roster: who may come, then the streams."""
        if reload:
            self.configure(nodes)
            administration.reload(self.urls, self.seed, accounts=servers.names(nodes)).require()
        specs = jetstream.specs(nodes, replicas=1, quotas=jetstream.Quotas.for_storage(STORAGE_BYTES, len(nodes)))
        administration.administer(self.urls, self.seed, specs)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def said(self, page: str) -> dict[str, Any]:
        """A page of the server's monitoring: ``varz``, ``connz`` …"""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.monitor}/{page}", timeout=10) as answer:
            told: dict[str, Any] = json.load(answer)
        return told

    def _await(self) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            try:
                self.said("varz")
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise ServerSilent(seconds=int(START_SECONDS), log=self.place.log("nats"))
