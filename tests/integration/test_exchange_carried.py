"""``tansiq exchange export`` and ``import``: facts and receipts on sticks between nodes that no network reaches."""

from __future__ import annotations

import signal

from factories.federation_homes import PUBLISH, PUBLISH_DIRECTORY, Homes


def waiting(homes: Homes, code: str) -> dict[str, int]:
    """Peer -> bodies that no receipt of it covers."""
    links = homes.json(code, "exchange", "status")["links"]
    return {link["peer"]: sum(lane["count"] for lane in link["backlog"].values()) for link in links}


def test_files_both_ways_bring_facts_over_and_receipts_back(homes: Homes) -> None:
    published = int(homes.python("XA", PUBLISH_DIRECTORY))
    there, back = homes.folder / "there.zip", homes.folder / "back.zip"

    written = homes.json("XA", "exchange", "export", there, "--to", "XB")
    taken = homes.json("XB", "exchange", "import", there)
    answered = homes.json("XB", "exchange", "export", back, "--to", "XA")
    heard = homes.json("XA", "exchange", "import", back)

    assert (written["to"]["XB"]["bodies"], written["whole"]) == (taken["taken"], True)
    assert (taken["taken"], taken["repeats"], taken["junk"], taken["whole"]) == (published, 0, 0, True)
    assert answered["to"]["XA"]["receipts"] == heard["receipts"] > 0
    assert waiting(homes, "XA")["XB"] == 0
    assert homes.json("XA", "exchange", "export", there, "--to", "XB")["to"]["XB"]["bodies"] == 0


def test_one_file_for_two_nodes_is_taken_by_each_and_says_whom_else_it_is_for(homes: Homes) -> None:
    published = int(homes.python("XA", PUBLISH_DIRECTORY))
    file = homes.folder / "both.zip"

    homes.json("XA", "exchange", "export", file, "--to", "XB", "--to", "XC")
    taken = {code: homes.json(code, "exchange", "import", file) for code in ("XB", "XC")}

    assert {code: said["taken"] for code, said in taken.items()} == {"XB": published, "XC": published}
    assert list(taken["XB"]["others"]) == ["XC"]
    assert taken["XC"]["to"] == ["XB", "XC"]


def test_import_twice_changes_nothing(homes: Homes) -> None:
    published = int(homes.python("XA", PUBLISH_DIRECTORY))
    file = homes.folder / "stick.zip"
    homes.json("XA", "exchange", "export", file, "--to", "XB")
    homes.json("XB", "exchange", "import", file)

    again = homes.json("XB", "exchange", "import", file)

    assert (again["taken"], again["repeats"]) == (0, published)


def test_import_of_a_file_cut_off_takes_what_is_whole_and_says_so(homes: Homes) -> None:
    homes.python("XA", PUBLISH_DIRECTORY)
    file = homes.folder / "stick.zip"
    homes.json("XA", "exchange", "export", file, "--to", "XB")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])

    said = homes.json("XB", "exchange", "import", file, exit_code=3)
    file.write_bytes(whole)
    mended = homes.json("XB", "exchange", "import", file)

    assert said["whole"] is False
    assert (
        said["taken"] + mended["taken"]
        == homes.json("XA", "exchange", "export", file, "--to", "XB")["to"]["XB"]["bodies"]
    )


def test_import_of_what_is_no_file_of_the_exchange_does_the_others(homes: Homes) -> None:
    published = int(homes.python("XA", PUBLISH_DIRECTORY))
    good, bad = homes.folder / "good.zip", homes.folder / "bad.zip"
    bad.write_bytes(b"not a file of anybody")
    homes.json("XA", "exchange", "export", good, "--to", "XB")

    said = homes.json("XB", "exchange", "import", bad, good, exit_code=3)

    assert said[0]["error"]["code"] == "exchange.file.unreadable"
    assert said[1]["taken"] == published


def test_export_to_a_stranger_is_refused(homes: Homes) -> None:
    said = homes.json("XA", "exchange", "export", homes.folder / "x.zip", "--to", "XZ", exit_code=2)

    assert said["error"]["code"] == "exchange.no_such_peer"
    assert not (homes.folder / "x.zip").exists()


def test_import_that_was_killed_is_done_again_and_applies_everything_once(homes: Homes) -> None:
    homes.python("XA", PUBLISH.format(count=600, teams=["XB"], lane="bulk"))
    file = homes.folder / "stick.zip"
    written = homes.json("XA", "exchange", "export", file, "--to", "XB")

    killed = homes.program("XB", KILLED.format(file=file))
    between = positions(homes, "XB")
    again = homes.json("XB", "exchange", "import", file)

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert 0 < between < 600
    assert (again["repeats"], again["taken"]) == (between, 600 - between)
    assert written["to"]["XB"]["bodies"] == positions(homes, "XB") == 600


KILLED = """
import os, signal, threading
from datetime import UTC, datetime
from pathlib import Path
from tansiq.exchange import bundle
from tansiq.exchange.blobs import BlobStore
from tansiq.exchange.node import rosters
from tansiq.exchange.node.importing import Importing

def killed_soon(done):
    threading.Timer(0.15, os.kill, (os.getpid(), signal.SIGKILL)).start()

clock = lambda: datetime.now(UTC)
importing = Importing(lambda: rosters.here(HOME, now=clock()), store=BlobStore(HOME.blobs), clock=clock)
with importing, bundle.opened(Path("{file}"), realm="live") as opened:
    importing.take(opened.parts(here="XB"), told=killed_soon)
"""
"""In the middle of what comes after the first portion."""


def positions(homes: Homes, code: str) -> int:
    """Positions that a node has taken."""
    return int(homes.python(code, "from tansiq.exchange.models import Waiting\nprint(Waiting.objects.count())"))


def test_export_tells_nobody_what_is_for_others(homes: Homes) -> None:
    homes.python("XA", PUBLISH.format(count=3, teams=["XB"], lane="normal"))

    written = homes.json("XA", "exchange", "export", homes.folder / "stick.zip", "--to", "XB", "--to", "XC")

    assert {peer: counts["bodies"] for peer, counts in written["to"].items()} == {"XB": 3, "XC": 0}


def test_receipts_that_were_lost_on_the_way_come_with_the_next_file(homes: Homes) -> None:
    homes.python("XA", PUBLISH_DIRECTORY)
    there, back = homes.folder / "there.zip", homes.folder / "back.zip"
    homes.json("XA", "exchange", "export", there, "--to", "XB")
    homes.json("XB", "exchange", "import", there)
    homes.json("XB", "exchange", "export", back, "--to", "XA")
    back.unlink()

    homes.json("XB", "exchange", "export", back, "--to", "XA")
    homes.json("XA", "exchange", "import", back)

    assert waiting(homes, "XA")["XB"] == 0


def test_restored_node_gets_its_own_objects_back_by_files_and_is_released(homes: Homes) -> None:
    published = int(homes.python("XA", PUBLISH_DIRECTORY))
    there, back = homes.folder / "there.zip", homes.folder / "back.zip"
    homes.json("XA", "exchange", "export", there, "--to", "XB")
    homes.json("XB", "exchange", "import", there)
    homes.json("XA", "exchange", "restore", "--yes")
    homes.json("XA", "exchange", "waive", "XC", "--reason", "no stick goes there")

    homes.json("XA", "exchange", "export", there, "--to", "XB")
    homes.json("XB", "exchange", "import", there)
    homes.json("XB", "exchange", "export", back, "--to", "XA")
    before = homes.json("XA", "exchange", "status")["held_since"]
    homes.json("XA", "exchange", "import", back)

    assert before is not None
    assert homes.json("XA", "exchange", "status")["held_since"] is None
    assert int(homes.python("XA", OWN)) == published


OWN = """
from tansiq.exchange.models import SharedObject
print(SharedObject.objects.filter(owner="XA", statement__isnull=False, withheld=False).count())
"""


def test_member_that_was_removed_gets_its_recalls_by_a_file_for_it_alone_and_answers(homes: Homes) -> None:
    there, back, next_roster = (homes.folder / name for name in ("there.zip", "back.zip", "next.json"))
    homes.python("XA", PUBLISH.format(count=3, teams=["XB"], lane="normal"))
    homes.json("XA", "exchange", "export", there, "--to", "XB")
    homes.json("XB", "exchange", "import", there)
    removal = homes.json("XA", "roster", "issue", "--remove", "XB", "--out", next_roster)["epoch"]
    homes.json("XA", "roster", "issue", "--forward", "XC", "--out", next_roster)

    refused = homes.json("XA", "exchange", "export", there, "--to", "XB", "--to", "XC", exit_code=2)
    written = homes.json("XA", "exchange", "export", there, "--to", "XB")
    taken = homes.json("XB", "exchange", "import", there)
    told = homes.json("XB", "exchange", "status", exit_code=2)
    homes.json("XB", "exchange", "export", back, "--to", "XA")
    homes.json("XA", "exchange", "import", back)

    assert refused["error"]["code"] == "exchange.export.with_others"
    assert told["error"]["code"] == "exchange.node_removed"
    assert f"in epoch {removal}" in told["error"]["message"]
    assert written["to"]["XB"]["bodies"] >= 3
    assert (taken["epoch"], taken["junk"], taken["parked"], taken["refused"]) == (removal, 0, 0, 0)
    assert homes.python("XB", POSITIONS_LEFT).split() == ["0"]
    assert set(homes.python("XA", OUTCOMES).split()) == {"XB:deleted"}


POSITIONS_LEFT = """
from tansiq.exchange.models import Waiting
print(Waiting.objects.filter(object__startswith="XA:thing").exclude(state="refused").count())
"""
OUTCOMES = """
from tansiq.exchange.models import RecallOrder
print(*(f"{one.peer}:{one.outcome}" for one in RecallOrder.objects.all()))
"""


def test_export_and_import_beside_a_service_do_the_same(homes: Homes) -> None:
    there, back = homes.folder / "there.zip", homes.folder / "back.zip"

    with homes.serving("XA"):
        published = int(homes.python("XA", PUBLISH_DIRECTORY))
        homes.python("XA", PUBLISH.format(count=300, teams=["XB"], lane="bulk"))
        written = homes.json("XA", "exchange", "export", there, "--to", "XB")
        taken = homes.json("XB", "exchange", "import", there)
        homes.json("XB", "exchange", "export", back, "--to", "XA")
        homes.json("XA", "exchange", "import", back)

        assert waiting(homes, "XA")["XB"] == 0
    assert (written["whole"], written["to"]["XB"]["left_out"]) == (True, 0)
    assert written["to"]["XB"]["bodies"] == taken["taken"] + taken["parked"] >= published + 300


def test_export_waits_for_another_process_that_gives_positions(homes: Homes) -> None:
    homes.python("XA", PUBLISH.format(count=3, teams=["XB"], lane="normal"))
    homes.json("XA", "exchange", "export", homes.folder / "first.zip", "--to", "XB")
    homes.python("XA", PUBLISH.format(count=10, teams=["XB"], lane="normal"))

    homes.python("XA", LEASED)
    written = homes.json("XA", "exchange", "export", homes.folder / "there.zip", "--to", "XB")

    assert written["to"]["XB"] == {"bodies": 13, "receipts": 0, "left_out": 0}
    assert written["whole"] is True


LEASED = """
from datetime import UTC, datetime, timedelta
from tansiq.exchange.models import OutChannel
OutChannel.objects.update(sealer="another", sealer_until=datetime.now(UTC) + timedelta(seconds=6))
"""


def test_export_says_what_it_left_out_and_what_to_do(homes: Homes) -> None:
    homes.python("XA", PUBLISH.format(count=3, teams=["XB"], lane="normal"))
    homes.json("XA", "exchange", "export", homes.folder / "first.zip", "--to", "XB")
    homes.python("XA", PUBLISH.format(count=7, teams=["XB"], lane="normal"))
    homes.python("XA", FROZEN)

    written = homes.json("XA", "exchange", "export", homes.folder / "there.zip", "--to", "XB", "--to", "XC")
    again = homes.run("XA", "exchange", "export", homes.folder / "there.zip", "--to", "XB", "--to", "XC")
    said = again.stdout + again.stderr

    assert {peer: counts["left_out"] for peer, counts in written["to"].items()} == {"XB": 10, "XC": 0}
    assert (written["whole"], written["full"], written["files_left_out"]) == (False, False, 0)
    assert "The file is not whole." in said
    assert "XB: 10 bodies are left out." in said
    assert "Export again in a while" in said


FROZEN = """
from datetime import UTC, datetime
from tansiq.exchange.models import Link
Link.objects.update_or_create(peer="XB", defaults={"frozen_at": datetime.now(UTC)})
"""
