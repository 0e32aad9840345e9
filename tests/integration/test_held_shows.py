"""What a node that is held shows of others, and says of itself, wherever it is asked (section 11.1)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from conftest import Run
from factories import desk, links, signin
from people import AMINA, NOBODY

pytestmark = pytest.mark.usefixtures("database", "contexts", "forgotten")
SINCE = datetime(2026, 3, 1, 11, 30, tzinfo=UTC)
HEADER = "Tansiq-Held-Since"
GREEN, PUBLIC, OURS = "green@xe.example", "public@xe.example", "green@xa.example"


@pytest.fixture
def federated(forgotten: None) -> None:
    """XA with a team of its own, and XE's on another node; each has a contact for the community."""
    from tansiq.members.models import Contact, Team

    links.federated(peers=("XE",))
    theirs, _is_new = Team.objects.get_or_create(code="XE-CERT", defaults={"name_en": "CERT of XE", "country": "XE"})
    ours = Team.objects.get(code="XA-CERT")
    Contact.objects.create(team=theirs, position=0, kind="email", value=GREEN)
    Contact.objects.create(team=theirs, position=1, kind="email", value=PUBLIC, public=True)
    Contact.objects.create(team=ours, position=0, kind="email", value=OURS)


def become_held() -> None:
    from tansiq.exchange.models import Life

    Life.objects.update_or_create(
        pk=1, defaults={"number": 1, "held_since": SINCE, "reason": "restored", "began_at": SINCE}
    )


def contacts() -> dict[str, list[str]]:
    from tansiq.members import queries

    shown = queries.shown_contacts(AMINA, ["XA-CERT", "XE-CERT"])
    return {code: [one.value for one in found] for code, found in shown.items()}


def cards() -> dict[str, list[str]]:
    from tansiq.members import queries

    found = {card.code: [one["value"] for one in card.contacts] for card in queries.team_cards()}
    return {code: found[code] for code in ("XA-CERT", "XE-CERT")}


def test_contacts_of_others_that_are_not_public_are_shown_to_nobody_while_it_is_held(federated: None) -> None:
    from tansiq.members import queries

    before = contacts(), cards()
    become_held()

    assert before == ({"XA-CERT": [OURS], "XE-CERT": [GREEN, PUBLIC]},) * 2
    assert (contacts(), cards()) == ({"XA-CERT": [OURS], "XE-CERT": [PUBLIC]},) * 2
    assert [one.value for one in queries.shown_contacts(NOBODY, ["XE-CERT"])["XE-CERT"]] == [PUBLIC]


@pytest.mark.parametrize(
    "address",
    ["/teams.json", "/teams/XE-CERT.json", "/whois.json?target=XE", "/api/v1/teams", "/api/v1/teams/XE-CERT",
     "/api/v1/teams/XE-CERT/contacts", "/api/v1/map", "/api/v1/whois?target=XE", "/api/v1/me"],
)  # fmt: skip
def test_answer_for_programs_says_since_when_it_is_held(federated: None, address: str) -> None:
    from django.conf import settings

    from tansiq.workers.tables import refresh

    refresh(settings.HOME)
    amina = desk.at_door("amina")
    before = amina.get(address)
    become_held()

    answer = amina.get(address)

    assert (before.status_code, answer.status_code) == (200, 200)
    assert (HEADER in before.headers, answer.headers[HEADER]) == (False, "2026-03-01T11:30:00.000Z")
    assert GREEN not in answer.content.decode()


def test_answer_that_has_not_changed_says_that_it_is_held(federated: None) -> None:
    amina = desk.at_door("amina")
    tag = amina.get("/api/v1/map").headers["ETag"]
    become_held()

    answer = amina.get("/api/v1/map", headers={"if-none-match": tag})

    assert (answer.status_code, answer.headers[HEADER]) == (304, "2026-03-01T11:30:00.000Z")


@pytest.mark.parametrize("address", ["/teams/", "/teams/XE-CERT/", "/map/", "/whois/", "/whois/?target=XE", "/"])
def test_page_says_that_it_is_held(federated: None, address: str) -> None:
    from django.conf import settings

    from tansiq.workers.tables import refresh

    refresh(settings.HOME)
    amina, said = desk.at_door("amina"), "What is shown here may be from before a restore"
    before = amina.get(address).content.decode()
    become_held()

    page = amina.get(address).content.decode()

    assert (said in before, said in page) == (False, True)
    assert GREEN not in page


def test_restore_and_release_have_the_table_compiled_anew(federated: None, tmp_path: Path) -> None:
    from django.conf import settings

    from tansiq.attribution.folder import Pointer
    from tansiq.exchange.node import life
    from tansiq.exchange.node import rosters as node_rosters
    from tansiq.exchange.node.under import under
    from tansiq.members import queries
    from tansiq.workers.tables import refresh

    roster = node_rosters.current()
    here = under(roster, code="XA", now=signin.now())
    compiled = Pointer(settings.HOME.tables)

    def told() -> tuple[int, bool, list[str]]:
        refresh(settings.HOME)
        folder = compiled.open()
        (card,) = [card for card in folder.about["cards"] if card["code"] == "XE-CERT"]
        return queries.claims_version(), bool(compiled.read()["held_since"]), [one["value"] for one in card["contacts"]]

    number, *before = told()
    life.restore(here, signin.now())
    during = told()
    from tansiq.exchange.models import Link

    Link.objects.all().delete()
    life.maybe_release(here, signin.now())

    assert before == [False, [GREEN, PUBLIC]]
    assert during == (number, True, [PUBLIC])
    assert told() == (number, False, [GREEN, PUBLIC])


HELD = """
from datetime import UTC, datetime
from tansiq.cli import node
node.opened()
from tansiq.exchange.models import Life
since = datetime(2026, 3, 1, 11, 30, tzinfo=UTC)
Life.objects.create(pk=1, number=1, held_since=since, reason="restored", began_at=since)
"""


def test_commands_say_beside_what_they_show_that_the_node_is_held(run: Run, run_python: Run) -> None:
    from_before = run("members", "list", "--json").stderr
    assert run_python(HELD).returncode == 0

    listed, exported = run("members", "list", "--json"), run("members", "export", "--team", "MA-MACERT")
    asked = [run("members", "whois", "MA", "--json"), run("members", "whois", "MA")]

    said = "This node is held since 2026-03-01T11:30:00Z"
    assert said not in from_before
    assert [said in done.stderr for done in (listed, exported, *asked)] == [True] * 4
    assert said not in listed.stdout and json.loads(asked[0].stdout)["team"] == "MA-MACERT"
