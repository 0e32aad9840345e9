"""A scenario from its first step to its proof."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tansiq.exchange.body import Lane
from tansiq.workers.lab import deeds, proving
from tansiq.workers.lab.faults import EVERYBODY
from tansiq.workers.lab.lab import FREE, Lab
from tansiq.workers.lab.place import CLONE, code_of
from tansiq.workers.lab.proving import NotOne, Tell
from tansiq.workers.lab.scenario import Scenario, Step

STORM_PAUSE_SECONDS = (0.05, 0.6)
EXPECTED_SECONDS = 60.0


@dataclass(slots=True)
class Run:
    """One scenario in one lab. ``markers``: planted text -> the nodes that were ever to have it."""

    lab: Lab
    scenario: Scenario
    tell: Tell
    chance: random.Random
    markers: dict[str, frozenset[str]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    series: int = 0
    sticks: int = 0

    def go(self) -> dict[str, Any]:
        """Returns: figures of it. Raises: NotOne, DeedFailed."""
        lab, scenario = self.lab, self.scenario
        lab.spoil(lab.codes, tap=True, **scenario.faults)
        lab.start()
        begun = time.monotonic()
        for step in scenario.steps:
            self.tell(f"{step.number}. {step.do} {dict(step.said)}")
            STEPS[step.do](self, step)
        stepped = time.monotonic() - begun
        times = proving.come_together(lab, within_seconds=scenario.within_seconds, tell=self.tell)
        looked = proving.prove(lab, self.markers)
        return {
            "title": scenario.title,
            "nodes": len(lab.codes),
            "seed": scenario.seed,
            "setup_seconds": lab.times.parts,
            "seconds": {"steps": round(stepped, 1)} | times,
            "done": self.counts,
            "proven": looked,
        }

    # ---- whom a step is about

    def names(self, said: Mapping[str, Any]) -> list[str]:
        """All members, those named, or as many as said, drawn."""
        match said.get("at", EVERYBODY):
            case "*":
                return self.lab.members
            case int(count):
                return sorted(self.chance.sample(self.lab.members, min(count, len(self.lab.members))))
            case list(named):
                return list(named)
            case named:
                return [str(named)]

    def count(self, what: str, done: int) -> None:
        self.counts[what] = self.counts.get(what, 0) + done

    def drawn(self) -> int:
        return self.chance.randrange(1 << 30)

    def publish(self, names: Sequence[str], said: Mapping[str, Any]) -> None:
        self.series += 1
        to = said.get("to", [])
        asked = []
        for name in names:
            marker = said.get("marker") or f"marker-{self.scenario.seed}-{self.series}-{name}-{self.drawn():x}"
            allowed = frozenset([code_of(name), *to]) if to else frozenset(self.lab.members)
            self.markers[marker] = self.markers.get(marker, frozenset()) | allowed
            asked.append(
                (
                    name,
                    {
                        "objects": said.get("objects", 1),
                        "lane": said.get("lane", Lane.NORMAL.value),
                        "to": to,
                        "flaw": said.get("flaw", ""),
                        "series": said.get("series", f"s{self.series}"),
                        "marker": marker,
                        "size_bytes": said.get("size_bytes", 200),
                    },
                )
            )
        self.count("published", sum(self.lab.crew.do_all(asked, deeds.publish).values()))

    def change(self, names: Sequence[str], said: Mapping[str, Any], work: Any = deeds.change) -> None:
        asked = [
            (
                name,
                {
                    "objects": said.get("objects", 1),
                    "series": said.get("series", ""),
                    "seed": self.drawn(),
                    "to": said.get("to"),
                },
            )
            for name in names
        ]
        done = self.lab.crew.do_all(asked, work)
        self.count(work.__name__, sum(map(len, done.values())))
        if work is deeds.change and said.get("to"):
            self._may_have([text.split()[0] for texts in done.values() for text in texts], said["to"])

    def _may_have(self, markers: Iterable[str], to: Collection[str]) -> None:
        for marker in markers:
            self.markers[marker] |= frozenset(to)


def _publish(run: Run, step: Step) -> None:
    run.publish(run.names(step.said), step.said)


def _change(run: Run, step: Step) -> None:
    run.change(run.names(step.said), step.said)


def _withdraw(run: Run, step: Step) -> None:
    run.change(run.names(step.said), step.said, deeds.withdraw)


def _forward(run: Run, step: Step) -> None:
    run.change(run.names(step.said), step.said, deeds.forward)


def _faults(run: Run, step: Step) -> None:
    run.lab.spoil(run.names(step.said), **{name: value for name, value in step.said.items() if name != "at"})


def _partition(run: Run, step: Step) -> None:
    run.lab.cut(run.names(step.said), step.said.get("from", [EVERYBODY]), step.said.get("way", "both"))


def _heal(run: Run, step: Step) -> None:
    run.lab.heal(run.names(step.said))


def _kill(run: Run, step: Step) -> None:
    names = run.names(step.said)
    run.lab.crew.kill(*names)
    run.count("killed", len(names))
    if step.said.get("restart", True):
        run.lab.crew.start(*names)


def _stop(run: Run, step: Step) -> None:
    run.lab.crew.stop(*run.names(step.said))


def _start(run: Run, step: Step) -> None:
    run.lab.crew.start(*run.names(step.said))


def _storm(run: Run, step: Step) -> None:
    """Deeds and kills at drawn moments, in a drawn order, until the time is over and all of them are done."""
    said, names = step.said, run.names(step.said)
    waiting = [what for what in ("kills", "publish", "change", "withdraw") for _ in range(said.get(what, 0))]
    run.chance.shuffle(waiting)
    until = time.monotonic() + said.get("seconds", 10)
    while waiting or time.monotonic() < until:
        time.sleep(run.chance.uniform(*STORM_PAUSE_SECONDS))
        if not waiting:
            continue
        name = run.chance.choice(names)
        match waiting.pop():
            case "kills":
                run.lab.crew.kill(name)
                run.lab.crew.start(name)
                run.count("killed", 1)
            case "publish":
                lane = run.chance.choice(list(Lane)).value
                others = [code for code in run.lab.members if code != name]
                to = run.chance.sample(others, run.chance.randrange(len(others)))
                run.publish([name], {"objects": run.chance.randint(1, 20), "lane": lane, "to": to})
            case "change":
                run.change([name], {"objects": run.chance.randint(1, 10)})
            case "withdraw":
                run.change([name], {"objects": run.chance.randint(1, 3)}, deeds.withdraw)


def _skew(run: Run, step: Step) -> None:
    for name in run.names(step.said):
        run.lab.spoil([name], skew_seconds=run.lab.time_passed + step.said["seconds"])


def _pass_time(run: Run, step: Step) -> None:
    run.lab.pass_time(step.said.get("days", 0) * 86400 + step.said.get("seconds", 0))


def _full_disk(run: Run, step: Step) -> None:
    for name in run.names(step.said):
        run.lab.limit_disk(name)


def _empty_disk(run: Run, step: Step) -> None:
    for name in run.names(step.said):
        run.lab.limit_disk(name, FREE)


def _backup(run: Run, step: Step) -> None:
    run.lab.crew.do_all(((name, {}) for name in run.names(step.said)), deeds.back_up)


def _restore(run: Run, step: Step) -> None:
    for name in run.names(step.said):
        run.lab.restore(name, declared=step.said.get("declared", True))


def _clone(run: Run, step: Step) -> None:
    for name in run.names(step.said):
        run.lab.clone(name)


def _end_clone(run: Run, step: Step) -> None:
    run.lab.crew.stop(*(f"{name}{CLONE}1" for name in run.names(step.said)))


def _remove(run: Run, step: Step) -> None:
    names = run.names(step.said)
    run.lab.issue(remove=names)
    run.lab.gone |= set(names)
    if not step.said.get("goes_on", False):
        run.lab.crew.stop(*names)


def _rotate(run: Run, step: Step) -> None:
    names = run.names(step.said)
    run.lab.crew.do_all(((name, {}) for name in names), deeds.ask_for_keys)
    run.lab.issue(rotate=names)


def _may_forward(run: Run, step: Step) -> None:
    run.lab.issue(forward=run.names(step.said))


def _carry(run: Run, step: Step) -> None:
    """A stick from each node to all the others that are named: by each it is taken in, and by the first once more."""
    for name in run.names(step.said):
        to = [peer for peer in step.said.get("to", run.lab.members) if peer != name]
        run.sticks += 1
        stick = str(run.lab.place.folder / f"{run.sticks}-{name}.stick")
        run.lab.crew.do(name, deeds.carry_off, to=to, stick=stick)
        for peer in [*to, to[0]]:
            run.count("carried", run.lab.crew.do(peer, deeds.take_in, stick=stick))


def _flood(run: Run, step: Step) -> None:
    said = {
        "messages": step.said.get("messages", 1000),
        "size_bytes": step.said.get("size_bytes", 1024),
        "seed": run.drawn(),
    }
    run.count("noise", sum(run.lab.crew.do_all(((n, said) for n in run.names(step.said)), deeds.flood).values()))


def _wait(run: Run, step: Step) -> None:
    time.sleep(timedelta(seconds=step.said.get("seconds", 1)).total_seconds())


def _settle(run: Run, step: Step) -> None:
    proving.come_together(run.lab, within_seconds=run.scenario.within_seconds, tell=run.tell)


def _expect(run: Run, step: Step) -> None:
    """Wait until all the nodes say so. Raises: NotOne."""
    said, until = step.said, time.monotonic() + EXPECTED_SECONDS
    while True:
        stands = proving.stands(run.lab)
        wrong = [name for name in run.names(said) if not _is_so(said, stands[name])]
        if not wrong:
            return
        if time.monotonic() > until:
            raise NotOne(*(f"step {step.number}: {name} is not so: {stands[name]}" for name in wrong))
        time.sleep(1)


def _is_so(said: Mapping[str, Any], stand: Mapping[str, Any]) -> bool:
    if "alarm" in said and said["alarm"] not in stand["alarms"]:
        return False
    if "frozen" in said and sorted(said["frozen"]) != stand["frozen"]:
        return False
    if "heard" in said and said["heard"] == bool(stand["outbox"] or stand["uncovered"]):
        return False
    if "early" in said and said["early"] != bool(stand["early"]):
        return False
    if any(what in said and said[what] != stand[what] for what in ("parked", "quarantined")):
        return False
    return "held" not in said or said["held"] == stand["held"]


STEPS: dict[str, Callable[[Run, Step], None]] = {
    name: globals()[f"_{name}"]
    for name in (
        "publish", "change", "withdraw", "forward", "faults", "partition", "heal", "kill", "stop", "start", "storm",
        "skew", "pass_time", "full_disk", "empty_disk", "backup", "restore", "clone", "end_clone", "remove", "rotate",
        "may_forward", "carry", "flood", "wait", "settle", "expect",
    )
}  # fmt: skip
