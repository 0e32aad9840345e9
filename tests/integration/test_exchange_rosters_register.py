"""What an accepted roster does to a node's register: claims, memberships, and what the register knows besides."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from factories import rosters as make
from people import GRACE, NOBODY
from tansiq.core.home import Home
from tansiq.exchange import roster_change
from tansiq.exchange.roster import Roster, Standing
from tansiq.exchange.roster_signing import Accepted, SignedRoster, gathered, sign, signed

if TYPE_CHECKING:
    from tansiq.members.actions.directory import Counts

pytestmark = pytest.mark.usefixtures("database", "forgotten")

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(path=tmp_path, lake=tmp_path / "lake", lake_catalogue="")


def accept(*chain: SignedRoster, anchor: str | None = None, now: datetime = NOW) -> Accepted:
    from tansiq.exchange.node import rosters

    outcome = rosters.accept_signed(chain, by=GRACE, now=now, realm="live", anchor=anchor)
    assert isinstance(outcome, Accepted)
    return outcome


def begun(*codes: str) -> Roster:
    first = make.founded(*codes)
    accept(signed(first, make.signer()), anchor=first.digest)
    return first


def with_team(roster: Roster, code: str, **words: object) -> Roster:
    """The next roster, with these words of one team."""
    teams = tuple(replace(team, **words) if team.code == code else team for team in roster.teams)
    return replace(make.after(roster), teams=teams)


def shown(code: str, now: datetime = NOW) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Categories in force and suspended ones, as the directory's pages show them."""
    from tansiq.members import queries

    (entry,) = [one for one in queries.directory_entries(NOBODY, now=now) if one.code == code]
    return entry.categories, entry.suspended


def alarmed() -> list[tuple[str, dict[str, object]]]:
    from tansiq.exchange.models import Alarm

    return list(Alarm.objects.filter(ended_at=None).values_list("code", "values"))


def verified(code: str) -> set[tuple[str, str]]:
    from tansiq.members import queries

    return {
        (one.value, one.source) for one in queries.claims() if one.team == code and one.verified and not one.valid_until
    }


def imported(document: str, now: datetime = LATER) -> Counts:
    from tansiq.members.actions import import_statement
    from tansiq.members.statement import read

    return import_statement(read(document), now=now).counts


def claimed(code: str, value: str, source: str = "its registry") -> None:
    from tansiq.members.models import Claim, Team

    team = Team.objects.get(code=code)
    Claim.objects.create(team=team, kind="asn", value=value, verified=True, source=source, stated_at=NOW)


# ---- memberships


def test_memberships_of_a_roster_are_shown_at_whoever_accepts_it() -> None:
    from tansiq.members.queries.periods import memberships_of

    begun("XA", "XB")

    assert (shown("XA-CERT"), shown("XB-CERT")) == ((("full",), ()), (("full",), ()))
    assert memberships_of("XB-CERT", day=NOW.date()) == ({"full"}, True)
    assert alarmed() == []


def test_memberships_follow_the_rosters_suspension_category_and_removal() -> None:
    from tansiq.members.queries.periods import memberships_of

    first = begun("XA", "XB")
    suspended = with_team(first, "XB-CERT", state=Standing.SUSPENDED)
    reinstated = with_team(suspended, "XB-CERT", state=Standing.ACTIVE)
    other = with_team(reinstated, "XB-CERT", categories=("commercial", "general"))
    removed = roster_change.remove(make.after(other), "XB")
    found = []
    for days, roster in enumerate((suspended, reinstated, other, removed), 1):
        at = NOW + timedelta(days=days)
        accept(signed(roster, make.signer()), now=at)
        found.append((shown("XB-CERT", at), memberships_of("XB-CERT", day=at.date())[1]))

    assert found == [
        (((), ("full",)), False),
        ((("full",), ()), True),
        ((("general", "commercial"), ()), True),
        (((), ()), False),
    ]
    assert shown("XA-CERT", NOW + timedelta(days=9)) == (("full",), ())


def test_memberships_of_several_rosters_within_a_day_are_those_of_the_last() -> None:
    first = begun("XA", "XB")
    none = with_team(first, "XB-CERT", categories=(), community=False)
    again = with_team(none, "XB-CERT", categories=("full",), community=True)
    found = []
    for roster in (none, again, with_team(again, "XB-CERT", categories=(), community=False)):
        accept(signed(roster, make.signer()))
        found.append(shown("XB-CERT"))

    assert found == [((), ()), (("full",), ()), ((), ())]


def test_company_is_of_the_community_if_the_roster_says_so() -> None:
    from tansiq.members.queries.periods import memberships_of

    first = begun("XA", "XB")
    company = with_team(first, "XB-CERT", categories=("commercial",), community=True)
    accept(signed(company, make.signer()))
    agreed = memberships_of("XB-CERT", day=NOW.date())
    accept(signed(with_team(company, "XB-CERT", community=False), make.signer()))

    assert (agreed, memberships_of("XB-CERT", day=NOW.date())) == (({"commercial"}, True), ({"commercial"}, False))


def test_period_that_the_roster_confirms_keeps_what_the_register_knows_of_it() -> None:
    from tansiq.members.models import MembershipPeriod, Team
    from tansiq.members.queries.periods import periods_of

    team = Team.objects.create(code="XB-CERT", name_en="CERT of XB", country="XB")
    said = {"decision": "Board 7", "since": NOW.date() - timedelta(days=900), "recorded_at": NOW}
    MembershipPeriod.objects.create(team=team, category="full", recorded_by="P-1", **said)

    begun("XA", "XB")

    (period,) = periods_of(NOBODY, "XB-CERT", day=NOW.date())
    assert (period.decision, period.since, period.state, period.source) == ("Board 7", said["since"], "active", "")
    assert alarmed() == []


def test_period_recorded_here_that_the_roster_does_not_have_ends_with_an_alarm() -> None:
    from tansiq.audit.models import Entry
    from tansiq.members.models import MembershipPeriod, Team
    from tansiq.members.queries.periods import periods_of

    team = Team.objects.create(code="XB-CERT", name_en="CERT of XB", country="XB")
    MembershipPeriod.objects.create(team=team, category="general", recorded_by="P-1", recorded_at=NOW)

    begun("XA", "XB")

    periods = {
        one.category: (one.in_force, one.until, one.state) for one in periods_of(NOBODY, "XB-CERT", day=NOW.date())
    }
    assert periods == {"full": (True, None, "active"), "general": (False, NOW.date(), "expired")}
    assert alarmed() == [("exchange.register", {"epoch": 1, "teams": "XB-CERT"})]
    assert Entry.objects.filter(verb="membership.by_roster", item_id="XB-CERT").count() == 1


def test_shipped_membership_gives_way_without_an_alarm_and_does_not_come_back() -> None:
    from tansiq.members.actions import ship_directory
    from tansiq.members.models import MembershipPeriod

    shipped = MembershipPeriod.objects.filter(shipped=True).select_related("team").order_by("pk").first()
    assert shipped is not None
    team, category = shipped.team.code, shipped.category
    first = make.founded("XA")
    other = "general" if category != "general" else "full"
    words = replace(make.WORDS, categories=(other,))
    roster = roster_change.admit(first, make.request("XC", team), words)

    accept(signed(roster, make.signer()), anchor=roster.digest)
    ship_directory(now=LATER)

    assert shown(team, LATER)[0] == (other,)
    assert alarmed() == []


# ---- claims


def test_claims_that_the_next_roster_does_not_have_end() -> None:
    first = begun("XA", "XB")
    before = verified("XB-CERT")

    accept(signed(roster_change.set_claims(make.after(first), make.CLAIMS[:2], number=4), make.signer()))

    assert (before, verified("XB-CERT")) == ({("gov.example", "roster:1")}, set())
    assert alarmed() == []


def test_claims_that_a_roster_verified_stay_where_a_file_says_nothing_of_claims() -> None:
    """A telephone number is added. Where the file has claims it is the full statement of them; what ends is named."""
    begun("XA", "XB")
    contact = '[[team]]\ncode = "XB-CERT"\nname = "XB"\ncontacts = [ { kind = "phone", value = "+999 555 0100" } ]\n'

    silent = imported(contact)
    then = verified("XB-CERT")
    telling = imported(contact + "claims = { asn = [64511] }\n")

    assert (silent.claims_ended, silent.of_roster, then) == (0, [], {("gov.example", "roster:1")})
    assert [(claim.team, claim.value) for claim in telling.of_roster] == [("XB-CERT", "gov.example")]
    assert verified("XB-CERT") == {("64511", "operator")}


def test_claims_of_teams_of_which_the_next_roster_says_the_same_are_left() -> None:
    first = begun("XA", "XB")
    claimed("XA-CERT", "64499")
    claimed("XB-CERT", "64498")

    accept(signed(roster_change.set_claims(make.after(first), make.CLAIMS[:2], number=4), make.signer()))

    assert ("64499", "its registry") in verified("XA-CERT")
    assert verified("XB-CERT") == set()
    assert alarmed() == [("exchange.register", {"epoch": 2, "teams": "XB-CERT"})]


# ---- whose register it was made of


def proposed(home: Home) -> SignedRoster:
    """XA founds, needs a second signer, proposes what its register says, and then records more."""
    from tansiq.exchange.node import issuing
    from tansiq.members.actions.node import first_administrator
    from tansiq.members.models import MembershipPeriod, Team

    first_administrator(code="XA", name="XA", language="en", team_code="XA-CERT", now=NOW)
    claimed("XA-CERT", "64496")
    issuing.found(home, realm="live", mail="", by=GRACE, now=NOW)
    signers = issuing.Changes(signers=[make.signer("second").certificate], threshold=2)
    issuing.issue(home, signers, by=GRACE, now=NOW)
    claimed("XA-CERT", "64497")
    made = issuing.issue(home, issuing.Changes(register=True), by=GRACE, now=NOW)
    claimed("XA-CERT", "64498")
    team = Team.objects.get(code="XA-CERT")
    MembershipPeriod.objects.create(team=team, category="general", recorded_by="P-1", recorded_at=NOW)
    return gathered(made.epoch, made.text, [*made.signatures, sign(made.text, make.signer("second"))])


@pytest.mark.parametrize("is_brought", [False, True], ids=["by its own hand", "by another node first"])
def test_register_of_the_proposer_is_the_same_in_either_order(home: Home, is_brought: bool) -> None:
    from tansiq.exchange.node import proposing, rosters
    from tansiq.members import queries

    made = proposed(home)
    before = queries.claims(), queries.claims_version()

    accept(made) if is_brought else proposing.accept([made], by=GRACE, now=NOW)

    assert rosters.current().epoch == 3
    said = {one.claim.value for one in rosters.current().claims if one.claim.team == "XA-CERT"}
    assert said == {"64496", "64497"}
    assert (queries.claims(), queries.claims_version()) == before
    assert verified("XA-CERT") == {(value, "its registry") for value in ("64496", "64497", "64498")}
    assert (shown("XA-CERT"), alarmed()) == ((("general",), ()), [])


def test_roster_that_another_made_after_ours_is_compared_with_ours(home: Home) -> None:
    made = proposed(home)
    from tansiq.exchange import roster_reading

    ours = roster_reading.read(made.text)
    both = [make.signer("second")]
    draft = replace(make.after(ours), claims_number=ours.claims_number + 1)
    from tansiq.exchange import custody

    text = draft.written()
    theirs = gathered(draft.epoch, text, [sign(text, one) for one in (*custody.signers(home), *both)])

    accept(made, theirs)

    assert verified("XA-CERT") == {(value, "its registry") for value in ("64496", "64497", "64498")}
    assert alarmed() == []
