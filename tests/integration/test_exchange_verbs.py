"""``tansiq exchange``: rounds, files, comparisons and decisions, on real nodes in processes of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from factories import federation_homes
from factories.federation_homes import Homes

PUBLISH = """
from datetime import UTC, datetime
from django.db import transaction
from tansiq.core.marking import Marking, Tlp
from tansiq.exchange.directory import publishing
from tansiq.exchange.node import rosters
here = rosters.here(HOME, now=datetime.now(UTC))
print(publishing.publish_changes(here, None, datetime.now(UTC)))
"""


@pytest.fixture(scope="module")
def three(set_up_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Homes:
    return federation_homes.made(tmp_path_factory.mktemp("three"), set_up_home, ("XA", "XB", "XC"))


@pytest.fixture
def homes(three: Homes, tmp_path: Path) -> Iterator[Homes]:
    with three.copied(tmp_path / "federation") as copy:
        yield copy


def waiting(homes: Homes, code: str) -> dict[str, int]:
    """Peer -> bodies that no receipt of it covers."""
    links = homes.json(code, "exchange", "status")["links"]
    return {link["peer"]: sum(lane["count"] for lane in link["backlog"].values()) for link in links}


def test_send_without_a_service_brings_everything_over_and_takes_the_receipts(homes: Homes) -> None:
    homes.begin()
    published = int(homes.python("XA", PUBLISH))
    assert published

    homes.json("XA", "exchange", "send", "--wait", "0")
    there = homes.json("XB", "exchange", "send", "--wait", "3")
    back = homes.json("XA", "exchange", "send", "--wait", "3")

    assert there["backbone"] == back["backbone"] == "connected"
    assert there["received"] >= published
    assert waiting(homes, "XA")["XB"] == 0


def test_send_beside_a_service_is_refused_and_says_why(homes: Homes) -> None:
    homes.begin()

    with homes.serving("XA"):
        said = homes.json("XA", "exchange", "send", exit_code=1)

    assert said["error"]["code"] == "exchange.served"
    assert homes.run("XA", "exchange", "send", "--wait", "0").returncode == 0
