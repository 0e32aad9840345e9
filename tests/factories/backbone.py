"""A federation's backbone of real message servers on this machine, and a client that obeys nobody."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tansiq.cli.backbone import program
from tansiq.exchange import administration, jetstream, nkey, servers
from tansiq.exchange.body import Lane
from tansiq.exchange.transport import Transport

READY = b"Server is ready"
PASSWORD = "p" * 40
STORAGE = 4 << 30


def free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@dataclass
class Backbone:
    """One server, or three. ``seeds`` by code; ``members`` are those that the configuration names."""

    folder: Path
    members: list[str]
    count: int = 1
    quotas: jetstream.Quotas = field(default_factory=jetstream.Quotas)
    tls: servers.Tls | None = None
    seeds: dict[str, str] = field(default_factory=dict)
    administrator: str = field(default_factory=nkey.new_seed)
    processes: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ports = free_ports(2 * self.count)

    @property
    def urls(self) -> list[str]:
        scheme = "tls" if self.tls else "nats"
        return [f"{scheme}://127.0.0.1:{port}" for port in self.ports[: self.count]]

    @property
    def nodes(self) -> list[jetstream.BackboneNode]:
        return [jetstream.BackboneNode(code, nkey.public(self.seed(code))) for code in self.members]

    @property
    def specs(self) -> tuple[jetstream.StreamSpec, ...]:
        return jetstream.specs(self.nodes, replicas=self.count, quotas=self.quotas)

    def seed(self, code: str) -> str:
        return self.seeds.setdefault(code, nkey.new_seed())

    def write(self) -> None:
        for number in range(self.count):
            home = self.folder / f"server{number}"
            home.mkdir(parents=True, exist_ok=True)
            server = servers.Server(
                f"server{number}",
                f"127.0.0.1:{self.ports[number]}",
                home,
                STORAGE,
                log=home / "log",
                tls=self.tls,
            )
            routes = [f"127.0.0.1:{port}" for port in self.ports[self.count :]]
            cluster = servers.Cluster("backbone", routes[number], routes, PASSWORD) if self.count > 1 else None
            text = servers.configuration(
                server, self.nodes, administrator=nkey.public(self.administrator), cluster=cluster
            )
            (home / "conf").write_text(text)

    def begin(self, number: int = 0) -> None:
        log = self.folder / f"server{number}" / "log"
        log.unlink(missing_ok=True)
        self.processes[number] = subprocess.Popen(
            [str(program("")), "--config", str(self.folder / f"server{number}" / "conf")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        eventually(lambda: log.is_file() and READY in log.read_bytes(), 30)

    def kill(self, number: int = 0) -> None:
        """As a power cut would."""
        os.kill(self.processes[number].pid, signal.SIGKILL)
        self.processes[number].wait()

    def end(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()

    def settle(self) -> administration.Changes:
        """What a hub's operator does after a new roster."""
        self.write()
        self.reload().require()
        return self.administer()

    def reload(self) -> administration.Reloaded:
        names, authority = servers.names(self.nodes), self.tls and self.tls.authority
        return administration.reload(self.urls, self.administrator, accounts=names, authority=authority)

    def administer(self) -> administration.Changes:
        authority = self.tls and self.tls.authority
        return administration.administer(self.urls, self.administrator, self.specs, authority=authority)

    def waiting(self) -> dict[str, int]:
        """By subject, what the streams hold."""
        found = administration.fillings(self.urls, self.administrator)
        return {jetstream.subject(one.realm, one.to, one.lane, one.sender): one.messages for one in found}

    @contextmanager
    def transport(self, code: str) -> Iterator[Transport]:
        authority = self.tls.authority if self.tls else None
        with Transport(self.urls, self.seed(code), code, authority=authority) as transport:
            assert transport.wait(20), transport.trouble
            yield transport


def certified(folder: Path) -> servers.Tls:
    """A certificate for this machine's address, signed by itself, for servers and for clients."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "backbone.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(exist_ok=True)
    tls = servers.Tls(folder / "cert.pem", folder / "key.pem", folder / "cert.pem")
    tls.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    tls.key.write_bytes(private)
    return tls


def subject(to: str, sender: str, lane: Lane = Lane.NORMAL) -> str:
    return jetstream.subject("live", to, lane, sender)


class Rude:
    """A client of the plain protocol with a node's own key, that sends whatever it is told."""

    def __init__(self, url: str, seed: str) -> None:
        host, _, port = url.rpartition("//")[2].partition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=10)
        self.stream = self.socket.makefile("rb")
        info = json.loads(self.stream.readline().partition(b" ")[2])
        signature = base64.urlsafe_b64encode(nkey.sign(seed, info["nonce"].encode())).decode().rstrip("=")
        said = {"verbose": False, "headers": True, "nkey": nkey.public(seed), "sig": signature, "protocol": 1}
        self.socket.sendall(b"CONNECT " + json.dumps(said).encode() + b"\r\n")
        self.heard = self.after(b"")

    def after(self, sent: bytes) -> list[bytes]:
        """Send, and hear all lines until the server has dealt with it; ends early where it hangs up."""
        lines = []
        try:
            self.socket.sendall(sent + b"PING\r\n")
            for line in iter(self.stream.readline, b""):
                if line.startswith(b"PONG"):
                    break
                if line.startswith(b"PING"):
                    self.socket.sendall(b"PONG\r\n")
                elif not line.startswith(b"INFO"):
                    lines.append(line.rstrip())
        except OSError:
            lines.append(b"hung up")
        return lines

    def publish(self, subject: str, data: bytes = b"", reply: str = "", headers: bytes = b"") -> list[bytes]:
        if headers:
            sizes = f"{len(headers)} {len(headers) + len(data)}"
            return self.after(f"HPUB {subject} {reply} {sizes}\r\n".encode() + headers + data + b"\r\n")
        return self.after(f"PUB {subject} {reply} {len(data)}\r\n".encode() + data + b"\r\n")

    def subscribe(self, subject: str) -> list[bytes]:
        return self.after(f"SUB {subject} 7\r\n".encode())

    def close(self) -> None:
        self.stream.close()
        self.socket.close()


def eventually(said: Any, seconds: float = 20) -> None:
    import time

    until = time.monotonic() + seconds
    while not said():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)
