"""Seed the federation of the walk, and say whose session sees most of every page. Run in the node's environment."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from factories import federation, portal
from tansiq.cli import first_start, node

EYES = ("grace", "salma", federation.HALF, federation.NOBODY)


def seed() -> None:
    from django.test.utils import setup_test_environment

    setup_test_environment()
    there = federation.seeded()
    pages = [page for place in portal.places(there.values) if (page := seen(there, place))]
    sessions = {who: client.cookies["session"].value for who, client in there.clients.items() if who in EYES[:3]}
    print(json.dumps({"pages": pages, "sessions": sessions}))


def seen(there: federation.Federation, place: portal.Place) -> dict[str, str] | None:
    """The page as whoever is shown most of it; None: no page for any of them."""
    answers = {who: there.ask(who, "get", place.path) for who in EYES}
    pages = {
        who: len(answer.content)
        for who, answer in answers.items()
        if answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/html")
    }
    return {"name": place.name, "path": place.path, "who": max(pages, key=lambda who: pages[who])} if pages else None


if __name__ == "__main__":
    node.opened(pages=True)
    first_start.named(first_start.Wishes("XA-CERT", "XA-CERT", "en", "XA-CERT"), now=federation.signin.now())
    seed()
