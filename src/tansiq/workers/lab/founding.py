"""Setting a lab up: one database migrated and copied for each node, keys drawn side by side, a roster by the first."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tansiq.core.viewer import Viewer
from tansiq.exchange import jetstream, join, roster_reading
from tansiq.exchange.jetstream import BackboneNode
from tansiq.exchange.node import issuing, rosters
from tansiq.exchange.roster_signing import SignedRoster
from tansiq.workers.lab import kind
from tansiq.workers.lab.crew import Crew
from tansiq.workers.lab.node import become
from tansiq.workers.lab.place import Place

SINCE = datetime(2020, 1, 31, tzinfo=UTC).date()
SYSTEM = Viewer.system(because="lab")


@dataclass(slots=True)
class Times:
    """Seconds of each part of the set-up."""

    parts: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        self.parts[name] = round(time.monotonic() - begun, 2)


def found(place: Place, crew: Crew, codes: Sequence[str]) -> Times:
    """Every node with keys, in one federation, its roster accepted. None runs yet."""
    times = Times()
    hub, others = codes[0], codes[1:]
    with times.of("migrate"):
        crew.do("template", make_template)
    with times.of("keys"):
        crew.do_all(((code, {}) for code in codes), draw)
    with times.of("roster"):
        crew.do(hub, issue_first, codes=list(codes))
    with times.of("accept"):
        digest = SignedRoster.read(_roster(place, 1).read_bytes()).digest
        crew.do_all(((code, {"digest": digest}) for code in others), accept_first)
    return times


def make_template(place: Place, name: str, said: Mapping[str, Any]) -> None:
    from django.core.management import call_command

    from tansiq.members.actions import ship_directory

    become(place, name).path.mkdir(mode=0o700)
    call_command("migrate", verbosity=0, interactive=False)
    ship_directory()
    kind.create_tables()
    _whole()


def _whole() -> None:
    """Everything into the one file, which is copied next."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def draw(place: Place, name: str, said: Mapping[str, Any]) -> None:
    """The node set up, its keys drawn, its request written."""
    from tansiq.members.actions.node import first_administrator

    home = become(place, name)
    home.path.mkdir(mode=0o700)
    home.secrets.mkdir(mode=0o700)
    shutil.copyfile(place.template.database, home.database)
    now = datetime.now(UTC)
    first_administrator(code=name, name=f"Node {name}", language="en", now=now)
    _asked, file = issuing.request(home, realm="live")
    (place.folder / f"{name}.join.json").write_bytes(file)


def issue_first(place: Place, name: str, said: Mapping[str, Any]) -> None:
    """The teams registered as full members, the roster of epoch 1 and the one that admits everybody."""
    from tansiq.members.actions import import_statement
    from tansiq.members.document import document
    from tansiq.members.statement import read

    home, now = become(place, name), datetime.now(UTC)
    teams = place.folder / "teams.toml"
    teams.write_text("".join(_team(code, number) for number, code in enumerate(said["codes"])))
    import_statement(read(document(teams)), now=now)
    first = issuing.found(home, realm="live", mail="", by=SYSTEM, now=now)
    _roster(place, 1).write_text(first.written())
    admit = [request(place, code) for code in said["codes"] if code != name]
    second = issuing.issue(home, issuing.Changes(admit=admit), by=SYSTEM, now=now)
    _roster(place, 2).write_text(second.written())


def _team(code: str, number: int) -> str:
    return (
        f'[[team]]\ncode = "{code}"\nname = "Team {code}"\nclaims = {{ asn = [{64512 + number}] }}\n'
        f'periods = [ {{ category = "full", since = {SINCE}, decision = "Founding" }} ]\n'
        f'contacts = [ {{ kind = "email", value = "cert@{code.lower()}.example" }} ]\n'
    )


def accept_first(place: Place, name: str, said: Mapping[str, Any]) -> None:
    become(place, name)
    chain = [SignedRoster.read(_roster(place, epoch).read_bytes()) for epoch in (1, 2)]
    rosters.accept_signed(chain, by=SYSTEM, now=datetime.now(UTC), realm="live", anchor=said["digest"])


def request(place: Place, code: str) -> join.JoinRequest:
    return join.read((place.folder / f"{code}.join.json").read_bytes())


def members(place: Place, epoch: int) -> list[BackboneNode]:
    """Who is on the message server under a roster."""
    signed = SignedRoster.read(_roster(place, epoch).read_bytes())
    return jetstream.nodes_of(roster_reading.read(signed.text))


def newest(place: Place) -> int:
    return max(int(file.stem.rpartition("-")[2]) for file in place.folder.glob("roster-*.json"))


def _roster(place: Place, epoch: int) -> Path:
    return place.folder / f"roster-{epoch}.json"


def keep_roster(place: Place, signed: SignedRoster) -> None:
    _roster(place, signed.epoch).write_text(signed.written())
