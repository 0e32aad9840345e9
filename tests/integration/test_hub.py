"""A hub's message server follows the roster: who comes in, who is put out, without a restart."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from conftest import Run
from factories import rosters as make
from factories.backbone import eventually, free_ports, subject
from people import GRACE
from tansiq.cli import hub
from tansiq.cli.backbone import program
from tansiq.core.home import Home
from tansiq.exchange import jetstream, nkey, roster_change
from tansiq.exchange.administration import BackboneAway, BackboneOutdated
from tansiq.exchange.body import Lane
from tansiq.exchange.carried import Outcome, Trouble
from tansiq.exchange.roster import Standing
from tansiq.exchange.roster_signing import Accepted, signed
from tansiq.exchange.transport import Transport

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_nodes_of_a_roster_are_the_active_ones_with_their_keys() -> None:
    roster = make.founded("XA", "XB", "XC")
    draft = roster_change.set_standing(make.after(roster), "XB", Standing.SUSPENDED)

    assert jetstream.nodes_of(draft) == [
        jetstream.BackboneNode(code, nkey.public(make.seed(code))) for code in ("XA", "XC")
    ]


def test_verbs_say_what_waits_and_what_they_did_in_columns(capsys: pytest.CaptureFixture[str]) -> None:
    from tansiq.cli import backbone_verbs as verbs
    from tansiq.exchange.administration import Changes, Filling

    assert verbs._line(Filling("live", "XB", "normal", "XG\x1b", 6)) == "XB\tnormal\tXG\\x1b\t6"
    verbs._tell(Changes(created=["one"], purged=[("two", "XB")]))
    assert capsys.readouterr().out == "made\tone\npurged\ttwo XB\n"

    verbs._tell(Changes())
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "The streams are as the roster wants them: nothing was changed.\n")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    from tansiq import settings

    (tmp_path / "secrets").mkdir()
    monkeypatch.setattr(settings, "BACKBONE_LISTEN", f"127.0.0.1:{free_ports(1)[0]}")
    return Home(tmp_path, tmp_path / "lake", "")


@pytest.fixture
def server(place: Home, database: None) -> Iterator[subprocess.Popen[bytes]]:
    from tansiq.exchange.node import rosters

    rosters._read.clear()
    process = subprocess.Popen([str(program("")), "--config", str(hub.configure(place, "XA"))])
    eventually(lambda: hub.answers(place))
    yield process
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    rosters._read.clear()


def test_hub_follows_the_roster_without_a_restart(server: subprocess.Popen[bytes], place: Home) -> None:
    from tansiq.exchange.node import rosters

    nobody = hub.apply(place, "XA")
    roster = make.founded("XA", "XB", "XC")
    first = signed(roster, make.signer())
    assert isinstance(rosters.accept_signed([first], by=GRACE, now=NOW, realm="live", anchor=first.digest), Accepted)
    made = hub.apply(place, "XA")
    again = hub.apply(place, "XA")

    assert nobody.created == []
    assert made.created == [jetstream.stream_name("live", code, lane) for code in ("XA", "XB", "XC") for lane in Lane]
    assert again.created == again.changed == again.deleted == []
    with Transport(hub.urls(), make.seed("XB"), "XB") as xb, Transport(hub.urls(), make.seed("XA"), "XA") as xa:
        assert xb.wait(20) and xa.wait(20)
        assert xb.publish(subject("XA", "XB"), b"m", "id.1") is Outcome.ACKNOWLEDGED
        second = signed(roster_change.remove(make.after(roster), "XB"), make.signer())
        assert isinstance(rosters.accept_signed([second], by=GRACE, now=NOW, realm="live"), Accepted)
        changes = hub.apply(place, "XA")
        eventually(lambda: xb.trouble is Trouble.REFUSED)
        assert changes.purged == [("tansiq_live_XA_normal", "XB")]
        assert (xa.connected, [xa.fetch(lane, 10, 0) for lane in Lane]) == (True, [[], [], []])
    assert server.poll() is None


def test_configuration_of_the_hub_is_its_owners_alone(server: subprocess.Popen[bytes], place: Home) -> None:
    assert {
        (place.backbone / "server.conf").stat().st_mode & 0o777,
        (place.secrets / "backbone.nkey").stat().st_mode & 0o777,
    } == {0o600}


def test_cluster_writes_three_files_for_their_owner_alone(run: Run, home: Path, tmp_path: Path) -> None:
    names = ("one", "two", "three")
    servers = [f"--server={name}={name}.example" for name in names]

    done = run("backbone", "cluster", *servers, "--out", str(tmp_path))

    texts = [(tmp_path / f"{name}.conf").read_text() for name in names]
    shared = {text.partition("\n")[2] for text in texts}
    assert done.returncode == 0, done.stderr
    assert [text.count("nats-route://server:") for text in texts] == [3, 3, 3]
    assert {(tmp_path / f"{name}.conf").stat().st_mode & 0o777 for name in names} == {0o600}
    assert len(shared) == 1


def test_cluster_refuses_names_and_hosts_that_are_none(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()

    for bad in ("../x=b1", "a/b=b1", "two=", "=b1", "one=b1", "x=b 1", 'x="', "x"):
        servers = ("--server=one=b2", "--server=two=b3", f"--server={bad}")
        done = run("backbone", "cluster", *servers, "--out", str(out))
        assert (done.returncode, bad in done.stderr) == (2, True), done.stderr

    assert list(tmp_path.rglob("*.conf")) == []


def test_verbs_of_a_node_that_is_no_hub_say_what_to_set(run: Run) -> None:
    done = [run("backbone", *arguments) for arguments in (("config",), ("config", "--dry-run"), ("show",))]

    assert {one.returncode for one in done} == {2}
    assert all("TANSIQ_BACKBONE_LISTEN" in one.stderr for one in done)


def test_roster_that_the_servers_did_not_follow_is_tried_again_and_the_alarm_stays(place: Home, database: None) -> None:
    from tansiq.exchange.models import Alarm
    from tansiq.workers.exchange import House

    here: Any = SimpleNamespace(epoch=2)
    failures = [BackboneOutdated(names="live_XB"), BackboneAway(urls="nats://b", reason="silent")]
    house = House(place, lambda: failures and throw(failures.pop()))
    told = []
    for seconds in (0, 1, 10, 20, 30):
        house._lead(here, NOW + timedelta(seconds=seconds))
        told.append((len(failures), [row.values["code"] for row in Alarm.objects.filter(ended_at=None)]))

    assert told == [
        (1, ["exchange.backbone.away"]),
        (1, ["exchange.backbone.away"]),
        (0, ["exchange.backbone.outdated"]),
        (0, []),
        (0, []),
    ]


def throw(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(
    "name, value, shown",
    [
        ("TANSIQ_BACKBONE_URL", "http://x:1", "http://x:1"),
        ("TANSIQ_BACKBONE_URL", "tls://one.example:4222,nats://two.example", "nats://two.example"),
        ("TANSIQ_BACKBONE_URL", "tls://user:hidden-7f3a@one.example", "one.example"),
        ("TANSIQ_BACKBONE_URL", "tls://one.example:port", "tls://one.example:port"),
        ("TANSIQ_BACKBONE_AUTHORITY", "/nonexist", "/nonexist"),
        ("TANSIQ_BACKBONE_AUTHORITY", __file__, __file__),
        ("TANSIQ_BACKBONE_LISTEN", "4222", "4222"),
        ("TANSIQ_BACKBONE_LISTEN", "0.0.0.0", "0.0.0.0"),
        ("TANSIQ_BACKBONE_LISTEN", "0.0.0.0:70000", "0.0.0.0:70000"),
    ],
)
def test_settings_of_the_backbone_that_cannot_be_are_refused_by_name(
    run_python: Run, name: str, value: str, shown: str
) -> None:
    done = run_python("from tansiq.settings import BadSetting", **{name: value})

    assert done.returncode == 1
    assert f"{name} is {shown}, which is not " in done.stderr
    assert "hidden-7f3a" not in done.stderr


@pytest.mark.parametrize("command", [("up",), ("doctor",), ("exchange", "send")])
def test_commands_end_at_once_where_the_backbones_address_is_wrong(run: Run, command: tuple[str, ...]) -> None:
    done = run(*command, TANSIQ_BACKBONE_URL="http://x:1")

    assert done.returncode == 2
    assert "TANSIQ_BACKBONE_URL is http://x:1, which is not tls://backbone.example:4222" in done.stderr
    assert "Traceback" not in done.stderr


def test_settings_of_the_backbone_that_can_be_are_taken(
    run_python: Run,
) -> None:
    program = "from tansiq import settings; print(settings.BACKBONE_URL, settings.BACKBONE_LISTEN)"
    urls = "tls://one.example:4222, nats://127.0.0.1:4222"

    done = run_python(program, TANSIQ_BACKBONE_URL=urls, TANSIQ_BACKBONE_LISTEN="[::1]:4222")

    assert done.stdout.strip() == f"{urls} [::1]:4222"
