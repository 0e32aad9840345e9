"""A lab in this process: its folder, its message server, its nodes; what may be done to them from outside."""

from __future__ import annotations

import os
import resource
import shutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tansiq.workers.lab import deeds, faults, founding, node
from tansiq.workers.lab.crew import Crew, children_of, memory_of, processor_seconds
from tansiq.workers.lab.faults import EVERYBODY, Faults
from tansiq.workers.lab.place import CLONE, LabThere, Place
from tansiq.workers.lab.server import MessageServer

FEW = 10
A_START_SECONDS = 1.0
LITTLE_BYTES = 4096
"""What a process on a full disk may still write."""
FREE = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


@dataclass(slots=True)
class Lab:
    """``faults``: node -> what goes wrong at it now. ``gone``: members that a roster has removed.
    ``time_passed``: seconds by which everybody's clock was moved."""

    place: Place
    crew: Crew
    server: MessageServer
    codes: Sequence[str]
    times: founding.Times
    faults: dict[str, Faults] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    time_passed: float = 0.0

    @classmethod
    def up(cls, folder: Path, codes: Sequence[str], *, program: Path, seed: int = 1) -> Lab:
        """Set up in an empty folder, the message server running, the nodes not yet. Raises: LabThere."""
        if folder.exists() and any(folder.iterdir()):
            raise LabThere(folder=folder)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        place = Place(folder)
        crew = Crew(place, node.serve)
        crew.ready()
        times = founding.found(place, crew, codes)
        server = MessageServer.drawn(place, program)
        lab = cls(place, crew, server, codes, times)
        lab._write(seed)
        with times.of("server"):
            server.start(founding.members(place, 2))
        return lab

    @classmethod
    def again(cls, folder: Path, *, program: Path) -> Lab:
        """One that was ended: its server and, with ``start``, its nodes. Raises: NoLab."""
        place = Place(folder)
        said = place.read()
        crew = Crew(place, node.serve)
        crew.ready()
        server = MessageServer(place, program, said["port"], said["monitor"], said["administrator"])
        server.start(founding.members(place, founding.newest(place)))
        return cls(place, crew, server, said["nodes"], founding.Times())

    def _write(self, seed: int) -> None:
        server = self.server
        self.place.write(
            {
                "seed": seed,
                "nodes": list(self.codes),
                "url": server.urls[0],
                "port": server.port,
                "monitor": server.monitor,
                "administrator": server.seed,
                "keeper": os.getpid(),
            }
        )

    @property
    def members(self) -> list[str]:
        return [code for code in self.codes if code not in self.gone]

    def start(self) -> None:
        """All nodes. Many one after the other: each has something to say to every other as soon as it runs."""
        for code in self.members:
            self.crew.start(code)
            if len(self.codes) > FEW:
                time.sleep(A_START_SECONDS)

    def down(self) -> None:
        self.crew.stop(*list(self.crew.running))
        self.server.stop()

    # ---- what goes wrong

    def spoil(self, names: Iterable[str], **changes: Any) -> None:
        """Change the faults of nodes, those of their copies too."""
        for name in names:
            now = self.faults.get(name, Faults())
            self.faults[name] = replace(now, **changes)
            faults.write(self.place.faults(name), self.faults[name])

    def heal(self, names: Iterable[str]) -> None:
        """Nothing goes wrong there any more; the clock is as wrong as everybody's."""
        common = self.time_passed
        for name in names:
            tap = self.faults.get(name, Faults()).tap
            self.faults[name] = Faults(skew_seconds=common, tap=tap)
            faults.write(self.place.faults(name), self.faults[name])
            self.limit_disk(name, FREE)

    def pass_time(self, seconds: float) -> None:
        """It is so much later, at every node."""
        self.time_passed += seconds
        for name in self.codes:
            self.spoil([name], skew_seconds=self.faults.get(name, Faults()).skew_seconds + seconds)

    def cut(self, names: Iterable[str], peers: Iterable[str], way: str) -> None:
        others = frozenset(peers)
        for name in names:
            now = self.faults.get(name, Faults())
            out = now.cut_out | others if way != "in" else now.cut_out
            within = now.cut_in | others if way != "out" else now.cut_in
            self.spoil([name], cut_out=out, cut_in=within)

    def limit_disk(self, name: str, limit: tuple[int, int] = (LITTLE_BYTES, resource.RLIM_INFINITY)) -> None:
        """No file may grow beyond; what is written anew in it may."""
        if (pid := self.crew.running.get(name)) is not None:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limit)

    # ---- what an operator does

    def restore(self, name: str, *, declared: bool) -> None:
        """The node's database is as it was when ``deeds.back_up`` was done."""
        self.crew.kill(name)
        database = self.place.home(name).database
        for suffix in ("-wal", "-shm"):
            Path(f"{database}{suffix}").unlink(missing_ok=True)
        shutil.copyfile(self.place.backup(name), database)
        if declared:
            self.crew.do(name, deeds.declare_restored)
        self.crew.start(name)

    def clone(self, code: str) -> str:
        """A second process on a copy of a node. Returns: its name."""
        name = f"{code}{CLONE}1"
        was_running = code in self.crew.running
        self.crew.stop(code)
        shutil.copytree(self.place.home(code).path, self.place.home(name).path)
        self.faults[name] = self.faults.get(code, Faults())
        faults.write(self.place.faults(name), self.faults[name])
        if was_running:
            self.crew.start(code)
        self.crew.start(name)
        return name

    def issue(self, **changes: Sequence[str]) -> int:
        """A roster by the first node, followed by the message server. Returns: its epoch."""
        epoch: int = self.crew.do(self.codes[0], deeds.issue, **changes)
        self.server.apply(founding.members(self.place, epoch))
        return epoch

    # ---- how it stands

    def stand(self) -> dict[str, Any]:
        """Processes, memory, processor time, and the message server's traffic since it started."""
        crew = self.crew
        openers = {name: children_of(pid) for name, pid in crew.running.items()}
        traffic = self.server.said("varz")
        return {
            "folder": str(self.place.folder),
            "nodes": len(self.codes),
            "setup_seconds": self.times.parts,
            "running": {
                name: {"pid": pid, "memory": _memory([pid]), "opener": _memory(openers[name])}
                for name, pid in crew.running.items()
            },
            "ended": crew.ended,
            "memory": {
                "nodes": _memory(list(crew.running.values())),
                "openers": _memory([pid for pids in openers.values() for pid in pids]),
            },
            "processor_seconds": processor_seconds(
                [*crew.running.values(), *(pid for pids in openers.values() for pid in pids)]
            ),
            "server": {
                "pid": self.server.process.pid if self.server.process else None,
                "in_bytes": traffic["in_bytes"],
                "out_bytes": traffic["out_bytes"],
                "connections": traffic["connections"],
            },
        }


def _memory(pids: Sequence[int]) -> dict[str, int]:
    resident, proportional = memory_of(pids)
    return {"rss_bytes": resident, "pss_bytes": proportional}


__all__ = ["EVERYBODY", "Lab"]
