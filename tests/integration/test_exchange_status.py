"""How links stand, told to programs and by doctor: what the rows say, to whom, and how many questions that takes."""

from __future__ import annotations

import json
from contextlib import redirect_stderr, redirect_stdout
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from shutil import rmtree
from typing import Any, NamedTuple

import pytest

from factories import api, links, signin
from tansiq.cli.checks.finding import Severity
from tansiq.core.home import Home
from tansiq.core.viewer import Scope

pytestmark = pytest.mark.usefixtures("database", "forgotten")
LINKS = "/api/v1/exchange/links"


@pytest.fixture
def filled(forgotten: None) -> tuple[int, int]:
    api.registered()
    return links.filled(signin.now())


def asked(team: str, *scopes: Scope) -> Any:
    return api.program(api.key(team, *(scopes or (Scope.EXCHANGE_READ,)))).get(LINKS)


# ---- the API


def test_program_of_the_operator_is_told_every_link_as_it_stands(filled: Any) -> None:
    told = asked("XA-CERT").json()

    assert (told["reach"], told["node"], told["realm"], told["epoch"]) == ("whole", "XA", "live", 1)
    assert {one["peer"]: one["standing"] for one in told["links"]} == links.EVERY_STATE
    assert {(one["code"], one["peer"], one["times"]) for one in told["alarms"]} == {
        ("exchange.clone", "XM", 1),
        ("exchange.not_entitled", "XH", 1),
    }
    xe = next(one for one in told["links"] if one["peer"] == "XE")
    assert {lane: (one["count"], one["size_bytes"]) for lane, one in xe["waiting"].items()} == {
        "normal": (1, 4_096),
        "bulk": (2, 100_000),
    }
    assert (xe["parked"], xe["quarantined"], xe["recalls_open"]) == ({"reference": 1}, {"payload": 1}, 1)
    assert [(one["way"], one["reaches"], one["failure"]) for one in xe["ways"]] == [
        ("jetstream", True, ""),
        ("mail", False, "failed"),
    ]
    assert (xe["clock_offset_seconds"], xe["not_equal_since"], xe["key"]["from_epoch"]) == (0.14, None, 1)
    assert {one["version"] for one in told["links"]} == {"", "tansiq/0.9.2"} and xe["version"] == "tansiq/0.9.2"


def test_recalls_on_which_a_peer_is_silent_for_a_day_are_told_as_unreachable(filled: Any) -> None:
    from tansiq.exchange.models import RecallOrder

    RecallOrder.objects.filter(peer="XC").update(ordered_at=signin.now() - timedelta(hours=23))

    told = {one["peer"]: one for one in asked("XA-CERT").json()["links"]}
    counts = {code: (told[code]["recalls_open"], told[code]["recalls_unreachable"]) for code in ("XC", "XE", "XG")}

    assert counts == {"XC": (1, 0), "XE": (1, 1), "XG": (0, 0)}


def test_program_of_a_guest_is_told_of_its_own_objects_alone(filled: Any) -> None:
    told = asked("XF-CERT").json()

    assert (told["reach"], told["links"], told["alarms"], told["key"]) == ("own", [], [], None)
    (held,) = told["held"]
    assert (held["peer"], held["recalls_open"], held["quarantined"]) == ("XE", 1, {})
    assert {lane: one["count"] for lane, one in held["waiting"].items()} == {"bulk": 1}


def test_nothing_of_a_payload_or_of_an_objects_name_is_told(filled: Any) -> None:
    text = asked("XA-CERT").content.decode()

    assert [word in text for word in (links.SECRET, links.OURS, links.GUESTS, links.THEIRS)] == [False] * 4


def test_key_without_the_scope_and_guests_are_refused(filled: Any) -> None:
    other = asked("XA-CERT", Scope.DIRECTORY_READ, Scope.EVENTS_READ)

    assert (other.status_code, other.json()["error"]["code"]) == (403, "sharing.key.scope")
    assert api.program().get(LINKS).status_code == 401


def test_team_that_lives_elsewhere_is_refused(forgotten: None) -> None:
    api.registered()
    links.federated(guests=())

    answer = asked("XF-CERT")

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "exchange.links.not_here")


def test_node_without_a_roster_is_of_epoch_zero(forgotten: None) -> None:
    from tansiq.members.models import Node

    api.registered()
    team = signin.team_of("XA-CERT")
    Node.objects.create(pk=1, code="XA", name="XA", language="en", team=team, set_up_at=signin.now())

    told = asked("XA-CERT").json()

    assert (told["epoch"], told["links"]) == (0, [])


# ---- the rows


def test_backlog_is_counted_without_going_through_a_million_bodies(filled: Any) -> None:
    """Of what is sealed the channel's own count is told, and the age of the lowest that has no receipt."""
    from tansiq.exchange.models import OutChannel, Sent
    from tansiq.exchange.node.looking import look
    from tansiq.exchange.node.status import Lane, status

    OutChannel.objects.filter(peer="XE").update(waiting_bodies=1_000_000, waiting_bytes=10**9)
    now = signin.now()
    here = look(api.head("XA-CERT"), now=now).here

    (xe,) = (one for one in status(here, now=now).links if one.peer == "XE")

    waits = xe.backlog[Lane.NORMAL]
    assert (waits.count, waits.size_bytes) == (1_000_000, 10**9)
    assert waits.oldest_at == Sent.objects.get(first=2).made_at


def test_key_of_a_roster_that_was_never_here_is_of_an_unknown_day(filled: Any) -> None:
    from tansiq.exchange.models import RosterRecord
    from tansiq.exchange.node.looking import look
    from tansiq.exchange.node.status import status

    now = signin.now()
    here = look(api.head("XA-CERT"), now=now).here
    RosterRecord.objects.update(epoch=9)

    keys = {one.key.since for one in status(here, now=now).links}

    assert keys == {None}


def test_first_standing_that_is_so_is_the_one() -> None:
    from tansiq.exchange.node.standing import LinkState, Standing

    now = signin.now()
    everything: dict[str, Any] = {
        "peer": "XE",
        "frozen_at": now,
        "alarms": ("exchange.lost",),
        "heard_at": now - timedelta(days=2),
        "clock_offset": timedelta(hours=-1),
        "not_equal_since": now,
        "equal_at": now,
    }

    seen = []
    for name, healed in (
        ("frozen_at", None),
        ("alarms", ()),
        ("heard_at", now),
        ("clock_offset", timedelta(minutes=20)),
        ("not_equal_since", None),
    ):
        seen.append(LinkState(**everything).standing(now))
        everything[name] = healed
    seen.append(LinkState(**everything).standing(now))
    seen.append(LinkState("XE").standing(now))

    assert seen == [
        Standing.FROZEN,
        Standing.ALARM,
        Standing.AWAY,
        Standing.CLOCK,
        Standing.DIFFERS,
        Standing.EQUAL,
        Standing.NEVER,
    ]


# ---- doctor


def found(now: datetime) -> dict[str, tuple[str, str]]:
    from tansiq.cli.checks.links import of_exchange

    return {one.code: (one.what.format(**one.values), one.remedy.format(**one.values)) for one in of_exchange(now)}


def test_doctor_says_of_links_what_a_person_has_to_see_to(filled: Any) -> None:
    said = found(signin.now())

    assert set(said) == {
        "exchange.clone",
        "exchange.not_entitled",
        "exchange.quarantined",
        "exchange.clock",
        "exchange.key_due",
        "exchange.away",
    }
    assert said["exchange.clock"][0] == "The clock of XD and this node's are 90 minutes apart."
    assert said["exchange.away"][0] == "Nothing was heard lately of 2 of 7 peers: XB, XC."
    assert said["exchange.quarantined"][0].endswith("1 in all, from XE.")


def test_doctor_blames_its_own_clock_where_all_others_agree(filled: Any) -> None:
    from tansiq.exchange.models import Link

    Link.objects.update(clock_offset_ms=7_200_000)

    said = found(signin.now())

    assert {"exchange.clock", "exchange.clock.ours"} & set(said) == {"exchange.clock.ours"}


def test_doctor_of_a_node_without_a_roster_says_nothing_of_links(forgotten: None) -> None:
    assert found(signin.now()) == {}


def test_doctor_says_an_alarm_even_where_an_older_program_left_a_value_out(filled: Any) -> None:
    from tansiq.exchange.models import Alarm

    Alarm.objects.filter(peer="XH").update(values={})

    assert "exchange.not_entitled" in found(signin.now())["exchange.not_entitled"][0]


@pytest.mark.parametrize("is_declared", [True, False])
def test_doctor_says_once_that_a_node_is_held_and_who_is_waited_for(filled: Any, is_declared: bool) -> None:
    from tansiq.cli.checks.links import of_exchange
    from tansiq.exchange.node import alarms

    now = signin.now()
    holding("XC", "XE", now=now)
    if not is_declared:
        alarms.raise_alarm("exchange.held", "", {}, now)

    (finding,) = (one for one in of_exchange(now) if one.code == "exchange.held")

    assert finding.severity is Severity.BAD
    assert finding.what.format(**finding.values).endswith("until these have answered: XC, XE.")


def drawn(home: Home) -> tuple[Path, Path]:
    """This node with keys of its own under a roster that names them. Returns: files of the node's and its team's."""
    api.registered()
    links.federated(request=links.drawn(home), guests=())
    (node,) = (home.secrets / "exchange" / "node").glob("*.asc")
    (team,) = (home.secrets / "exchange" / "platform" / "live" / "XA-CERT").glob("*.asc")
    return node, team


def of_keys(home: Home) -> dict[str, str]:
    from tansiq.cli.checks.links import of_exchange_keys

    found = list(of_exchange_keys(home))
    assert all(one.severity is Severity.BAD and one.remedy.format(**one.values) for one in found)
    return {one.code: one.what.format(**one.values) for one in found}


def test_doctor_says_nothing_of_keys_that_are_whole(forgotten: None, tmp_path: Path) -> None:
    home = Home(tmp_path, tmp_path / "lake", "")
    drawn(home)

    assert of_keys(home) == {}


def test_doctor_sees_a_key_of_the_exchange_that_others_can_read(forgotten: None, tmp_path: Path) -> None:
    home = Home(tmp_path, tmp_path / "lake", "")
    node, _team = drawn(home)
    node.chmod(0o644)

    found = of_keys(home)

    assert set(found) == {"exchange.custody.open_to_others"}
    assert str(node) in found["exchange.custody.open_to_others"]


def test_doctor_sees_a_key_of_the_exchange_that_is_cut_off(forgotten: None, tmp_path: Path) -> None:
    home = Home(tmp_path, tmp_path / "lake", "")
    _node, team = drawn(home)
    team.write_bytes(team.read_bytes()[:100])

    assert set(of_keys(home)) == {"exchange.custody.unreadable"}


def test_doctor_sees_keys_of_the_exchange_that_are_gone(forgotten: None, tmp_path: Path) -> None:
    home = Home(tmp_path, tmp_path / "lake", "")
    _node, team = drawn(home)
    team.unlink()
    of_team = of_keys(home)

    rmtree(home.secrets / "exchange")
    of_all = of_keys(home)

    assert of_team["exchange.custody.missing"].endswith("these open and sign: XA-CERT.")
    assert "XA, XA-CERT" in of_all["exchange.custody.missing"]


# ---- the command line


def test_program_of_the_command_line_is_told_moments_with_z_and_offsets_in_milliseconds(
    filled: Any, capsys: Any
) -> None:
    from tansiq.cli.exchange import row_of
    from tansiq.cli.speech import emit
    from tansiq.exchange.node import rosters
    from tansiq.exchange.node.status import status
    from tansiq.exchange.node.under import under

    now, roster = signin.now(), rosters.current()
    assert roster is not None

    emit(row_of(status(under(roster, code="XA", now=now), now=now)))

    by_peer = {link["peer"]: link for link in json.loads(capsys.readouterr().out)["links"]}
    assert {peer: link["clock_offset_ms"] for peer, link in by_peer.items() if peer in "XB XD XE"} == {
        "XB": None, "XD": -5_400_000, "XE": 140,
    }  # fmt: skip
    assert by_peer["XE"]["heard_at"].endswith("Z") and "T" in by_peer["XE"]["heard_at"]


def holding(*asked: str, now: datetime) -> None:
    from tansiq.exchange.models import Life, Link

    Life.objects.update_or_create(pk=1, defaults={"began_at": now, "held_since": now, "reason": "restored"})
    Link.objects.filter(peer__in=asked).update(asking_since=now)


def told(language: str = "en") -> Told:
    """What ``tansiq exchange status`` says of now."""
    from tansiq.cli import exchange
    from tansiq.core.language import speak
    from tansiq.exchange.node import rosters
    from tansiq.exchange.node.status import status
    from tansiq.exchange.node.under import under

    now, roster = signin.now(), rosters.current()
    assert roster is not None
    out, err = StringIO(), StringIO()
    speak(language)
    try:
        with redirect_stdout(out), redirect_stderr(err):
            exchange._tell(status(under(roster, code="XA", now=now), now=now), now)
    finally:
        speak("en")
    rows = [line.split("\t") for line in out.getvalue().splitlines()]
    return Told({row[0]: row[1:] for row in rows}, err.getvalue().splitlines())


class Told(NamedTuple):
    links: dict[str, list[str]]
    talk: list[str]


@pytest.mark.parametrize("language", ["ar", "en", "fr"])
def test_command_says_alarms_in_words_and_what_to_do(filled: Any, language: str) -> None:
    from tansiq.core.language import catalogue
    from tansiq.exchange.node import alarms
    from tansiq.web.exchange.words import ALARMS

    alarms.raise_alarm("exchange.split", "", {"epoch": 7, "here": "a" * 8, "there": "b" * 8}, signin.now())

    talk = told(language).talk

    words = catalogue(language).gettext
    what, remedy = (words(one).format(epoch=7, here="a" * 8, there="b" * 8) for one in ALARMS["exchange.split"])
    assert any(line.endswith(f"{what} {remedy}") for line in talk)
    assert not any("exchange.split" in line for line in talk)


def test_command_says_of_each_link_how_it_stands_in_the_word_of_the_page(filled: Any) -> None:
    from tansiq.web.exchange.words import STANDINGS

    links_said = told().links

    assert {peer: row[0] for peer, row in links_said.items()} == {
        peer: str(STANDINGS[standing]) for peer, standing in links.EVERY_STATE.items()
    }
    assert told("fr").links["XM"][0] == "gelé"
    assert not any(cell.startswith("exchange.") for row in links_said.values() for cell in row)


def test_command_says_when_a_link_was_found_different(filled: Any) -> None:
    from tansiq.exchange.models import Link

    Link.objects.filter(peer="XE").update(equal_at=None)

    links_said = told().links

    assert any(cell.startswith("different when compared at 2") for cell in links_said["XE"])
    assert any(cell.startswith("not known to be equal since 2") for cell in links_said["XG"])
    assert any(cell.startswith("equal at 2") for cell in links_said["XH"])
    assert "not compared yet" in links_said["XB"]


def test_command_says_which_ways_reach_a_peer_and_a_clock_that_matters(filled: Any) -> None:
    links_said = told().links

    assert {"message server: reached", "mail: nobody answers"} <= set(links_said["XE"])
    assert "mail: not lately" in links_said["XC"]
    assert "its clock 1 h behind" in links_said["XD"]
    assert not any("clock" in cell for cell in links_said["XE"])


def test_command_of_a_held_node_says_since_when_why_and_who_is_waited_for(filled: Any) -> None:
    from tansiq.exchange.models import Link

    now = signin.now()
    holding("XC", "XD", "XE", now=now)
    Link.objects.filter(peer="XD").update(waived_at=now)

    talk = told().talk

    assert any(line.startswith(f"Held since {now:%Y-%m-%d %H:%M} UTC: ") for line in talk)
    assert "It was restored from a backup." in talk
    assert "It waits for: XC, XE." in talk
