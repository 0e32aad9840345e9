"""What a node does besides sending and receiving comes at its time."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from factories.exchange_node import NOW, here

MINUTE = timedelta(minutes=1)


def test_directory_that_changed_while_the_node_was_held_is_told_when_it_speaks_again(
    database: None, tmp_path: Path
) -> None:
    from tansiq.core.home import Home
    from tansiq.exchange.kinds import KNOWN
    from tansiq.exchange.models import Life
    from tansiq.members.models import Team
    from tansiq.workers.exchange import House

    xa = here("XA", known=KNOWN)
    house = House(Home(tmp_path, tmp_path / "lake", ""), None)
    Team.objects.create(code="XA", name_en="As it was")
    house._tell_directory(xa, NOW)
    Life.objects.create(pk=1, began_at=NOW, held_since=NOW)
    Team.objects.filter(code="XA").update(name_en="As it is")
    house._tell_directory(xa, NOW + MINUTE)
    held = told()
    Life.objects.update(held_since=None)

    house._tell_directory(xa, NOW + 2 * MINUTE)

    assert (held, told()) == ("As it was", "As it is")


def told() -> Any:
    from tansiq.exchange.models import SharedObject
    from tansiq.exchange.node import statements

    row = SharedObject.objects.select_related("statement__marking").get(kind="team.profile")
    return statements.said(row.statement).payload["name"]["en"]
