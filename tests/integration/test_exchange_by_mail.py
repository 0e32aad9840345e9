"""Two nodes that have nothing but mail: real mail servers between them, and a clock that the tests move."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import NamedTuple

import pytest

from factories import mail_node, mailbox
from factories.backbone import eventually, free_ports
from factories.federation_homes import PUBLISH, Homes, address
from factories.mail_node import MailNode, Posted, PostOffice
from tansiq.exchange import mail
from tansiq.exchange.body import Lane

MINUTE, HOUR = 60, 3600
KILLED = -9


class Pair(NamedTuple):
    """Two nodes of three; the third is away and has no mailbox that anybody reads."""

    xa: MailNode
    xb: MailNode
    office: PostOffice
    homes: Homes

    def talk(self, *times: float) -> None:
        """A turn of each at each of these seconds."""
        for at in times:
            self.xa.turn(at)
            self.xb.turn(at)

    def mails(self, to: str, lane: str) -> list[int]:
        """How many bodies were in each mail to a node on a lane."""
        return [one.bodies for one in self.office.posted if (one.to, one.lane) == (address(to), lane)]

    @property
    def inbox(self) -> mailbox.Server:
        """XB's."""
        return self.office.boxes[address("XB")]


@pytest.fixture(scope="module")
def boxes() -> Iterator[dict[str, mailbox.Server]]:
    with ExitStack() as stack:
        found = {}
        for code in ("XA", "XB"):
            server = stack.enter_context(mailbox.serving())
            if server is None:
                pytest.skip("Dovecot is not installed (apt-get install dovecot-imapd)")
            found[address(code)] = server
        yield found


@pytest.fixture
def office(boxes: dict[str, mailbox.Server]) -> Iterator[PostOffice]:
    """With empty mailboxes."""
    for server in boxes.values():
        for folder in (server.folder / "Maildir").glob(".*"):
            shutil.rmtree(folder)
        for path in (server.folder / "Maildir").glob("[nc]??/*"):
            path.unlink()
    with mail_node.post_office(boxes) as office:
        yield office


@pytest.fixture
def pair(homes: Homes, office: PostOffice) -> Iterator[Pair]:
    """Neither has a message server."""
    for code in ("XA", "XB"):
        mail_node.configure(homes, code, office)
    began = datetime.now(UTC)
    nodes = [MailNode(homes, code, began) for code in ("XA", "XB")]
    yield Pair(*nodes, office, homes)
    for node in nodes:
        node.end()


def applied(*names: str) -> list[list[object]]:
    return [[f"XA:{name}", 1] for name in names]


# ---- there and back


def test_change_and_its_receipt_travel_by_mail_alone(pair: Pair) -> None:
    for lane in Lane:
        pair.xa.publish(lane, f"{lane}-thing")

    pair.talk(0, 30, MINUTE, MINUTE + 2)
    urgent = pair.xb.facts()["applied"]
    pair.talk(MINUTE + 4, HOUR, HOUR + 2, HOUR + 4)

    assert urgent == applied("urgent-thing.0")
    assert pair.xb.facts()["applied"] == applied("bulk-thing.0", "normal-thing.0", "urgent-thing.0")
    uncovered = pair.xa.facts()["uncovered"]
    assert {lane: uncovered[f"XB {lane}"] for lane in Lane} == {"urgent": 0, "normal": 0, "bulk": 0}
    assert pair.inbox.names() == []


def test_mails_leave_after_a_minute_or_an_hour_and_again_after_an_hour_doubling(pair: Pair) -> None:
    pair.xa.publish("urgent", "alert")
    pair.xa.publish("normal", "note")
    found = []
    again = MINUTE + HOUR
    for at in (0, MINUTE - 1, MINUTE, HOUR - 1, HOUR, again - 1, again, again + 2 * HOUR - 1, again + 2 * HOUR):
        pair.xa.turn(at)
        found.append(pair.xa.facts()["mailed"])

    assert found == [[0, 0], [0, 0], [1, 0], [1, 0], [1, 1], [1, 1], [2, 1], [2, 2], [3, 2]]


def test_bodies_of_one_lane_go_in_one_mail(pair: Pair) -> None:
    pair.xa.publish("urgent", "alert", count=120)

    pair.talk(0, MINUTE, MINUTE + 2)

    assert max(pair.mails("XB", "urgent")) == 120
    assert len(pair.xb.facts()["applied"]) == 120


def test_what_comes_by_both_ways_and_twice_is_applied_once(pair: Pair) -> None:
    pair.homes.begin()
    pair.office.mood = "doubles"
    pair.xa.publish("urgent", "alert", count=3)
    pair.xa.turn(0)
    pair.xa.turn(MINUTE)

    came = pair.xb.turn(MINUTE + 1)
    pair.talk(MINUTE + 3, MINUTE + 5)

    assert came["received"] >= 3
    assert came["mails"] >= 2
    assert pair.xb.facts()["applied"] == applied("alert.0", "alert.1", "alert.2")
    assert pair.xa.facts()["uncovered"]["XB urgent"] == 0


def test_mail_goes_on_where_the_message_server_died(pair: Pair) -> None:
    pair.homes.begin()
    pair.xa.publish("urgent", "before")
    pair.talk(0, 2)
    assert pair.homes.server is not None
    pair.homes.server.kill()
    pair.homes.server.wait()
    pair.xa.publish("urgent", "after")

    pair.talk(10, MINUTE + 10, MINUTE + 12, MINUTE + 14)

    assert pair.xb.facts()["applied"] == applied("after.0", "before.0")
    assert pair.xa.facts()["uncovered"]["XB urgent"] == 0


# ---- a member that was removed


def test_member_that_was_removed_gets_its_recalls_by_mail_and_says_that_it_deleted(pair: Pair) -> None:
    pair.xa.publish("urgent", "alert")
    pair.talk(0, MINUTE, MINUTE + 2, MINUTE + 4)
    removed = pair.homes.run("XA", "roster", "issue", "--remove", "XB", "--out", pair.homes.folder / "next.json")
    assert removed.returncode == 0, removed.stderr

    pair.talk(*(2 * MINUTE + after for after in (0, MINUTE, MINUTE + 5, 2 * MINUTE + 10, 2 * MINUTE + 30)))
    pair.talk(*(5 * MINUTE + after for after in (0, 5, 10)))

    assert pair.xb.facts()["applied"] == [["XA:alert.0", 0], ["XA:alert.0", 1]]
    recalls = pair.xa.facts()["recalls"]
    assert len(recalls) > 1  # what the node said of itself, too
    assert {tuple(one) for one in recalls} == {("XB", "deleted")}
    assert pair.xb.facts()["epoch"] == pair.xa.facts()["epoch"] == 3


# ---- mailboxes as they are


def _sealed_by_nobody() -> bytes:
    return mail.build(
        [b"\x85" + os.urandom(400)], sender="a@b.example", recipient=address("XB"), lane=Lane.URGENT,
        message_id=os.urandom(8).hex(), written_at=datetime.now(UTC),
    )  # fmt: skip


def test_mailbox_with_mails_of_others_and_rotten_ones_gives_what_is_ours(pair: Pair) -> None:
    whole = _sealed_by_nobody()
    others = b"From: a@b.example\r\nSubject: lunch\r\n\r\nat noon?\r\n"
    report = (
        b"From: mx@b.example\r\nSubject: Tansiq exchange urgent\r\nContent-Type: multipart/report; boundary=x\r\n\r\n"
    )
    for raw in (others, whole, whole[: len(whole) // 2], whole.replace(b"A", b"*"), report, b"", os.urandom(2000)):
        pair.inbox.deliver(raw)
    pair.xa.publish("urgent", "alert")

    pair.talk(0, MINUTE, MINUTE + 2)

    assert pair.xb.facts()["applied"] == applied("alert.0")
    assert pair.xa.turn(MINUTE + 4)["mailbox"] == "read"
    assert pair.xa.facts()["uncovered"]["XB urgent"] == 0
    assert len(pair.inbox.names()) == 6  # all but what was opened, and is kept as junk


def test_mailbox_that_is_away_costs_nothing(pair: Pair) -> None:
    (closed,) = free_ports(1)
    settings = dict(pair.homes.of_node["XB"])
    pair.homes.of_node["XB"]["TANSIQ_EXCHANGE_IMAP_URL"] = f"imap://a:b@127.0.0.1:{closed}/INBOX"
    pair.xa.publish("urgent", "alert")
    pair.talk(0, MINUTE)
    away = pair.xb.turn(MINUTE + 1)["mailbox"]
    pair.xb.end()
    pair.homes.of_node["XB"] = settings

    pair.talk(MINUTE + 4, MINUTE + 6)

    assert away == "exchange.mailbox.unusable"
    assert pair.xb.facts()["applied"] == applied("alert.0")
    assert pair.xa.facts()["uncovered"]["XB urgent"] == 0


# ---- mail servers as they are


@pytest.mark.parametrize("mood", ["greylists", "refuses"])
def test_mail_that_no_server_took_counts_for_nothing_and_goes_minutes_later(pair: Pair, mood: str) -> None:
    pair.xa.publish("urgent", "alert")
    pair.xa.turn(0)
    pair.office.mood = mood
    pair.xa.turn(MINUTE)
    refused = pair.xa.facts()
    pair.office.mood = "takes"

    pair.talk(6 * MINUTE - 1)
    too_soon = pair.xb.facts()["applied"]
    pair.talk(6 * MINUTE, 6 * MINUTE + 2, 6 * MINUTE + 4)

    assert (refused["mailed"], refused["ways"]["XB mail"]) == ([0], "failed")
    assert too_soon == []
    assert pair.xb.facts()["applied"] == applied("alert.0")
    assert pair.xa.facts()["mailed"] == [1]
    assert pair.xa.facts()["uncovered"]["XB urgent"] == 0


def test_mail_that_its_node_was_killed_before_handing_in_goes_minutes_later(pair: Pair) -> None:
    pair.xa.publish("urgent", "alert")
    pair.xa.turn(0)
    pair.xa.die_before_handing_in()
    ended = pair.xa.dies(MINUTE)

    pair.talk(6 * MINUTE - 1)
    too_soon = pair.xb.facts()["applied"]
    pair.talk(6 * MINUTE, 6 * MINUTE + 2, 6 * MINUTE + 4)

    assert (ended, too_soon) == (-signal.SIGKILL, [])
    assert pair.xb.facts()["applied"] == applied("alert.0")
    assert pair.xa.facts()["uncovered"]["XB urgent"] == 0


def test_server_that_takes_a_mail_and_breaks_off_has_nothing_applied_twice(pair: Pair) -> None:
    pair.xa.publish("urgent", "alert")
    pair.xa.turn(0)
    pair.office.mood = "breaks"
    pair.xa.turn(MINUTE)
    pair.office.mood = "takes"

    pair.xa.turn(6 * MINUTE)
    pair.talk(6 * MINUTE + 2, 6 * MINUTE + 4)

    assert sum(pair.mails("XB", "urgent")) > 2
    assert pair.xb.facts()["applied"] == applied("alert.0")
    assert pair.xa.facts()["uncovered"]["XB urgent"] == 0


# ---- the doctor


def said_of_mail(homes: Homes, **settings: str) -> set[str]:
    done = homes.run("XB", "doctor", "--json", **settings)
    codes = [json.loads(line)["code"] for line in done.stdout.splitlines()]
    return {code for code in codes if code.startswith(("exchange.mail.", "exchange.mailbox."))}


def test_doctor_says_what_is_missing_of_the_way_by_mail(pair: Pair) -> None:
    (closed,) = free_ports(1)
    wrong = pair.homes.of_node["XB"]["TANSIQ_EXCHANGE_IMAP_URL"].replace("://", "://other-")

    whole = said_of_mail(pair.homes)
    found = [
        said_of_mail(pair.homes, **changed)
        for changed in (
            {"TANSIQ_EXCHANGE_IMAP_URL": ""},
            {"TANSIQ_EXCHANGE_MAIL": "", "TANSIQ_SMTP_URL": ""},
            {"TANSIQ_EXCHANGE_MAIL": "other@xb.example"},
            {"TANSIQ_EXCHANGE_IMAP_URL": wrong},
            {"TANSIQ_SMTP_URL": f"smtp://127.0.0.1:{closed}"},
        )
    ]

    assert whole == set()
    assert found == [
        {"exchange.mail.not_fetched"},
        {"exchange.mail.not_sent"},
        {"exchange.mail.other_address"},
        {"exchange.mailbox.refused"},
        {"exchange.mail.refused"},
    ]


# ---- killed


def test_process_killed_before_it_takes_mails_out_loses_and_doubles_nothing(pair: Pair) -> None:
    pair.xa.publish("urgent", "alert", count=5)
    pair.xa.turn(0)
    pair.xa.turn(MINUTE)
    names = [f"alert.{number}" for number in range(5)]
    pair.xb.die_before_taking_out()

    ended = pair.xb.dies(MINUTE + 1)
    left = pair.inbox.names()
    stored = pair.xb.facts()["applied"]
    pair.talk(MINUTE + 3, MINUTE + 5)

    assert ended == KILLED
    assert left != []
    assert stored == applied(*names)
    assert pair.xb.facts()["applied"] == applied(*names)
    assert pair.inbox.names() == []
    assert pair.xa.facts()["uncovered"]["XB urgent"] == 0


COUNTED = """
from tansiq.exchange.models import OutChannel, Waiting
print(Waiting.objects.filter(object__startswith="XA:thing.").count(),
    sum(one.waiting_bodies for one in OutChannel.objects.filter(peer="XB", lane="urgent")))
"""


@pytest.mark.long
def test_processes_that_are_killed_again_and_again_exchange_by_mail(pair: Pair) -> None:
    """By the clock on the wall: the first mail leaves after a minute."""
    homes, count = pair.homes, 40
    homes.python("XA", PUBLISH.format(lane="urgent", teams=["XB"], count=count))

    def ended() -> bool:
        return homes.python("XB", COUNTED).split()[0] == str(count) and homes.python("XA", COUNTED).split()[1] == "0"

    def kills(code: str, seconds: Sequence[float]) -> None:
        for some in seconds:
            process = homes.serve(code)
            with pytest.raises(AssertionError):
                eventually(lambda process=process: process.poll() is not None, some)
            process.kill()
            process.wait()

    with homes.serving("XA"):
        eventually(lambda: pair.mails("XB", "urgent") != [] and max(pair.mails("XB", "urgent")) >= count, 150)
        kills("XB", [3, 4, 5])
        with homes.serving("XB"):
            eventually(ended, 120)

    assert Posted(address("XB"), "urgent", count) in pair.office.posted
    assert homes.python("XB", COUNTED).split()[0] == str(count)
