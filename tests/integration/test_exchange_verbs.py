"""``tansiq exchange``: rounds, comparisons and decisions, on real nodes in processes of their own."""

from __future__ import annotations

import pytest

from factories.federation_homes import PUBLISH, PUBLISH_DIRECTORY, Homes
from tansiq import __version__


def waiting(homes: Homes, code: str) -> dict[str, int]:
    """Peer -> bodies that no receipt of it covers."""
    links = homes.json(code, "exchange", "status")["links"]
    return {link["peer"]: sum(lane["count"] for lane in link["backlog"].values()) for link in links}


def test_send_without_a_service_brings_everything_over_and_takes_the_receipts(homes: Homes) -> None:
    homes.begin()
    published = int(homes.python("XA", PUBLISH_DIRECTORY))
    assert published

    assert waiting(homes, "XA")["XB"] == published

    rounds = homes.exchanged("XA", "XB", until=lambda: waiting(homes, "XA")["XB"] == 0)

    assert {one["backbone"] for one in [*rounds["XA"], *rounds["XB"]]} == {"connected"}
    assert sum(one["received"] for one in rounds["XB"]) >= published
    link = next(one for one in homes.json("XA", "exchange", "status")["links"] if one["peer"] == "XB")
    assert link["version"] == f"tansiq/{__version__}"
    assert link["version"] in homes.run("XA", "exchange", "status").stdout.split()


def test_send_beside_a_service_is_refused_and_says_why(homes: Homes) -> None:
    homes.begin()

    with homes.serving("XA"):
        said = homes.json("XA", "exchange", "send", exit_code=1)

    assert said["error"]["code"] == "exchange.served"
    assert homes.run("XA", "exchange", "send", "--wait", "0").returncode == 0


@pytest.mark.long
def test_compare_says_what_differed_and_then_that_both_are_equal(homes: Homes) -> None:
    homes.begin()
    with homes.serving("XA", "XB"):
        said = homes.json("XA", "exchange", "compare", "XB", "--wait", "180")

    assert said["peer"] == "XB"
    assert said["missing"] + said["extra"] + said["different"] == said["repaired"]
    assert said["peer_equal"] is not None


def test_restore_holds_the_node_until_its_peers_answered_or_are_waived(homes: Homes) -> None:
    not_meant = homes.json("XA", "exchange", "restore", exit_code=2)
    declared = homes.json("XA", "exchange", "restore", "--yes")
    no_reason = homes.json("XA", "exchange", "waive", "XB", exit_code=2)
    first = homes.json("XA", "exchange", "waive", "XB", "--reason", "burnt down")
    second = homes.json("XA", "exchange", "waive", "XC", "--reason", "away until May")

    assert not_meant["error"]["code"] == "exchange.restore.not_declared"
    assert declared == {"node": "XA", "held": True, "waiting_for": ["XB", "XC"]}
    assert no_reason["error"]["code"] == "exchange.waive.no_reason"
    assert first == {"waived": "XB", "held": True, "waiting_for": ["XC"]}
    assert second == {"waived": "XC", "held": False, "waiting_for": []}


def test_restore_beside_a_service_is_refused(homes: Homes) -> None:
    homes.begin()

    with homes.serving("XA"):
        said = homes.json("XA", "exchange", "restore", "--yes", exit_code=1)

    assert said["error"]["code"] == "exchange.served"
    assert homes.json("XA", "exchange", "status")["held_since"] is None


def test_what_is_parked_is_listed_by_its_header_and_may_be_refused_for_good(homes: Homes) -> None:
    homes.python("XA", PUBLISH.format(count=1, teams=["XB"], lane="normal"))
    there, back = homes.folder / "there.zip", homes.folder / "back.zip"
    homes.json("XA", "exchange", "export", there, "--to", "XB")
    homes.json("XB", "exchange", "import", there)

    listed = homes.json("XB", "exchange", "waiting")
    shown = homes.run("XB", "exchange", "waiting", TANSIQ_LANGUAGE="fr").stdout.split("\t")
    again = homes.json("XB", "exchange", "retry", str(listed["number"]))
    refused = homes.json("XB", "exchange", "refuse", str(listed["number"]))
    gone = homes.json("XB", "exchange", "refuse", str(listed["number"]), exit_code=2)
    homes.json("XB", "exchange", "export", back, "--to", "XA")
    homes.json("XA", "exchange", "import", back)

    assert (listed["peer"], listed["kind"], listed["state"], listed["reason"]) == ("XA", "new.kind", "parked", "kind")
    assert "payload" not in listed
    assert shown[1:5] == ["XA", "normal", "mis de côté", "ce programme ne connaît pas encore son genre"]
    assert (again["state"], again["reason"]) == ("parked", "kind")
    assert refused["state"] == "refused"
    assert gone["error"]["code"] == "exchange.not_waiting"
    assert homes.json("XB", "exchange", "waiting") == []
    assert homes.python("XA", STATES).split() == ["XA:thing.0", "XB", "refused"]


STATES = """
from tansiq.exchange.models import Recipient
for row in Recipient.objects.filter(object__startswith="XA:thing"):
    print(row.object, row.peer, row.state)
"""


def test_content_of_what_waits_is_shown_to_whom_its_marking_names(homes: Homes) -> None:
    homes.python("XA", PUBLISH.format(count=1, teams=["XB"], lane="normal"))
    file = homes.folder / "stick.zip"
    homes.json("XA", "exchange", "export", file, "--to", "XB")
    homes.json("XB", "exchange", "import", file)
    number = homes.json("XB", "exchange", "waiting")["number"]

    shown = homes.json("XB", "exchange", "waiting", "--content", str(number))

    assert '"text": "words"' in shown["payload"]


def test_waiting_says_that_nothing_waits_and_refuses_a_code_of_no_peer(homes: Homes) -> None:
    nothing = homes.run("XB", "exchange", "waiting", "--peer", "xa")
    stranger = homes.json("XB", "exchange", "waiting", "--peer", "ZZ", exit_code=2)

    assert (nothing.returncode, nothing.stdout, nothing.stderr) == (0, "", "Nothing waits.\n")
    assert stranger["error"]["code"] == "exchange.no_such_peer"


@pytest.mark.parametrize("verb", ["retry", "refuse"])
def test_number_that_nothing_waits_under_is_refused(homes: Homes, verb: str) -> None:
    said = homes.json("XB", "exchange", verb, "4711", exit_code=2)

    assert said["error"]["code"] == "exchange.not_waiting"
