"""The folder of a lab: a home for each node, the message server's files, what was found out at set-up."""

from __future__ import annotations

import json
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tansiq.core.errors import N_, TansiqError
from tansiq.core.home import Home

MOST_NODES = 26 + 26 * 26
CLONE = "~"
"""Between the code of a node and the number of a copy of it."""


class NoLab(TansiqError):
    code = "lab.none"
    message = N_("There is no lab in {folder}.")
    remedy = N_("Set one up: `tansiq lab up --nodes 5`.")
    exit_code = 2


class LabEnded(NoLab):
    code = "lab.ended"
    message = N_("The lab in {folder} has ended.")
    remedy = N_("`tansiq lab up` starts it again, with the nodes that it has.")


class LabThere(TansiqError):
    code = "lab.there"
    message = N_("There is something in {folder} already.")
    remedy = N_("End that lab with `tansiq lab down` and delete the folder, or name another one.")
    exit_code = 5


@dataclass(frozen=True, slots=True)
class Place:
    """Where a lab keeps what it has."""

    folder: Path

    def home(self, name: str) -> Home:
        """Of a node, or of a copy of one (``XA~1``)."""
        path = self.folder / name
        return Home(path=path, lake=path / "lake", lake_catalogue=str(path / "lake.catalogue.sqlite"))

    @property
    def template(self) -> Home:
        """A database as every node begins with, before it is anybody's."""
        return self.home("template")

    @property
    def server(self) -> Path:
        return self.folder / "nats"

    @property
    def control(self) -> Path:
        """Socket at which the process that keeps the lab is asked."""
        return self.folder / "control"

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def faults(self, name: str) -> Path:
        return self.folder / f"{name}.faults.json"

    def tap(self, name: str) -> Path:
        """All that a node was handed by the message server, as it came, where a scenario wants to look at it."""
        return self.folder / f"{name}.tap"

    def backup(self, name: str) -> Path:
        return self.folder / f"{name}.backup"

    def write(self, said: Mapping[str, Any]) -> None:
        (self.folder / "lab.json").write_text(json.dumps(said, indent=1))

    def read(self) -> dict[str, Any]:
        """Raises: NoLab."""
        try:
            said: dict[str, Any] = json.loads((self.folder / "lab.json").read_text())
        except FileNotFoundError:
            raise NoLab(folder=self.folder) from None
        return said


def codes(count: int) -> Sequence[str]:
    """XA to XZ, then XAA, XAB …: ISO 3166 leaves them to users."""
    letters = string.ascii_uppercase
    long = (f"X{first}{second}" for first in letters for second in letters)
    return [f"X{letter}" for letter in letters[:count]] + [next(long) for _ in range(count - len(letters))]


def code_of(name: str) -> str:
    """The node's, of which this is a copy."""
    return name.partition(CLONE)[0]
