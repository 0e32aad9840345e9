"""``tansiq roster``: two nodes come to be a federation, rotate, and part."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

TEAMS = """
[[team]]
code = "XB-CERT"
name = { en = "CERT of XB" }
country = "XB"
claims = { cidr = ["192.0.2.0/24"] }

[[team]]
code = "XG-CERT"
name = { en = "A guest" }
"""
NAMED = """
import sys
from datetime import UTC, datetime
from tansiq.cli import node
node.opened()
from tansiq.members.actions.node import first_administrator
first_administrator(code="{code}", name="{code}", language="en", team_code="{code}-CERT", now=datetime.now(UTC))
"""


class Nodes:
    """XA, which founds, and XB: ``nodes.xa("show")`` is what ``tansiq roster show --json`` says there."""

    def __init__(self, run: Run, run_python: Run, home: Path, folder: Path) -> None:
        self.run, self.folder = run, folder
        self.homes = {"XA": home, "XB": Path(shutil.copytree(home, folder / "xb"))}
        for code, at in self.homes.items():
            done = run_python(NAMED.format(code=code), at=at)
            assert done.returncode == 0, done.stderr

    def xa(self, *arguments: str | Path, code: int = 0) -> Any:
        return self.of("XA", *arguments, code=code)

    def xb(self, *arguments: str | Path, code: int = 0) -> Any:
        return self.of("XB", *arguments, code=code)

    def of(self, node: str, *arguments: str | Path, code: int = 0) -> Any:
        done = self.run("roster", *arguments, "--json", at=self.homes[node])
        assert done.returncode == code, done.stdout + done.stderr
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return lines[0] if len(lines) == 1 else lines

    def file(self, name: str) -> Path:
        return self.folder / name

    def secrets(self, node: str) -> dict[str, bytes]:
        folder = self.homes[node] / "secrets" / "exchange"
        return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture
def nodes(run: Run, run_python: Run, home: Path, tmp_path: Path) -> Nodes:
    return Nodes(run, run_python, home, tmp_path)


def test_two_nodes_become_a_federation_rotate_and_part(nodes: Nodes) -> None:
    teams = nodes.file("teams.toml")
    teams.write_text(TEAMS, encoding="utf-8")
    assert nodes.run("members", "import", teams).returncode == 0
    first, second, third, fourth = (nodes.file(f"{n}.json") for n in range(1, 5))
    asked, guest, rotated = nodes.file("join.json"), nodes.file("guest.json"), nodes.file("rotated.json")

    # XA founds, XB asks, and both keep their keys to themselves.
    founded = nodes.xa("found", "--mail", "exchange@xa.example", "--out", first)
    request = nodes.xb("request", "--mail", "exchange@xb.example", "--out", asked)
    assert (founded["epoch"], request["node"], request["team"]) == (1, "XB", "XB-CERT")
    modes = {stat.S_IMODE(file.stat().st_mode) for at in nodes.homes.values() for file in at.rglob("*.asc")}
    assert modes == {0o600}
    seed = nodes.secrets("XB")["nkey.seed"].strip()
    assert seed.startswith(b"SU") and seed not in asked.read_bytes()

    # XA admits it with a guest of XA itself; XB takes both rosters over by the first one's digest, and no other.
    nodes.xa("request", "--team", "XG-CERT", "--out", guest)
    issued = nodes.xa("issue", "--admit", asked, "--admit", guest, "--claims", "--out", second)
    aloud = " ".join(founded["digest"][at : at + 4] for at in range(0, 64, 4))
    unread = nodes.xb("accept", first, second, code=2)["error"]
    assert (unread["code"], aloud in unread["message"]) == ("exchange.roster.not_compared", True)
    refused = nodes.xb("accept", first, second, "--digest", "ab" * 32, code=2)["error"]
    given = " ".join(["abab"] * 16)
    assert refused["code"] == "exchange.roster.not_the_one" and "--digest" not in refused["remedy"]
    assert refused["message"].startswith(f"You gave {given}; this file's digest is {aloud}: ")
    accepted = nodes.xb("accept", second, first, "--digest", aloud.upper())
    assert accepted == {"epoch": 2, "realm": "live", "digest": issued["digest"], "accepted": [1, 2], "rest": None}
    assert nodes.xb("show") == nodes.xa("show")
    shown = nodes.xb("show")
    assert [(team["code"], team["node"]) for team in shown["teams"]] == [
        ("XA-CERT", "XA"), ("XB-CERT", "XB"), ("XG-CERT", "XA"),
    ]  # fmt: skip
    assert {"team": "XB-CERT", "kind": "cidr", "value": "192.0.2.0/24"}.items() <= {
        name: value for claim in shown["claims"]["list"] if claim["team"] == "XB-CERT" for name, value in claim.items()
    }.items()

    # XB has new keys; once the roster names them, its old platform key is gone, its old node key waits.
    before = nodes.secrets("XB")
    new = nodes.xb("request", "--rotate", "--out", rotated)
    assert {*before} < {*nodes.secrets("XB")}
    nodes.xa("issue", "--rotate", rotated, "--out", third)
    nodes.xb("accept", third)
    names = sorted(name.partition("-")[0] + Path(name).suffix for name in nodes.secrets("XB") if "node/" in name)
    assert names == ["node/0001.asc", "node/0001.retired", "node/0002.asc"]
    assert [name for name in nodes.secrets("XB") if name.startswith("platform")] == [
        f"platform/live/XB-CERT/0002-{new['platform_fingerprint'][:16]}.asc"
    ]

    # XB leaves: it can be told by anybody, and comes back with other keys only.
    nodes.xa("issue", "--remove", "xb", "--out", fourth)
    assert nodes.xb("accept", fourth)["epoch"] == 4
    assert [(one["code"], one["what"]) for one in nodes.xb("show")["former"]] == [("XB", "node"), ("XB-CERT", "team")]
    again = nodes.xa("issue", "--admit", rotated, "--out", first, code=2)
    assert again["error"]["code"] == "exchange.roster.key_twice"
    assert [entry["epoch"] for entry in nodes.xb("history")] == [4, 3, 2, 1]


def test_request_for_a_guest_has_a_file_of_its_own_and_a_team_that_nobody_knows_is_named(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    teams = nodes.file("teams.toml")
    teams.write_text(TEAMS, encoding="utf-8")
    assert nodes.run("members", "import", teams).returncode == 0
    monkeypatch.chdir(nodes.folder)

    own = nodes.xa("request")
    guest = nodes.xa("request", "--team", "xg-cert")
    unknown = nodes.run("roster", "request", "--team", "qq", at=nodes.homes["XA"])
    known = nodes.run("roster", "request", "--team", "xg-cert", at=nodes.homes["XA"])

    assert (own["file"], guest["file"], guest["team"]) == ("join-XA.json", "join-XA-XG-CERT.json", "XG-CERT")
    assert nodes.file("join-XA.json").read_bytes() != nodes.file("join-XA-XG-CERT.json").read_bytes()
    assert "The register here does not know QQ" in unknown.stderr
    assert "does not know" not in known.stderr


def test_roster_that_two_have_to_sign_is_a_proposal_until_both_have(nodes: Nodes) -> None:
    teams, asked, key = nodes.file("teams.toml"), nodes.file("join.json"), nodes.file("signer.pgp")
    first, second, third, proposed, signed = (nodes.file(f"{name}.json") for name in ("1", "2", "3", "p", "s"))
    teams.write_text(TEAMS, encoding="utf-8")
    assert nodes.run("members", "import", teams).returncode == 0
    digest = nodes.xa("found", "--out", first)["digest"]
    nodes.xb("request", "--out", asked)
    nodes.xa("issue", "--admit", asked, "--out", second)
    other = nodes.xb("signer", "--out", key)["fingerprint"]
    nodes.xa("issue", "--signer", key, "--threshold", "2", "--out", third)
    nodes.xb("accept", first, second, "--digest", digest)

    # XA alone can only propose, and takes nothing over; XB has to have what is before.
    made = nodes.xa("issue", "--forward", "XB", "--out", proposed)
    alone = nodes.xa("issue", "--signed", proposed, code=2)
    early = nodes.xb("sign", proposed, "--digest", made["digest"], code=2)
    nodes.xb("accept", third)
    assert (made["epoch"], made["threshold"], made["whole"], len(made["signed_by"])) == (4, 2, False, 1)
    assert (alone["error"]["code"], early["error"]["code"]) == ("exchange.roster.too_few", "exchange.roster.not_next")
    assert nodes.xa("show")["epoch"] == 3
    assert nodes.xb("accept", proposed, code=2)["error"]["code"] == "exchange.roster.not_signed"

    # XB signs what was read out to it, after a look at it, and nothing else.
    unread = nodes.xb("sign", proposed, code=2)
    looked = nodes.xb("sign", proposed, "--digest", made["digest"], "--dry-run")
    both = nodes.xb("sign", proposed, "--digest", made["digest"], "--out", signed)
    assert unread["error"]["code"] == "exchange.roster.not_read"
    wrong = nodes.xb("sign", proposed, "--digest", "ab" * 32, code=2)["error"]
    assert wrong["code"] == "exchange.roster.not_the_one" and wrong["message"].startswith("You gave abab abab ")
    assert [node["code"] for node in looked["nodes"] if node["forwards"]] == ["XB"]
    assert both["signed_by"] == sorted([*made["signed_by"], other]) and both["whole"]
    assert nodes.xb("show")["epoch"] == 3

    # XA accepts it with the copy that came back; it is a roster like any other.
    accepted = nodes.xa("issue", "--signed", proposed, "--signed", signed, "--out", nodes.file("4.json"))
    assert (accepted["epoch"], accepted["digest"]) == (4, made["digest"])
    assert nodes.xb("accept", nodes.file("4.json"))["digest"] == nodes.xa("show")["digest"] == made["digest"]
    assert sorted(nodes.xb("history")[0]["signed_by"]) == both["signed_by"]


def test_key_signs_one_roster_of_an_epoch_and_writes_it_again_when_its_file_is_lost(nodes: Nodes) -> None:
    teams, asked, key = nodes.file("teams.toml"), nodes.file("join.json"), nodes.file("signer.pgp")
    first, second, third, theirs = (nodes.file(f"{name}.json") for name in ("1", "2", "3", "theirs"))
    ours, again, whole = (nodes.file(f"{name}.json") for name in ("ours", "again", "whole"))
    teams.write_text(TEAMS, encoding="utf-8")
    assert nodes.run("members", "import", teams).returncode == 0
    digest = nodes.xa("found", "--out", first)["digest"]
    nodes.xb("request", "--out", asked)
    nodes.xa("issue", "--admit", asked, "--out", second)
    nodes.xb("signer", "--out", key)
    nodes.xa("issue", "--signer", key, "--threshold", "2", "--out", third)
    nodes.xb("accept", first, second, third, "--digest", digest)
    assert nodes.xa("issue", "--again", code=2)["error"]["code"] == "exchange.roster.nothing_signed"

    # each proposes another next roster: neither signs the other's, neither makes a second of its own.
    made = nodes.xa("issue", "--forward", "XB", "--out", ours)
    other = nodes.xb("issue", "--suspend", "XG-CERT", "--out", theirs, code=2)  # not in the roster
    assert other["error"]["code"] == "exchange.roster.no_such_member"
    other = nodes.xb("issue", "--forward", "XA", "--out", theirs)
    refused = [
        nodes.xa("sign", theirs, "--digest", other["digest"], code=5),
        nodes.xb("sign", ours, "--digest", made["digest"], code=5),
        nodes.xa("issue", "--forward", "XB", code=5),
    ]
    assert {one["error"]["code"] for one in refused} == {"exchange.roster.signed_another"}
    assert made["digest"] in refused[0]["error"]["message"] and other["digest"] in refused[1]["error"]["message"]

    # XA's is lost, and written once more; XB's is destroyed everywhere, so that XB may sign XA's.
    ours.unlink()
    written = nodes.xa("issue", "--again", "--out", again)
    assert (written["digest"], written["whole"], len(written["signed_by"])) == (made["digest"], False, 1)
    theirs.unlink()
    for file in (nodes.homes["XB"] / "secrets/exchange/signer/signed").rglob("live.4.json"):
        file.unlink()
    for _again in range(2):
        assert nodes.xb("sign", again, "--digest", made["digest"], "--out", whole)["whole"]
    assert nodes.xa("issue", "--again", "--signed", whole, "--out", again)["digest"] == made["digest"]
    assert nodes.xb("accept", again)["epoch"] == nodes.xa("show")["epoch"] == 4


def test_roster_whose_file_cannot_be_written_is_not_made(nodes: Nodes) -> None:
    nowhere, first = nodes.file("none") / "r.json", nodes.file("1.json")
    refused = [
        *(nodes.xa(verb, "--out", nowhere, code=4) for verb in ("request", "signer", "found")),
        nodes.xa("found", "--out", nodes.folder, code=4),
    ]
    assert nodes.xa("show", code=2)["error"]["code"] == "exchange.roster.none"
    assert nodes.secrets("XA") == {}
    nodes.xa("found", "--out", first)
    kept = first.read_bytes()
    refused += [nodes.xa("issue", "--forward", "XA", "--out", at, code=4) for at in (nowhere, nodes.folder)]
    nodes.xa("issue", "--forward", "XB", "--out", first, code=2)

    assert {one["error"]["code"] for one in refused} == {"storage.trouble"}
    assert all(str(nodes.folder) in one["error"]["message"] for one in refused)
    assert nodes.xa("show")["epoch"] == 1
    assert nodes.xa("issue", "--again", code=2)["error"]["code"] == "exchange.roster.nothing_signed"
    assert (first.read_bytes(), [file.name for file in nodes.folder.glob(".*")]) == (kept, [])


def test_roster_whose_file_was_lost_is_written_once_more(nodes: Nodes) -> None:
    digest = nodes.xa("found", "--out", nodes.file("1.json"))["digest"]
    full = nodes.xa("issue", "--forward", "XA", "--out", "/dev/full", code=4)["error"]
    assert (full["code"], "`tansiq roster show --out FILE`" in full["remedy"]) == ("exchange.roster.unwritten", True)

    second, first = nodes.file("2-again.json"), nodes.file("1-again.json")
    written = nodes.xa("show", "--out", second)
    assert nodes.xa("show", "--epoch", "1", "--out", first)["digest"] == digest

    assert written == {"epoch": 2, "digest": nodes.xa("show")["digest"], "file": str(second)}
    assert first.read_bytes() == nodes.file("1.json").read_bytes()
    assert nodes.xb("accept", first, second, "--digest", digest)["digest"] == written["digest"]


def test_proposal_whose_file_was_not_written_is_written_by_again(nodes: Nodes) -> None:
    key = nodes.file("signer.pgp")
    nodes.xa("found", "--out", nodes.file("1.json"))
    nodes.xb("signer", "--out", key)
    nodes.xa("issue", "--signer", key, "--threshold", "2", "--out", nodes.file("2.json"))

    full = nodes.xa("issue", "--forward", "XA", "--out", "/dev/full", code=4)["error"]

    assert (full["code"], "`tansiq roster issue --again --out FILE`" in full["remedy"]) == (
        "exchange.roster.unwritten", True,
    )  # fmt: skip
    assert nodes.xa("issue", "--again", "--out", nodes.file("3.json"))["epoch"] == 3


def test_dry_run_says_no_digest_since_what_is_signed_later_has_another(nodes: Nodes) -> None:
    nodes.xa("found", "--out", nodes.file("1.json"))

    dry = nodes.run("roster", "issue", "--forward", "XA", "--dry-run", at=nodes.homes["XA"])
    shown = nodes.run("roster", "show", at=nodes.homes["XA"])

    assert (dry.returncode, "Digest " in shown.stdout, "Digest " in dry.stdout) == (0, True, False)
    assert dry.stdout.splitlines()[0] == "Realm live, epoch 2"


def test_team_without_membership_is_admitted_with_a_warning_that_names_it(nodes: Nodes) -> None:
    teams, asked, guest = nodes.file("teams.toml"), nodes.file("join.json"), nodes.file("guest.json")
    member = TEAMS.replace('[[team]]\ncode = "XG', '[[team.periods]]\ncategory = "full"\n\n[[team]]\ncode = "XG')
    teams.write_text(member, encoding="utf-8")
    imported = nodes.run("members", "import", teams)
    assert imported.returncode == 0, imported.stderr
    nodes.xa("found", "--out", nodes.file("1.json"))
    nodes.xb("request", "--out", asked)
    nodes.xa("request", "--team", "XG-CERT", "--out", guest)
    both = ("roster", "issue", "--admit", asked, "--admit", guest, "--out", nodes.file("2.json"))

    told = [nodes.run(*both, *more, at=nodes.homes["XA"]) for more in (("--dry-run",), ())]

    assert [done.returncode for done in told] == [0, 0]
    warned = [[line.split()[0] for line in done.stderr.splitlines() if "no membership" in line] for done in told]
    assert warned == [["XG-CERT"], ["XG-CERT"]]


def test_signers_that_cannot_be_are_refused(nodes: Nodes) -> None:
    nodes.xa("found", "--out", nodes.file("1.json"))
    mine = nodes.xa("signer", "--out", nodes.file("signer.pgp"))["fingerprint"]
    nodes.file("junk.pgp").write_bytes(b"no certificate")

    for arguments, code, named in (
        (("--threshold", "2"), "signers", "1 signers, and a roster would need 2"),
        (("--threshold", "0"), "signers", "1 signers, and a roster would need 0"),
        (("--dismiss", mine), "signers", "0 signers, and a roster would need 1"),
        (("--dismiss", "AB" * 32), "no_such_key", "AB" * 32),
        (("--signer", nodes.file("junk.pgp")), "file", f"{nodes.file('junk.pgp')} is no certificate of a signer"),
        (("--admit", nodes.file("1.json")), "file", f"{nodes.file('1.json')} is no request of a node"),
        (("--signed", nodes.file("junk.pgp")), "file", f"{nodes.file('junk.pgp')} is no signed roster"),
    ):
        error = nodes.xa("issue", *arguments, code=2)["error"]
        assert (error["code"], named in error["message"]) == (f"exchange.roster.{code}", True)
    assert nodes.xa("show")["epoch"] == 1


def test_roster_verbs_without_what_they_need_say_what_to_do(
    run: Run, run_python: Run, home: Path, tmp_path: Path
) -> None:
    unnamed = {verb: run("roster", verb, "--json") for verb in ("show", "request", "found")}
    assert {verb: json.loads(done.stdout)["error"]["code"] for verb, done in unnamed.items()} == {
        "show": "exchange.roster.none",
        "request": "exchange.roster.node_not_set_up",
        "found": "exchange.roster.node_not_set_up",
    }

    junk = tmp_path / "junk.json"
    junk.write_text('{"epoch":1}')
    for arguments, exit_code, code in (
        (("accept", junk), 2, "exchange.roster.file"),
        (("accept", tmp_path / "none.json"), 3, "file.unreadable"),
        (("accept", tmp_path), 3, "file.unreadable"),
        (("sign", tmp_path), 3, "file.unreadable"),
        (("issue", "--admit", tmp_path / "none.json"), 3, "file.unreadable"),
        (("issue", "--signed", tmp_path), 3, "file.unreadable"),
        (("issue", "--signer", tmp_path / "none.json"), 3, "file.unreadable"),
        (("accept", junk, "--digest", "12"), 2, "exchange.roster.digest"),
        (("issue", "--admit", junk), 2, "exchange.roster.file"),
        (("request", "--mail", "a b@c"), 2, "exchange.roster.field"),
        (("issue", "--claims"), 2, "exchange.roster.none"),
        (("show", "--epoch", "9"), 2, "exchange.roster.no_such_epoch"),
    ):
        done = run("roster", *arguments, "--json")
        error = json.loads(done.stdout)["error"]
        assert (done.returncode, error["code"]) == (exit_code, code)
        assert error["message"] and error["remedy"]
