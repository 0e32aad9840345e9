"""A PostgreSQL server of one's own for a measurement, where Debian's server is installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def postgres() -> Iterator[str | None]:
    """The address of a private cluster on loopback; None where the server's programs are missing."""
    found = {program: program_of_server(program) for program in ("initdb", "pg_ctl")}
    if not all(found.values()):
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="tansiq-bench-"))
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []  # it refuses to run as root
    if as_user:
        shutil.chown(folder, "postgres", "postgres")
    cluster = str(folder / "cluster")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def server(*command: str | None) -> None:
        subprocess.run([*as_user, *map(str, command)], check=True, cwd="/", stdout=subprocess.DEVNULL)

    server(found["initdb"], "-D", cluster, "-A", "trust", "-U", "tansiq")
    where = f"-k {folder} -c listen_addresses=127.0.0.1 -p {port}"
    server(found["pg_ctl"], "-D", cluster, "-w", "-l", f"{cluster}/log", "-o", where, "start")
    try:
        yield f"postgresql://tansiq@127.0.0.1:{port}/postgres"
    finally:
        server(found["pg_ctl"], "-D", cluster, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def program_of_server(name: str) -> str | None:
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))  # which Debian keeps out of the path
    return shutil.which(name) or (str(places[-1]) if places else None)
