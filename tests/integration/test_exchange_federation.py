"""The scenarios of ``tests/unit/exchange/test_federation.py``, with every node on a database of its own."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from federation_database import DatabaseFederation, DatabaseNode
from tansiq.exchange.body import Version
from tansiq.exchange.sending import Way
from unit.exchange import test_federation as scenarios

SLOW = {
    scenarios.test_idle_link_says_nothing_whatever_the_base,
    scenarios.test_node_off_for_a_month_catches_up_and_costs_little_meanwhile,
}
"""Of many turns of the loops, each of which asks the databases."""
SCENARIOS = [
    pytest.param(scenario, id=name.removeprefix("test_"), marks=[pytest.mark.long] if scenario in SLOW else [])
    for name, scenario in vars(scenarios).items()
    if name.startswith("test_")
]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_on_databases(scenario: Callable[[], None], monkeypatch: pytest.MonkeyPatch, _connected: None) -> None:
    monkeypatch.setattr(scenarios, "Federation", DatabaseFederation)

    scenario()


def test_signature_that_a_forwarder_writes_otherwise_makes_no_second_version(_connected: None) -> None:
    world = DatabaseFederation("XA", "XE", "XF")
    backup = world.backup("XA")
    world["XA"].publish("1", audience=["XA", "XE", "XF"], text="fact")
    world.cut |= {("XA", "XF", way) for way in Way}
    world.run(rounds=3)
    world["XE"].forward("XA:1", "XF")
    world.run(rounds=3)
    genuine, otherwise = signatures(world["XA"]), signatures(world["XF"])

    world.heal()
    world.restore("XA", backup)
    world.heal()

    assert len(genuine) == len(otherwise) == 1
    assert genuine != otherwise
    for code in ("XA", "XE", "XF"):
        assert versions(world[code]) == [("XA:1", 1, 1)]
    assert [world[code].desk.entries for code in ("XE", "XF")] == [[("applied", "XA:1", Version(1, 1))]] * 2


def signatures(node: DatabaseNode) -> set[str]:
    from tansiq.exchange.models import Statement

    with node.at():
        return {json.loads(bytes(row.content))["author"]["signature"] for row in Statement.objects.all()}


def versions(node: DatabaseNode) -> list[tuple[str, int, int]]:
    """What is live; nothing waits."""
    from tansiq.exchange.models import SharedObject, Waiting

    with node.at():
        assert not Waiting.objects.exists()
        live = SharedObject.objects.filter(statement__isnull=False).order_by("object")
        return list(live.values_list("object", "statement__term", "statement__n"))
