"""A signer's key signs one roster of an epoch, and remembers it beside itself."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from factories import rosters as make
from tansiq.core.home import Home
from tansiq.exchange import roster_change, signed_once
from tansiq.exchange.roster import Roster
from tansiq.exchange.signed_once import SignedAnother, SignedLater

KEY, OTHER = "AB" * 32, "CD" * 32


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(path=tmp_path, lake=tmp_path / "lake", lake_catalogue="")


def drafts() -> tuple[Roster, Roster, Roster]:
    """Epoch 1, and two of epoch 2."""
    first = make.founded("XA", "XB")
    return first, make.after(first), roster_change.set_claims(make.after(first), (), number=99)


def test_other_content_of_one_epoch_is_refused_and_named(home: Home) -> None:
    first, ours, theirs = drafts()
    signed_once.keep(home, first, by=[KEY])
    signed_once.keep(home, ours, by=[KEY])

    with pytest.raises(SignedAnother) as refused:
        signed_once.keep(home, theirs, by=[KEY])

    assert refused.value.values == {"epoch": 2, "digest": ours.digest}
    assert signed_once.of_epoch(home, KEY, realm="live", epoch=2) == ours.written()


def test_same_content_may_be_signed_again_and_another_key_is_free(home: Home) -> None:
    first, ours, theirs = drafts()
    for roster in (first, ours, ours, first):
        signed_once.keep(home, roster, by=[KEY])

    signed_once.keep(home, theirs, by=[OTHER])

    kept = [signed_once.of_epoch(home, key, realm="live", epoch=2) for key in (KEY, OTHER)]
    assert kept == [ours.written(), theirs.written()]


def test_content_of_a_lower_epoch_is_refused(home: Home) -> None:
    first, ours, _theirs = drafts()
    signed_once.keep(home, ours, by=[KEY])

    with pytest.raises(SignedLater) as refused:
        signed_once.keep(home, first, by=[KEY])

    assert refused.value.values == {"later": 2, "epoch": 1}
    assert signed_once.of_epoch(home, KEY, realm="live", epoch=1) is None


def test_epochs_of_another_realm_are_others(home: Home) -> None:
    first, ours, _theirs = drafts()
    signed_once.keep(home, ours, by=[KEY])

    drill = replace(first, realm="winter-2026")
    signed_once.keep(home, drill, by=[KEY])

    assert signed_once.of_epoch(home, KEY, realm="winter-2026", epoch=1) == drill.written()


def test_of_several_that_sign_at_once_one_does(home: Home) -> None:
    first = make.founded("XA")
    contents = [roster_change.set_claims(make.after(first), (), number=number) for number in range(8)]

    def signs(roster: Roster) -> bool:
        try:
            signed_once.keep(home, roster, by=[KEY])
        except SignedAnother:
            return False
        return True

    with ThreadPoolExecutor(len(contents)) as pool:
        done = list(pool.map(signs, contents))

    assert done.count(True) == 1
    assert signed_once.of_epoch(home, KEY, realm="live", epoch=2) == contents[done.index(True)].written()


def test_record_is_for_its_owner_alone(home: Home) -> None:
    signed_once.keep(home, make.founded("XA"), by=[KEY])

    (file,) = home.secrets.rglob("*.json")

    assert (file.name, stat.S_IMODE(file.stat().st_mode)) == ("live.1.json", 0o600)
