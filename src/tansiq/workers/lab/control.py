"""Asking the process that keeps a lab: a line of JSON over a socket in the lab's folder, and a line back."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from tansiq.workers.lab.place import LabEnded, Place

ANSWER_SECONDS = 120.0
LONGEST = 1 << 24


def ask(folder: Path, do: str, nodes: list[str] | None = None) -> dict[str, Any]:
    """What the process that keeps the lab answers. Raises: NoLab, where there is none; LabEnded, where none runs."""
    place = Place(folder)
    place.read()
    try:
        with socket.socket(socket.AF_UNIX) as asked:
            asked.settimeout(ANSWER_SECONDS)
            asked.connect(str(place.control))
            with asked.makefile("rw", encoding="utf-8") as stream:
                stream.write(json.dumps({"do": do, "nodes": nodes or []}) + "\n")
                stream.flush()
                answer: dict[str, Any] = json.loads(stream.readline(LONGEST))
                return answer
    except (FileNotFoundError, ConnectionRefusedError):
        raise LabEnded(folder=folder) from None
