"""Figures of the portal: pages and look-ups over HTTP from other processes, on SQLite and on PostgreSQL.

    python -m bench.portal [--teams 2000] [--requests 400] [--clients 1 8] [--out bench/out/portal]

A real node in a folder of its own, its web server as ``tansiq web`` starts it, clients that keep their connections.
Times are seen by the client, on this machine, so that they hold the server's time and the loopback's.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import json
import multiprocessing
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.factories import postgres

TANSIQ = [sys.executable, "-m", "tansiq"]
SEED = 20261122


@dataclass(frozen=True)
class Load:
    """What clients ask for: a name for the table, and how the n-th path is made."""

    name: str
    paths: Sequence[str]


def directory(teams: int) -> str:
    """TOML of invented teams in the user-assigned countries, each with claims and a contact."""
    rows = []
    for number in range(teams):
        rows.append(
            f'[[team]]\ncode = "XB-{number:05}"\n'
            f'name = {{ en = "Team {number}", fr = "Équipe {number}", ar = "فريق {number}" }}\n'
            f'contacts = [ {{ kind = "email", value = "team{number}@example.example", role = "duty officer" }} ]\n'
            f'claims = {{ asn = [{4200000000 + number}], cidr = ["10.{number // 256}.{number % 256}.0/24"], '
            f'domain = ["t{number}.example"] }}\n'
        )
    return "\n".join(rows)


@contextmanager
def served(home: Path, database: str) -> Iterator[tuple[int, int]]:
    """The portal's process: its port and its process number."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"TANSIQ_HOME": str(home), "TANSIQ_DATABASE_URL": database, "TANSIQ_PORT": str(port)}
    process = subprocess.Popen([*TANSIQ, "web"], env=environment, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


def wait_for(port: int) -> None:
    for _attempt in range(300):
        try:
            if fetch(http.client.HTTPConnection("127.0.0.1", port, timeout=10), "/whois.json?target=XA")[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit("the portal did not answer within 30 s")


def fetch(connection: http.client.HTTPConnection, path: str) -> tuple[int, bytes]:
    connection.request("GET", path, headers={"Accept-Encoding": "gzip", "Host": "localhost"})
    answer = connection.getresponse()
    return answer.status, answer.read()


def client(port: int, paths: Sequence[str], seed: int, into: multiprocessing.Queue[list[float]]) -> None:
    draw = random.Random(seed)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    taken = []
    for path in draw.sample(list(paths), len(paths)):
        begun = time.perf_counter()
        status, _body = fetch(connection, path)
        taken.append(time.perf_counter() - begun)
        if status != 200:
            raise SystemExit(f"{path}: {status}")
    into.put(taken)


def measured(port: int, load: Load, clients: int) -> None:
    into: multiprocessing.Queue[list[float]] = multiprocessing.Queue()
    each = max(1, len(load.paths) // clients)
    begun = time.perf_counter()
    started = [
        multiprocessing.Process(target=client, args=(port, load.paths[n * each : (n + 1) * each], SEED + n, into))
        for n in range(clients)
    ]
    for process in started:
        process.start()
    taken = sorted(second for _process in started for second in into.get(timeout=600))
    elapsed = time.perf_counter() - begun
    p50, p95, p99 = (taken[min(len(taken) - 1, int(len(taken) * share))] * 1000 for share in (0.50, 0.95, 0.99))
    print(
        f"{load.name:24} {clients} clients  p50 {p50:7.1f}  p95 {p95:7.1f}  p99 {p99:7.1f} ms"
        f"  {len(taken) / elapsed:7.1f} requests/s"
    )


def weight(port: int, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    _status, body = fetch(connection, path)
    plain = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
    print(f"{path:24} {len(plain) / 1000:7.1f} kB, {len(body) / 1000:.1f} kB as sent")


def resident(pid: int) -> float:
    """Megabytes of a process and its children, shared pages counted once a sharer (PSS)."""
    listed = subprocess.run(["ps", "--ppid", str(pid), "-o", "pid="], capture_output=True, text=True).stdout.split()
    total = 0
    for number in (str(pid), *listed):
        rollup = Path(f"/proc/{number}/smaps_rollup").read_text()
        total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return total / 1000


def figures(home: Path, database: str, teams: int, requests: int, clients: Sequence[int]) -> None:
    asked = [f"/whois.json?target={target}" for n in range(requests) for target in targets(n % teams)][:requests]
    loads = (Load("whois as JSON", asked), Load(f"directory, {teams:,} teams", ["/teams/"] * max(40, requests // 8)))
    with served(home, database) as (port, pid):
        for load in loads:
            for number in clients:
                measured(port, load, number)
        for path in ("/", "/teams/", "/map/", "/whois/?target=XA", "/static/tansiq.css"):
            weight(port, path)
        print(f"memory of the web server: {resident(pid):.0f} MB")


def targets(number: int) -> tuple[str, ...]:
    return (
        f"10.{number // 256}.{number % 256}.7",
        f"AS{4200000000 + number}",
        f"www.t{number}.example",
        "192.0.2.1",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--teams", type=int, default=2000)
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--out", type=Path, default=Path("bench/out/portal"))
    wanted = parser.parse_args()
    with postgres.cluster() as server:
        for name, database in (("SQLite", ""), ("PostgreSQL", server and server.address)):
            if database is None:
                print("PostgreSQL: not installed, left out")
                continue
            home = wanted.out / name.lower()
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir(parents=True)
            teams = home / "teams.toml"
            teams.write_text(directory(wanted.teams))
            environment = os.environ | {"TANSIQ_HOME": str(home), "TANSIQ_DATABASE_URL": database}
            done = subprocess.run(
                [*TANSIQ, "members", "import", teams, "--json"], env=environment, capture_output=True, check=True
            )
            print(f"{name}: {json.loads(done.stdout)['teams']} teams")
            figures(home, database, wanted.teams, wanted.requests, wanted.clients)


if __name__ == "__main__":
    main()
