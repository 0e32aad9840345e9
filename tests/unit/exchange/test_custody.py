"""Keys of a node as files: drawn once, read by their owner alone, destroyed in time (section 10.9)."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from factories import rosters as make
from tansiq.core.home import Home
from tansiq.exchange import custody, join, nkey, roster_change
from tansiq.exchange.join import JoinRequest
from tansiq.exchange.roster import Roster

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WHOSE = {"code": "XA", "team": "XA-CERT", "realm": "live"}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(path=tmp_path, lake=tmp_path / "lake", lake_catalogue="")


def files(home: Home) -> list[Path]:
    return sorted(file for file in (home.secrets / "exchange").rglob("*") if file.is_file())


def request(keys: custody.Keys, team: str = "XA-CERT") -> JoinRequest:
    return JoinRequest(
        realm="live",
        node="XA",
        team=team,
        node_certificate=keys.node[0].certificate,
        platform_certificate=keys.platform[team][0].certificate,
        nkey=nkey.public(keys.seed),
    )


def roster_of(keys: custody.Keys) -> Roster:
    return roster_change.admit(make.founded("XB"), request(keys), make.WORDS)


def fingerprints(keys: custody.Keys) -> tuple[list[str], dict[str, list[str]]]:
    platform = {team: [one.fingerprint for one in secrets] for team, secrets in keys.platform.items()}
    return [one.fingerprint for one in keys.node], platform


def test_drawn_keys_are_files_that_their_owner_alone_reads(home: Home) -> None:
    before = os.umask(0)
    try:
        custody.draw(home, **WHOSE)
    finally:
        os.umask(before)

    assert [file.suffix for file in files(home)] == [".seed", ".asc", ".asc"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files(home)} == {0o600}
    folders = [folder for folder in (home.secrets / "exchange").rglob("*") if folder.is_dir()]
    assert {stat.S_IMODE(folder.stat().st_mode) & 0o077 for folder in folders} == {0}


def test_drawing_again_changes_nothing(home: Home) -> None:
    first = custody.draw(home, **WHOSE)
    content = [file.read_bytes() for file in files(home)]

    again = custody.draw(home, **WHOSE)

    assert fingerprints(again) == fingerprints(first)
    assert [file.read_bytes() for file in files(home)] == content


def test_each_team_and_realm_has_a_key_of_its_own(home: Home) -> None:
    custody.draw(home, **WHOSE)
    live = custody.draw(home, code="XA", team="XG-CERT", realm="live")
    drill = custody.draw(home, code="XA", team="XA-CERT", realm="winter-2026")

    assert set(live.platform) == {"XA-CERT", "XG-CERT"} and set(drill.platform) == {"XA-CERT"}
    keys = {one.fingerprint for held in (live, drill) for secrets in held.platform.values() for one in secrets}
    assert len(keys) == 3


def test_keys_are_of_version_6_without_an_end(home: Home) -> None:
    from tansiq.openpgp.certificate import inspect

    keys = custody.draw(home, **WHOSE)

    for secret in (*keys.node, *keys.platform["XA-CERT"]):
        found = inspect(secret.certificate, now=datetime.now(UTC))
        assert (found.version, found.expires_at, found.can_sign, found.can_encrypt) == (6, None, True, True)


def test_keys_show_no_secret(home: Home) -> None:
    keys = custody.draw(home, **WHOSE)

    assert keys.seed.startswith("SU") and keys.seed not in repr(keys)
    assert "PRIVATE" not in repr(keys)


def test_home_without_keys_has_none(home: Home) -> None:
    with pytest.raises(custody.NoKey):
        custody.load(home, realm="live")


@pytest.mark.parametrize("which", ["nkey.seed", "node/*.asc", "platform/*/*/*.asc"])
@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_file_that_others_can_read_is_named_and_not_used(home: Home, which: str, mode: int) -> None:
    custody.draw(home, **WHOSE)
    (file,) = (home.secrets / "exchange").glob(which)
    file.chmod(mode)

    with pytest.raises(custody.KeyOpenToOthers) as refused:
        custody.load(home, realm="live")

    assert refused.value.values == {"file": file, "mode": f"{mode:o}"}


@pytest.mark.parametrize("which", ["nkey.seed", "node/*.asc", "platform/*/*/*.asc"])
@pytest.mark.parametrize("damage", ["cut", "empty", "folder"])
def test_file_that_is_no_key_is_named_and_nothing_of_it_shown(home: Home, which: str, damage: str) -> None:
    custody.draw(home, **WHOSE)
    (file,) = (home.secrets / "exchange").glob(which)
    content = file.read_bytes()
    if damage == "folder":
        file.unlink()
        file.mkdir(mode=0o700)
    else:
        file.write_bytes(content[: len(content) // 2] if damage == "cut" else b"")

    with pytest.raises(custody.KeyUnreadable) as refused:
        custody.load(home, realm="live")

    assert refused.value.values["file"] == file
    assert content.decode()[:30] not in str(refused.value)


def test_seed_that_is_lost_is_named(home: Home) -> None:
    custody.draw(home, **WHOSE)
    (home.secrets / "exchange" / "nkey.seed").unlink()

    with pytest.raises(custody.KeyUnreadable):
        custody.load(home, realm="live")


def test_rotation_draws_new_keys_beside_the_old_once(home: Home) -> None:
    first = custody.draw(home, **WHOSE)
    known = {first.node[0].fingerprint, first.platform["XA-CERT"][0].fingerprint}

    second = custody.rotate(home, **WHOSE, in_roster=known)
    third = custody.rotate(home, **WHOSE, in_roster=known)

    assert fingerprints(third) == fingerprints(second)
    assert [one.fingerprint for one in second.node][1:] == [first.node[0].fingerprint]
    assert second.node[0].fingerprint not in known and second.seed == first.seed


def test_stamp_is_another_when_a_node_key_was_drawn(home: Home) -> None:
    stamps = [custody.stamp(home)]

    keys = custody.draw(home, code="XA", team="XA-CERT", realm="live")
    stamps.append(custody.stamp(home))
    same = custody.stamp(home)
    in_roster = {one.fingerprint for one in (*keys.node, *keys.platform["XA-CERT"])}
    custody.rotate(home, code="XA", team="XA-CERT", realm="live", in_roster=in_roster)
    stamps.append(custody.stamp(home))

    assert (stamps[0], same) == (0, stamps[1])
    assert len(set(stamps)) == 3


def test_key_in_force_is_the_one_that_the_roster_names(home: Home) -> None:
    first = custody.draw(home, **WHOSE)
    roster = roster_of(first)
    second = custody.rotate(home, **WHOSE, in_roster=[*fingerprints(first)[0], *fingerprints(first)[1]["XA-CERT"]])

    before = custody.in_force(second, roster, here="XA")
    after = custody.in_force(second, roster_change.rotate(make.after(roster), request(second)), here="XA")

    assert before.node[0].fingerprint == first.node[0].fingerprint
    assert after.node[0].fingerprint == second.node[0].fingerprint
    assert len(before.node) == len(after.node) == 2
    assert fingerprints(before)[1] == fingerprints(first)[1]
    assert fingerprints(after)[1] == {"XA-CERT": [second.platform["XA-CERT"][0].fingerprint]}


def test_rotated_keys_platform_at_once_node_after_its_retention(home: Home) -> None:
    first = custody.draw(home, **WHOSE)
    second = custody.rotate(home, **WHOSE, in_roster=[*fingerprints(first)[0], *fingerprints(first)[1]["XA-CERT"]])
    roster = roster_change.rotate(make.after(roster_of(first)), request(second))

    custody.heed(home, roster, now=NOW)
    custody.heed(home, roster, now=NOW + timedelta(days=1))

    held = custody.load(home, realm="live")
    assert fingerprints(held) == (fingerprints(second)[0], {"XA-CERT": fingerprints(second)[1]["XA-CERT"][:1]})
    assert custody.destroy_expired(home, now=NOW + timedelta(days=89)) == []
    assert custody.destroy_expired(home, now=NOW + timedelta(days=90)) == [first.node[0].fingerprint]
    assert [one.fingerprint for one in custody.load(home, realm="live").node] == [second.node[0].fingerprint]
    assert len(files(home)) == 3


def test_key_of_a_team_that_moved_away_is_destroyed(home: Home) -> None:
    keys = custody.draw(home, code="XA", team="XG-CERT", realm="live")
    custody.draw(home, **WHOSE)
    roster = roster_change.admit(roster_of(custody.load(home, realm="live")), request(keys, "XG-CERT"), make.WORDS)
    moved = roster_change.move(make.after(roster), make.request("XG", "XG-CERT"))

    custody.heed(home, moved, now=NOW)

    assert set(custody.load(home, realm="live").platform) == {"XA-CERT"}


def test_destroyed_key_is_overwritten_before_it_is_gone(home: Home, tmp_path: Path) -> None:
    first = custody.draw(home, **WHOSE)
    second = custody.rotate(home, **WHOSE, in_roster=[*fingerprints(first)[0], *fingerprints(first)[1]["XA-CERT"]])
    (file,) = (home.secrets / "exchange" / "platform").rglob("0001-*.asc")
    size = file.stat().st_size
    os.link(file, tmp_path / "seen")

    custody.heed(home, roster_change.rotate(make.after(roster_of(first)), request(second)), now=NOW)

    assert not file.exists()
    assert (tmp_path / "seen").read_bytes() == bytes(size)


def test_key_that_no_roster_names_yet_stays(home: Home) -> None:
    keys = custody.draw(home, **WHOSE)

    custody.heed(home, make.founded("XB"), now=NOW)

    assert fingerprints(custody.load(home, realm="live")) == fingerprints(keys)
    assert custody.destroy_expired(home, now=NOW + timedelta(days=900)) == []


def test_request_of_drawn_keys_is_proven(home: Home) -> None:
    keys = custody.draw(home, **WHOSE)

    data = join.signed(request(keys), node=keys.node[0], platform=keys.platform["XA-CERT"][0], seed=keys.seed)

    assert join.read(data) == request(keys)


def test_signer_is_drawn_once(home: Home) -> None:
    assert custody.signers(home) == ()

    first = custody.draw_signer(home, realm="live")

    assert custody.draw_signer(home, realm="live").fingerprint == first.fingerprint
    assert [one.fingerprint for one in custody.signers(home)] == [first.fingerprint]
