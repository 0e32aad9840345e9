"""The promises of ``tests/property/test_exchange_promises.py``, with every node on a database of its own.

Owners forge nothing here: signatures are real, and what nobody could have signed is not an owner's.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from federation_database import DatabaseFederation
from property.test_exchange_promises import QUICK, RAN, Exchange

pytestmark = [
    pytest.mark.usefixtures("_connected"),
]


class OnDatabases(Exchange):
    federation: Any = DatabaseFederation
    forges = False


def test_promises_hold_on_databases() -> None:
    RAN.clear()

    run_state_machine_as_test(OnDatabases, settings=settings(QUICK, max_examples=6, stateful_step_count=25))

    assert RAN["heals"] >= 6
    assert RAN["facts"] > 0


@pytest.mark.long
def test_promises_hold_on_databases_in_many_runs(capsys: pytest.CaptureFixture[str]) -> None:
    RAN.clear()
    examples = int(os.environ.get("TANSIQ_TEST_EXAMPLES", "1000")) // 20

    run_state_machine_as_test(OnDatabases, settings=settings(QUICK, max_examples=examples, stateful_step_count=50))

    with capsys.disabled():
        print(f"\nexchange promises on databases: {dict(RAN)}")
    assert RAN["heals"] > examples
