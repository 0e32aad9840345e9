"""``tansiq exchange check`` between real nodes: every way, and the people there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from factories import federation_homes, mailbox
from factories.backbone import eventually
from factories.federation_homes import Homes


def test_check_proves_the_message_server_by_every_lane_and_mail_that_is_not_set_is_not_checked(homes: Homes) -> None:
    homes.begin()
    with homes.serving("XA", "XB"):
        homes.run("XA", "exchange", "check", "XB", "--wait", "0")
        eventually(lambda: len(by_backbone(homes.json("XA", "exchange", "check", "XB", "--history"))) == 3, 60)
        said = homes.json("XA", "exchange", "check", "XB", "--history")

    (peer,) = said["peers"]
    outcome = outcomes(said)
    assert {lane: outcome[lane, "jetstream"] for lane in ("urgent", "normal", "bulk")} == {
        "urgent": "received", "normal": "received", "bulk": "received",
    }  # fmt: skip
    assert {outcome[lane, way] for lane in ("urgent", "normal", "bulk") for way in ("mail", "file")} == {
        "not_exercised"
    }
    assert {way["reason"] for way in peer["ways"] if way["way"] == "mail"} == {"not_mailed"}
    assert peer["reached"] is True
    assert all(way["receipt_ms"] >= 0 for way in peer["ways"] if way["outcome"] == "received")


def outcomes(said: dict[str, Any]) -> dict[tuple[str, str], str]:
    """Lane and way -> what came of the check."""
    return {(way["lane"], way["way"]): way["outcome"] for way in said["peers"][0]["ways"]}


def by_backbone(said: dict[str, Any]) -> list[str]:
    """Lanes of which a receipt came by the message server."""
    return [lane for (lane, way), outcome in outcomes(said).items() if (way, outcome) == ("jetstream", "received")]


def test_check_of_a_node_that_is_away_ends_with_one(homes: Homes) -> None:
    homes.begin()

    said = homes.json("XA", "exchange", "check", "XC", "--wait", "3", "--no-people", exit_code=1)
    former = homes.json("XA", "exchange", "check", "--history")

    assert said["peers"][0]["reached"] is False
    assert former["id"] == said["id"]


def test_lines_for_people_are_in_columns(homes: Homes) -> None:
    status = homes.run("XA", "exchange", "status").stdout.splitlines()
    check = homes.run("XA", "exchange", "check", "XB", "--wait", "0", "--no-people").stdout.splitlines()

    assert [line.split("\t")[0] for line in status] == ["XB", "XC"]
    assert [line.split("\t") for line in check[:3]] == [
        ["XB", "urgent", "message server", "not exercised: this node has no message server (TANSIQ_BACKBONE_URL)"],
        ["XB", "urgent", "mail",
         "not exercised: this node sends no mails (TANSIQ_SMTP_URL, TANSIQ_EXCHANGE_MAIL)"],
        ["XB", "urgent", "file", "not exercised: files are carried by people"],
    ]  # fmt: skip


def test_check_of_a_node_that_has_no_way_waits_for_nothing(homes: Homes) -> None:
    said = homes.json("XA", "exchange", "check", "XB", "--wait", "86400")

    assert {way["outcome"] for way in said["peers"][0]["ways"]} == {"not_exercised"}


ANSWER = """
from datetime import UTC, datetime
from tansiq.core.viewer import Role, Viewer
from tansiq.exchange.node import checking, rosters
now = datetime.now(UTC)
for asked in checking.unseen(now):
    by = Viewer("P-AMINA", "XB", frozenset({Role.ANALYST}))
    checking.acknowledge(rosters.here(HOME, now=now), asked.pk, by=by, now=now)
    print(asked.team)
"""


def test_person_there_answers_and_the_history_says_after_how_many_minutes(homes: Homes) -> None:
    homes.begin()
    homes.run("XA", "exchange", "check", "XB", "--wait", "0")
    asked: list[str] = []
    history: dict[str, Any] = {}

    def is_asked() -> bool:
        asked.extend(homes.python("XB", ANSWER).split())
        return bool(asked)

    def is_answered() -> bool:
        history.update(homes.json("XA", "exchange", "check", "XB", "--history"))
        return bool(history["peers"][0]["seen"])

    homes.exchanged("XA", "XB", until=is_asked)
    homes.exchanged("XA", "XB", until=is_answered)

    assert asked == ["XA"]
    (answer,) = history["peers"][0]["seen"]
    assert (answer["team"], answer["person"]) == ("XB", "P-AMINA")
    assert 0 < answer["minutes"] < 10


@pytest.fixture
def post() -> Iterator[mailbox.Server]:
    with mailbox.serving() as server:
        if server is None:
            pytest.skip("Dovecot is not installed")
        yield server


def test_check_by_mail_is_proven_by_a_receipt_though_the_message_server_works_too(
    homes: Homes, post: mailbox.Server
) -> None:
    homes.begin()
    user, password = mailbox.USER, quote(mailbox.PASSWORD)
    imap = f"imap://{quote(user)}:{password}@127.0.0.1:{post.plain_port}/INBOX"
    smtp = f"smtp://127.0.0.1:{post.smtp_port}"
    homes.of_node["XA"] = {"TANSIQ_EXCHANGE_MAIL": federation_homes.address("XA"), "TANSIQ_SMTP_URL": smtp}
    homes.of_node["XB"] = {"TANSIQ_EXCHANGE_MAIL": federation_homes.address("XB"), "TANSIQ_EXCHANGE_IMAP_URL": imap}
    homes.json("XA", "exchange", "check", "XB", "--wait", "0", "--no-people", exit_code=1)
    there = homes.json("XB", "exchange", "send", "--wait", "15")
    outcome: dict[tuple[str, str], str] = {}

    def is_over() -> bool:
        outcome.update(outcomes(homes.json("XA", "exchange", "check", "XB", "--history")))
        return "waiting" not in outcome.values()

    homes.exchanged("XA", until=is_over)

    assert (there["mailbox"], there["mails"]) == ("read", 3)
    assert {outcome[lane, way] for lane in ("urgent", "normal", "bulk") for way in ("jetstream", "mail")} == {
        "received"
    }
