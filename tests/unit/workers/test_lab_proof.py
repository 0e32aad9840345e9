"""What counts as one state of a federation, judged from what the nodes say of themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tansiq.workers.lab import proof

ONE, TWO = [1, 1, "a"], [1, 2, "b"]


def node(own: dict[str, Any] | None = None, others: dict[str, Any] | None = None) -> dict[str, Any]:
    others = others or {}
    notes = {identifier: version[:2] for identifier, version in others.items() if ":lab." in identifier}
    return {"own": own or {}, "others": others, "notes": notes, "deeds": []}


def test_nodes_that_have_what_the_owner_says_do_not_differ() -> None:
    holdings = {"XA": node({"XA:lab.1": [*ONE, ["XB"]]}), "XB": node(others={"XA:lab.1": ONE}), "XC": node()}

    assert list(proof.differences(holdings)) == []


def test_missing_foreign_and_old_objects_differ() -> None:
    own = {"XA:lab.1": [*TWO, ["XB", "XC"]], "XA:lab.2": [*ONE, ["XB"]]}
    holdings = {"XA": node(own), "XB": node(others={"XA:lab.1": ONE}), "XC": node(others={"XA:lab.2": ONE})}

    assert list(proof.differences(holdings)) == [
        "XB lacks XA:lab.2",
        "XB has [1, 1] of XA:lab.1 instead of [1, 2]",
        "XC lacks XA:lab.1",
        "XC has XA:lab.2, which it may not have",
    ]


def test_objects_of_a_removed_member_may_stay_where_they_were() -> None:
    assert list(proof.differences({"XA": node(), "XB": node(others={"XE:lab.1": ONE})})) == []


def test_same_version_by_another_signature_differs() -> None:
    holdings = {"XA": node({"XA:lab.1": [*ONE, ["XB"]]}), "XB": node(others={"XA:lab.1": [1, 1, "forged"]})}

    assert len(list(proof.differences(holdings))) == 1


def test_desk_that_lacks_what_the_exchange_has_differs() -> None:
    half = node(others={"XA:lab.1": ONE}) | {"notes": {}}

    found = list(proof.differences({"XA": node({"XA:lab.1": [*ONE, ["XB"]]}), "XB": half}))

    assert found == ["XB: desk and exchange do not agree about XA:lab.1"]


def test_version_that_is_applied_twice_or_late_is_disorder() -> None:
    twice = [["o", 1, 1], ["o", 1, 1]]
    late = [["o", 1, 2], ["o", 1, 1]]
    again = [["o", 1, 2], ["o", None, None], ["o", 1, 2]]

    assert [len(list(proof.disorder("XB", deeds))) for deeds in (twice, late, again)] == [1, 1, 0]


def test_marker_is_found_across_two_pieces_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.write_bytes(b"." * (proof.CHUNK_BYTES - 3) + b"marker" + b"." * 100)

    assert list(proof.finding([b"marker", b"other"], iter([file]))) == [(b"marker", file)]
