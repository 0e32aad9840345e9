"""The vectors of markings and of who may have what: this program agrees with them, and so do the rules as written."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from factories import entitled
from tansiq.core.marking import Marking
from tansiq.exchange import markings
from tansiq.exchange.values import Unfit, digest

HERE = Path(__file__).parent / "exchange"
VECTORS: dict[str, Any] = json.loads((HERE / "markings.json").read_text(encoding="utf-8"))


def test_marking_vectors_are_what_their_program_makes() -> None:
    assert runpy.run_path(str(HERE / "generate_markings.py"))["vectors"]() == VECTORS


@pytest.mark.parametrize("vector", VECTORS["markings"], ids=lambda vector: vector["what"])
def test_marking_vector_is_read_and_written_again_under_its_id(vector: dict[str, str]) -> None:
    marking = Marking.read(vector["canonical"])

    assert marking.canonical() == vector["canonical"]
    assert marking.marking_id == vector["id"] == digest(vector["canonical"].encode())[:32]


def test_set_vector_is_in_the_order_of_ids() -> None:
    read = markings.read(VECTORS["set"])

    assert markings.write(read) == VECTORS["set"]
    assert [one.marking_id for one in read] == sorted(one.marking_id for one in read)
    assert {one["id"] for one in VECTORS["markings"]} < {one.marking_id for one in read}


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: vector["what"])
def test_refused_vector_is_no_set_of_markings(vector: dict[str, str]) -> None:
    with pytest.raises(Unfit):
        markings.read(vector["text"])


@pytest.mark.parametrize("vector", VECTORS["strict"], ids=lambda vector: vector["what"])
def test_strict_vector_has_every_marking_of_the_authors_or_has_not(vector: dict[str, Any]) -> None:
    one, author = markings.read(vector["marking"]), markings.read(vector["author"])

    assert markings.is_as_strict(one, author) is vector["as_strict"]
    assert all(said in json.loads(vector["marking"]) for said in json.loads(vector["author"])) is vector["as_strict"]


@pytest.mark.parametrize("vector", VECTORS["decisions"], ids=lambda vector: vector["what"])
def test_decision_vector_is_what_the_rules_as_written_say(vector: dict[str, Any]) -> None:
    roster, marked = VECTORS["roster"], json.loads(vector["set"])

    may = [
        node["code"]
        for node in roster["nodes"]
        if entitled.lets_node(roster, node["code"], marked, vector["at"], VECTORS["persons"])
    ]

    assert may == vector["nodes"]
