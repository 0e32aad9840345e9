"""A guest team moves to a node of its own: with its data and history, and its former host cannot speak for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from factories import federation_homes
from factories.backbone import eventually
from factories.federation_homes import Homes
from tansiq.exchange import jetstream

GUEST = """
[[team]]
code = "XG"
name = "{name}"
periods = [ {{ category = "full", since = 2020-01-31, decision = "d" }} ]
contacts = [ {{ kind = "email", value = "cert@xg.example" }} ]
"""
NOTES = """
import json
from datetime import UTC, datetime
from tansiq.core.marking import Audience, Marking, Tlp
from tansiq.exchange.body import Lane
from tansiq.exchange.kinds import KNOWN, Kind
from tansiq.exchange.models import OutboxRow, RecallOrder, SharedObject, Statement
from tansiq.exchange.node import moving, publishing, rosters, statements
from tansiq.members import viewers
applied = []
KNOWN.register(Kind("note", 1, Lane.NORMAL, lambda said: True, lambda said, now: applied.append(said.payload), print))
now = datetime.now(UTC)
here = rosters.here(HOME, now=now)
by = viewers.operator(now=now)
"""
SAY = """
for text in ("first", "second"):
    marking = Marking(Tlp.AMBER_STRICT, "XG", Audience.of(teams=["XA"]))
    publishing.publish(here, kind="note", name="n1", payload={"text": text}, markings=[marking], team="XG", now=now)
publishing.publish(here, kind="note", name="n2", payload={"text": "gone"}, markings=[marking], team="XG", now=now)
publishing.withdraw(here, "XG:n2", now)
"""
PACK = """
from pathlib import Path
for number, part in enumerate(moving.packed(here, "XG", "XC", by=by, now=now)):
    Path(FOLDER, f"{number}.part").write_bytes(part)
"""
TAKE = """
from pathlib import Path
parts = [file.read_bytes() for file in sorted(Path(FOLDER).glob("*.part"))]
done = moving.taken(here, "XG", "XB", parts, by=by, now=now)
live = {row.object: row.statement for row in SharedObject.objects.filter(owner="XG", kind="note")}
said = json.loads(bytes(live["XG:n1"].content))
print(json.dumps({
    "taken": [done.objects, done.profiles],
    "applied": applied,
    "live": sorted(name for name, statement in live.items() if statement),
    "version": [live["XG:n1"].term, live["XG:n1"].n],
    "key": said["author"]["key"],
    "own": here.platform["XG"].fingerprint,
    "history": Statement.objects.filter(object="XG:n1").count(),
    "recalled": sorted(RecallOrder.objects.filter(object="XG:n1").values_list("peer", flat=True)),
    "sent": sorted(set(OutboxRow.objects.filter(statement__object="XG:n1").values_list("peer", flat=True))),
}))
"""


@pytest.fixture(scope="module")
def hosting(set_up_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Homes:
    """XB hosts the guest XG; the roster of epoch 3, which all have, says so."""
    homes = federation_homes.made(tmp_path_factory.mktemp("hosting"), set_up_home, ("XA", "XB", "XC"))
    known = homes.folder / "guest.toml"
    known.write_text(GUEST.format(name="Guest"))
    for code in ("XA", "XB"):
        assert homes.run(code, "members", "import", known).returncode == 0
    homes.json("XB", "roster", "request", "--team", "XG", "--out", homes.folder / "guest.json")
    homes.json("XA", "roster", "issue", "--admit", homes.folder / "guest.json", "--out", homes.folder / "r3.json")
    for code in ("XB", "XC"):
        homes.json(code, "roster", "accept", homes.folder / "r3.json")
    return homes


@pytest.fixture
def homes(hosting: Homes, tmp_path: Path) -> Iterator[Homes]:
    with hosting.copied(tmp_path / "federation") as copy:
        yield copy


def moved_by_roster(homes: Homes, *, accepted_by: tuple[str, ...] = ("XB", "XC")) -> None:
    homes.json("XC", "roster", "request", "--team", "XG", "--out", homes.folder / "moving.json")
    homes.json("XA", "roster", "issue", "--move", homes.folder / "moving.json", "--out", homes.folder / "r4.json")
    for code in accepted_by:
        homes.json(code, "roster", "accept", homes.folder / "r4.json")


def register(homes: Homes, code: str) -> str:
    return homes.run(code, "members", "export", "--team", "XG").stdout


def test_guest_is_sent_to_all_and_moves_with_its_data_while_everybody_works(homes: Homes) -> None:
    homes.begin()
    with homes.serving("XA", "XB", "XC"):
        eventually(lambda: "cert@xg.example" in register(homes, "XC"), 60)

        moved_by_roster(homes, accepted_by=())
        eventually(lambda: all(homes.json(code, "roster", "show")["epoch"] == 4 for code in ("XB", "XC")), 60)
        homes.json("XB", "members", "move", "XG", "--to", "XC", "--out", homes.folder / "xg.zip")
        taken = homes.json("XC", "members", "move", "XG", "--from", "XB", "--in", homes.folder / "xg.zip")
        (homes.folder / "now.toml").write_text(GUEST.format(name="On its own"))
        assert homes.run("XC", "members", "import", homes.folder / "now.toml").returncode == 0
        eventually(lambda: "On its own" in register(homes, "XA"), 60)
        (homes.folder / "forged.toml").write_text(GUEST.format(name="As the host would have it"))
        assert homes.run("XB", "members", "import", homes.folder / "forged.toml").returncode == 0

    assert taken["versions"] >= 2
    assert [file.name for file in (homes.home("XB") / "secrets/exchange/platform/live/XG").glob("*")] == []
    assert "As the host would have it" not in register(homes, "XA")


def test_objects_are_said_anew_with_the_new_key_and_their_history_is_kept(homes: Homes) -> None:
    folder = f"FOLDER = {str(homes.folder)!r}\n"
    homes.python("XB", NOTES + SAY)
    moved_by_roster(homes)
    homes.python("XB", folder + NOTES + PACK)

    found = json.loads(homes.python("XC", folder + NOTES + TAKE))

    assert found["applied"] == [{"text": "second"}]
    assert (found["live"], found["version"]) == (["XG:n1"], [1, 3])
    assert found["key"] == found["own"]
    assert (found["taken"], found["history"]) == ([3, 0], 3)  # with the profile and the contacts
    assert (found["recalled"], found["sent"]) == (["XB"], ["XA"])


def test_file_for_another_node_or_before_the_roster_is_refused(homes: Homes) -> None:
    target = homes.folder / "xg.zip"

    unmoved = homes.json("XB", "members", "move", "XG", "--to", "XC", "--out", target, exit_code=2)
    moved_by_roster(homes, accepted_by=("XB",))
    foreign = homes.json("XB", "members", "move", "XG", "--to", "XA", "--out", target, exit_code=2)
    of_host = homes.json("XA", "members", "move", "XB", "--to", "XC", "--out", target, exit_code=2)
    was_written = target.exists()
    homes.json("XB", "members", "move", "xg", "--to", "xc", "--out", target)
    early = homes.json("XC", "members", "move", "XG", "--from", "XB", "--in", target, exit_code=2)
    homes.json("XC", "roster", "accept", homes.folder / "r4.json")
    wrong = homes.json("XC", "members", "move", "XA", "--from", "XB", "--in", target, exit_code=2)
    liar = homes.json("XC", "members", "move", "XG", "--from", "XA", "--in", target, exit_code=2)
    unclear = homes.json("XC", "members", "move", "XG", "--from", "XB", exit_code=2)

    assert early["error"]["code"] == wrong["error"]["code"] == "exchange.move.not_there"
    assert [one["error"]["code"] for one in (unmoved, foreign, of_host)] == ["exchange.move.not_moved"] * 3
    assert not was_written
    assert liar["error"]["code"] == "exchange.move.file"
    assert unclear["error"]["code"] == "members.move.which"


COMPARED = """
from tansiq.exchange.models import Comparison, Link
ended = Comparison.objects.filter(outward=True, equal__isnull=False)
asking = Link.objects.filter(asking_since__isnull=False).exists()
print(json.dumps([sorted(set(ended.values_list("peer", flat=True))), asking]))
"""
DIFFERING = """
from tansiq.exchange.models import Comparison, Link
Comparison.objects.update(began_at="2026-01-01T00:00:00Z")
ended = [Comparison.objects.filter(peer=peer, outward=True, equal__isnull=False).latest("ended_at") for peer in PEERS]
print(json.dumps([one.equal for one in ended]))
"""
SAID = """
from tansiq.exchange.models import Alarm
rows = SharedObject.objects.filter(owner="XG").order_by("object")
print(json.dumps({
    "orders": RecallOrder.objects.filter(object__startswith="XG:").count(),
    "rows": OutboxRow.objects.filter(statement__team="XG").count(),
    "said": Statement.objects.filter(team="XG", came_from="").count(),
    "alarms": list(Alarm.objects.filter(code="exchange.awaited", ended_at=None).values_list("values", flat=True)),
    "live": {row.object: [row.statement.term, row.statement.n, row.statement.leaf] for row in rows if row.statement},
    "keys": sorted({json.loads(bytes(row.statement.content))["author"]["key"] for row in rows if row.statement}),
    "own": here.platform["XG"].fingerprint if "XG" in here.platform else "",
}))
"""


@pytest.fixture
def joining(homes: Homes, set_up_home: Path) -> Homes:
    """The guest has a node of its own now, XG; everybody else has what the guest said and the roster that moves it."""
    federation_homes.added(homes, set_up_home, "XG")
    asked = homes.json("XG", "roster", "request", "--out", homes.folder / "moving.json")
    homes.begin(jetstream.BackboneNode("XG", asked["nkey"], "live"))
    with homes.serving("XA", "XB", "XC"):
        eventually(
            lambda: "cert@xg.example" in register(homes, "XC") and "cert@xg.example" in register(homes, "XA"), 60
        )
        made = homes.json(
            "XA", "roster", "issue", "--move", homes.folder / "moving.json", "--out", homes.folder / "r4.json"
        )
        eventually(lambda: all(homes.json(code, "roster", "show")["epoch"] == 4 for code in ("XB", "XC")), 60)
    homes.json("XG", "roster", "accept", homes.folder / "r4.json", "--digest", made["digest"])
    return homes


def has_compared(homes: Homes) -> bool:
    """And was told all that the others have of it."""
    return bool(json.loads(homes.python("XG", NOTES + COMPARED)) == [["XA", "XB", "XC"], False])


def is_equal(homes: Homes) -> bool:
    peers = "PEERS = ['XA', 'XB', 'XC']\n"
    return bool(json.loads(homes.python("XG", peers + NOTES + DIFFERING)) == [True, True, True])


def said(homes: Homes, code: str) -> dict[str, Any]:
    return dict(json.loads(homes.python(code, NOTES + SAID)))


def test_new_node_says_and_deletes_nothing_of_its_team_before_its_data_is_there(joining: Homes) -> None:
    homes = joining
    before = said(homes, "XA")["live"]
    with homes.serving("XA", "XB", "XC", "XG"):
        eventually(lambda: has_compared(homes), 90)
        waiting, told = said(homes, "XG"), homes.run("XG", "exchange", "status").stderr
        refused = homes.run("XG", "members", "import", homes.folder / "guest.toml")
        still = said(homes, "XA")["live"]

        homes.json("XB", "members", "move", "XG", "--to", "XG", "--out", homes.folder / "xg.zip")
        homes.json("XG", "members", "move", "XG", "--from", "XB", "--in", homes.folder / "xg.zip")
        eventually(lambda: is_equal(homes), 120)
        found = {code: said(homes, code) for code in ("XA", "XB", "XC", "XG")}

    assert refused.returncode == 0
    assert (waiting["orders"], waiting["rows"], waiting["said"], waiting["live"]) == (0, 0, 0, {})
    assert waiting["alarms"] == [{"teams": "XG"}]
    assert "Teams moved here whose data was not taken in yet: XG." in told
    assert still == before != {}
    assert all("cert@xg.example" in register(homes, code) for code in found)
    assert all(one["live"] == found["XG"]["live"] for one in found.values())
    assert {name: version[1] for name, version in found["XG"]["live"].items()}.keys() >= before.keys()
    assert found["XG"]["keys"] == [found["XG"]["own"]]
    assert (found["XG"]["orders"], found["XG"]["alarms"]) == (0, [])


def test_person_may_have_the_node_wait_no_longer_and_the_others_follow_it(joining: Homes) -> None:
    homes = joining
    with homes.serving("XA", "XC", "XG"):
        eventually(lambda: set(json.loads(homes.python("XG", NOTES + COMPARED))[0]) >= {"XA", "XC"}, 90)
        unclear = homes.json("XG", "members", "move", "XG", "--without", " ", exit_code=2)
        homes.json("XG", "members", "move", "XG", "--without", "the host is gone")
        again = homes.json("XG", "members", "move", "XG", "--without", "the host is gone", exit_code=2)
        eventually(lambda: said(homes, "XA")["live"] == said(homes, "XG")["live"] != {}, 120)
        found = said(homes, "XG")

    assert unclear["error"]["code"] == "members.move.which"
    assert again["error"]["code"] == "exchange.move.not_awaited"
    assert found["keys"] == [found["own"]]
    assert found["alarms"] == []
