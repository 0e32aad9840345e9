"""The scenarios of ``tests/unit/exchange/test_federation.py``, with every node on a database of its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from federation_database import DatabaseFederation
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
