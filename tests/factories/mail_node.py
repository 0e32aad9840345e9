"""``MailNode(homes, "XA")``: the exchange of a node in a process of its own, turn by turn, by a clock that tests move.

``PostOffice`` is the mail server between nodes: it takes mails by SMTP and puts each into its recipient's mailbox, or
does what mail servers do when they are in trouble.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from aiosmtpd.controller import Controller

from factories import mailbox
from factories.backbone import free_ports
from factories.federation_homes import Homes, address
from tansiq.exchange import mail

DRIVER = Path(__file__).with_name("mail_driver.py")


class MailNode:
    """See ``mail_driver`` for what can be asked."""

    def __init__(self, homes: Homes, code: str, began: datetime) -> None:
        self.homes, self.code, self.began = homes, code, began
        self._process: subprocess.Popen[str] | None = None

    def turn(self, ahead_seconds: float = 0) -> dict[str, Any]:
        return self._asked("turn", ahead_seconds)

    def publish(self, lane: str, name: str, *, count: int = 1, teams: tuple[str, ...] = ("XB",)) -> int:
        return int(self._asked("publish", lane, name, count, teams))

    def facts(self) -> dict[str, Any]:
        return self._asked("facts")

    def die_before_taking_out(self) -> None:
        """From now on."""
        self._asked("die_before_taking_out")

    def die_before_handing_in(self) -> None:
        """From now on."""
        self._asked("die_before_handing_in")

    def dies(self, ahead_seconds: float) -> int:
        """A turn in which the process ends. What it ended with."""
        process = self._started()
        assert process.stdin
        process.stdin.write(json.dumps(["turn", ahead_seconds]) + "\n")
        process.stdin.flush()
        process.wait(60)
        code = process.returncode
        self.end()
        return code

    def end(self) -> None:
        """The next question starts it again, with the settings of then."""
        if self._process is not None:
            process, self._process = self._process, None
            process.kill()
            process.communicate()

    def _asked(self, *command: Any) -> Any:
        process = self._started()
        assert process.stdin and process.stdout
        process.stdin.write(json.dumps(command) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        if not answer:
            process.wait(30)
            raise AssertionError((self.homes.folder / f"{self.code}.driver.log").read_text()[-3000:])
        return json.loads(answer)

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            with (self.homes.folder / f"{self.code}.driver.log").open("a") as log:
                command = [sys.executable, str(DRIVER), self.began.isoformat()]
                environment = self.homes.environment(self.code)
                self._process = subprocess.Popen(
                    command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
                )
        return self._process


class Posted(NamedTuple):
    """A mail that came to the post office. ``bodies``: how many sealed ones are in it."""

    to: str
    lane: str
    bodies: int


class PostOffice:
    """
    Attributes:
        boxes: address -> its mailbox.
        mood: ``takes``, ``greylists``, ``refuses``, ``breaks`` (the connection, after it took a mail), ``doubles``.
        posted: every mail that was taken.
    """

    def __init__(self, boxes: dict[str, mailbox.Server], port: int) -> None:
        self.boxes, self.port = boxes, port
        self.mood = "takes"
        self.posted: list[Posted] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, to: str, options: Any) -> str:
        if self.mood == "greylists":
            return "451 4.7.1 Try again later"
        if self.mood == "refuses":
            return "550 5.1.1 No such mailbox"
        envelope.rcpt_tos.append(to)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        raw = envelope.content
        lane = next(line for line in raw.split(b"\r\n") if line.startswith(b"Subject:")).decode().rsplit(" ")[-1]
        for to in envelope.rcpt_tos:
            self.posted.append(Posted(to, lane, len(mail.read(raw).sealed)))
            for _copy in range(2 if self.mood == "doubles" else 1):
                if to in self.boxes:  # else it is a mailbox that nobody reads
                    self.boxes[to].deliver(raw)
        if self.mood == "breaks":
            server.transport.abort()
        return "250 OK"


@contextmanager
def post_office(boxes: dict[str, mailbox.Server], *, most_bytes: int = 32 << 20) -> Iterator[PostOffice]:
    """``most_bytes``: of one mail; what is longer it refuses."""
    (port,) = free_ports(1)
    office = PostOffice(boxes, port)
    controller = Controller(office, hostname="127.0.0.1", port=port, data_size_limit=most_bytes, ready_timeout=30)
    controller.start()
    try:
        yield office
    finally:
        controller.stop()


def configure(homes: Homes, code: str, office: PostOffice) -> None:
    """Have a node send and fetch its mails there."""
    user, password = quote(mailbox.USER), quote(mailbox.PASSWORD)
    box = office.boxes[address(code)]
    homes.of_node[code] = {
        "TANSIQ_EXCHANGE_MAIL": address(code),
        "TANSIQ_SMTP_URL": f"smtp://127.0.0.1:{office.port}",
        "TANSIQ_EXCHANGE_IMAP_URL": f"imap://{user}:{password}@127.0.0.1:{box.plain_port}/INBOX",
    }
