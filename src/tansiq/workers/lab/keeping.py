"""The process that keeps a lab: parent of all its nodes, asked over a socket in the lab's folder."""

from __future__ import annotations

import json
import socket
from typing import Any

from tansiq.workers.lab.control import ANSWER_SECONDS, LONGEST
from tansiq.workers.lab.lab import Lab
from tansiq.workers.lab.place import CLONE

LOOK_SECONDS = 1.0


def keep(lab: Lab) -> None:
    """Until somebody asks for the end. A node that ended by itself is noted, and is not started again."""
    control = lab.place.control
    control.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(control))
        control.chmod(0o600)
        listening.listen()
        listening.settimeout(LOOK_SECONDS)
        try:
            while True:
                lab.crew.look()
                try:
                    asking, _ = listening.accept()
                except TimeoutError:
                    continue
                with asking:
                    if not _answered(lab, asking):
                        return
        finally:
            lab.down()
            control.unlink(missing_ok=True)


def _answered(lab: Lab, asking: socket.socket) -> bool:
    """Returns: whether the lab goes on."""
    asking.settimeout(ANSWER_SECONDS)
    with asking.makefile("rw", encoding="utf-8") as stream:
        said: dict[str, Any] = json.loads(stream.readline(LONGEST))
        names = [name for name in said.get("nodes", []) if name.partition(CLONE)[0] in lab.codes]
        match said["do"]:
            case "stop":
                lab.crew.stop(*names)
            case "kill":
                lab.crew.kill(*names)
            case "start":
                lab.crew.start(*names)
        if said["do"] == "down":
            lab.down()
        answer = {"down": True} if said["do"] == "down" else lab.stand()
        stream.write(json.dumps(answer) + "\n")
        stream.flush()
    return bool(said["do"] != "down")
