"""Rosters in a node's database: taken over whole or not at all, kept for ever, and heeded."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from factories import rosters as make
from people import GRACE
from tansiq.core.home import Home
from tansiq.exchange import custody, join, nkey, roster_change
from tansiq.exchange.join import JoinRequest
from tansiq.exchange.roster import Roster
from tansiq.exchange.roster_signing import Accepted, Behind, NotAccepted, SignedRoster, Split, Why, signed

pytestmark = pytest.mark.usefixtures("database", "forgotten")

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def accept(*chain: SignedRoster, anchor: str | None = None) -> object:
    from tansiq.exchange.node import rosters

    return rosters.accept_signed(chain, by=GRACE, now=NOW, realm="live", anchor=anchor)


def audited() -> list[tuple[str, str]]:
    from tansiq.audit.models import Entry

    rows = Entry.objects.filter(verb__startswith="roster.").order_by("number")
    return list(rows.values_list("verb", "item_id"))


def test_chain_accepted_is_stored_as_it_was_signed_with_a_row_each() -> None:
    from tansiq.exchange.node import rosters

    chain = make.chain(make.founded("XA", "XB"), 3)

    outcome = accept(*chain, anchor=chain[0].digest)

    assert isinstance(outcome, Accepted)
    assert rosters.current() == outcome.roster
    assert [rosters.signed_at(epoch) for epoch in (1, 2, 3)] == chain
    assert [entry.epoch for entry in rosters.history()] == [3, 2, 1]
    assert audited() == [("roster.accepted", str(epoch)) for epoch in (1, 2, 3)]


def test_roster_that_is_not_accepted_leaves_nothing() -> None:
    from tansiq.exchange.node import rosters

    chain = make.chain(make.founded("XA", "XB"), 2)

    assert accept(*chain) == NotAccepted(Why.ANCHOR, 1, chain[0].digest)
    assert (rosters.current(), rosters.history(), audited()) == (None, [], [])


def test_same_roster_again_changes_nothing() -> None:
    from tansiq.exchange.node import rosters

    chain = make.chain(make.founded("XA", "XB"), 2)
    accept(*chain, anchor=chain[0].digest)

    assert accept(*chain) == Behind(2)
    assert len(rosters.history()) == len(audited()) == 2


def test_realm_of_the_first_roster_is_the_nodes_for_ever() -> None:
    from tansiq.exchange.node import rosters

    first = make.founded("XA")
    accept(signed(first, make.signer()), anchor=first.digest)
    from dataclasses import replace

    drill = signed(replace(make.after(first), realm="winter-2026"), make.signer())

    outcome = rosters.accept_signed([drill], by=GRACE, now=NOW, realm="winter-2026")

    assert outcome == NotAccepted(Why.REALM, 2, "winter-2026")


def test_split_raises_one_alarm_with_the_evidence_and_one_row() -> None:
    from tansiq.exchange.models import Alarm, Evidence
    from tansiq.exchange.node import rosters

    chain = make.chain(make.founded("XA", "XB"), 3)
    accept(*chain, anchor=chain[0].digest)
    evidence = signed(roster_change.set_claims(make.after(rosters.at(1)), (), number=99), make.signer())

    outcomes = [accept(evidence), accept(evidence)]

    assert outcomes == [Split(2, chain[1].digest, evidence.digest, evidence)] * 2
    alarm = Alarm.objects.get()
    assert (alarm.code, alarm.times, alarm.ended_at) == ("exchange.split", 2, None)
    assert alarm.values == {"epoch": 2, "here": chain[1].digest, "there": evidence.digest}
    kept = Evidence.objects.get()
    assert [SignedRoster.read(bytes(body)) for body in (kept.body, kept.other_body)] == [evidence, chain[1]]
    assert audited()[3:] == [("roster.split", "2")]
    assert rosters.current().epoch == 3


def test_unsigned_junk_raises_no_alarm() -> None:
    from tansiq.exchange.models import Alarm

    chain = make.chain(make.founded("XA", "XB"), 2)
    accept(*chain, anchor=chain[0].digest)

    accept(SignedRoster(2, "{}", ()), SignedRoster(1, "", ()), SignedRoster(3, "[]", ()))

    assert not Alarm.objects.exists()


# ---- this node under its roster


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(path=tmp_path, lake=tmp_path / "lake", lake_catalogue="")


def named(code: str) -> None:
    from tansiq.members.actions.node import first_administrator

    first_administrator(code=code, name=code, language="en", team_code=f"{code}-CERT", now=NOW)


def of_keys(home: Home, team: str = "XA-CERT") -> JoinRequest:
    keys = custody.draw(home, code="XA", team=team, realm="live")
    return JoinRequest(
        realm="live",
        node="XA",
        team=team,
        node_certificate=keys.node[0].certificate,
        platform_certificate=keys.platform[team][0].certificate,
        nkey=nkey.public(keys.seed),
        mail="exchange@xa.example",
    )


def federation(home: Home) -> Roster:
    draft = roster_change.admit(make.founded("XB"), of_keys(home), make.WORDS)
    accept(signed(draft, make.signer()), anchor=draft.digest)
    return draft


def test_here_is_the_node_with_its_keys_under_its_roster(home: Home) -> None:
    from tansiq.exchange.node import rosters

    named("XA")
    assert rosters.here(home, now=NOW) is None
    federation(home)

    here = rosters.here(home, now=NOW)

    assert here is not None
    assert (here.code, here.team, here.realm, here.epoch) == ("XA", "XA-CERT", "live", 1)
    assert (here.members, here.peers) == ({"XA", "XB"}, {"XB"})
    assert here.community == {"XA-CERT", "XB-CERT"}
    assert here.operators == {"XA": "XA-CERT", "XB": "XB-CERT"}
    assert here.mail == {"XA": "exchange@xa.example", "XB": "exchange@xb.example"}
    assert [one.fingerprint for one in here.secrets] == [of_keys(home).node_fingerprint]
    assert {team: one.fingerprint for team, one in here.platform.items()} == {
        "XA-CERT": of_keys(home).platform_fingerprint
    }


def test_accepted_roster_is_heeded_by_the_keys_once_it_is_stored(
    home: Home, monkeypatch: pytest.MonkeyPatch, django_commits: None
) -> None:
    from django.conf import settings

    monkeypatch.setattr(settings, "HOME", home)
    named("XA")
    before = federation(home)
    old = of_keys(home)
    known = {old.node_fingerprint, old.platform_fingerprint}
    custody.rotate(home, code="XA", team="XA-CERT", realm="live", in_roster=known)
    rotated = roster_change.rotate(make.after(before), of_keys(home))

    accept(signed(rotated, make.signer()))

    held = custody.load(home, realm="live")
    assert old.platform_fingerprint not in {one.fingerprint for one in held.platform["XA-CERT"]}
    assert old.node_fingerprint in {one.fingerprint for one in held.node}


@pytest.fixture
def django_commits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is to follow a commit follows at once: the test's own transaction is never committed."""
    from django.db import transaction

    monkeypatch.setattr(transaction, "on_commit", lambda then: then())


def test_keys_whose_retention_is_over_are_destroyed_and_audited(home: Home) -> None:
    from datetime import timedelta

    from tansiq.exchange.node import rosters

    named("XA")
    before = federation(home)
    old = of_keys(home).node_fingerprint
    known = {old, of_keys(home).platform_fingerprint}
    custody.rotate(home, code="XA", team="XA-CERT", realm="live", in_roster=known)
    accept(signed(roster_change.rotate(make.after(before), of_keys(home)), make.signer()))

    kept = rosters.keep_house(home, by=GRACE, now=NOW)
    destroyed = rosters.keep_house(home, by=GRACE, now=NOW + timedelta(days=90))

    assert (kept, destroyed) == ([], [old])
    assert audited()[-1] == ("roster.keys_destroyed", "node")


# ---- issuing


def test_request_is_proven_and_shows_the_keys_in_force(home: Home) -> None:
    from tansiq.exchange.node import issuing

    named("XA")

    asked, file = issuing.request(home, mail="exchange@xa.example")

    assert join.read(file) == asked == of_keys(home)
    assert issuing.request(home, mail="exchange@xa.example")[0] == asked


def test_founding_and_issuing_leave_rosters_that_another_node_accepts(home: Home) -> None:
    from tansiq.exchange.node import issuing, rosters
    from tansiq.exchange.roster_signing import accept as judged
    from tansiq.members.models import Team

    named("XA")
    Team.objects.create(code="XD-CERT", name_en="CERT of XD", country="XD")
    first = issuing.found(home, realm="live", mail="", by=GRACE, now=NOW)
    second = issuing.issue(home, issuing.Changes(admit=[make.request("XD")]), by=GRACE, now=NOW)

    outcome = judged(None, [first, second], realm="live", now=datetime.now(UTC), anchor=first.digest)

    assert isinstance(outcome, Accepted)
    assert outcome.roster == rosters.current()
    assert [node.code for node in outcome.roster.nodes] == ["XA", "XD"]
    with pytest.raises(issuing.FoundedAlready):
        issuing.found(home, realm="live", mail="", by=GRACE, now=NOW)


def test_claims_of_the_roster_name_no_person_of_the_node(home: Home) -> None:
    from tansiq.exchange.node import issuing, rosters
    from tansiq.members.models import Claim, Team

    named("XA")
    team = Team.objects.get(code="XA-CERT")
    said = {"team": team, "kind": "asn", "stated_at": NOW}
    Claim.objects.create(**said, value="64496", verified=True, source="P-4F7K2M")
    Claim.objects.create(**said, value="64497", verified=True, source="its registry")
    Claim.objects.create(**said, value="64498", verified=False, source="its registry")

    issuing.found(home, realm="live", mail="", by=GRACE, now=NOW)

    mine = [one.claim for one in rosters.current().claims if one.claim.team == "XA-CERT"]
    assert [(one.value, one.source) for one in mine] == [("64496", ""), ("64497", "its registry")]


def test_node_without_a_signers_key_issues_nothing(home: Home) -> None:
    from tansiq.exchange.node import issuing, rosters

    named("XA")
    federation(home)

    with pytest.raises(issuing.NotASigner):
        issuing.issue(home, issuing.Changes(remove=["XB"]), by=GRACE, now=NOW)
    with pytest.raises(issuing.NothingToChange):
        issuing.drafted(issuing.Changes(), now=NOW)
    with pytest.raises(issuing.TeamNotRegistered):
        issuing.drafted(issuing.Changes(admit=[make.request("XD")]), now=NOW)
    assert rosters.current().epoch == 1


def test_node_that_a_roster_adds_is_asked_and_compared_with(home: Home) -> None:
    from tansiq.exchange.models import Link

    named("XA")
    first = federation(home)
    added = roster_change.admit(make.after(first), make.request("XD"), make.WORDS)
    before = set(Link.objects.values_list("peer", flat=True))

    accept(signed(added, make.signer()))

    assert before == {"XB"}
    asked = Link.objects.filter(asking_since=NOW, incomplete_since=NOW).values_list("peer", flat=True)
    assert set(asked) == {"XB", "XD"}


def test_what_is_parked_of_a_node_that_a_roster_removes_is_deleted(home: Home) -> None:
    from tansiq.exchange.models import ParkedBody

    named("XA")
    first = federation(home)
    columns: dict[str, Any] = {"lane": "bulk", "epoch": 9, "sent_at": NOW, "arrived_at": NOW, "size_bytes": 2}
    ParkedBody.objects.create(digest="ab" * 32, peer="XB", body=b"{}", **columns)
    changed = roster_change.admit(make.after(first), make.request("XD"), make.WORDS)

    accept(signed(changed, make.signer()))
    kept = ParkedBody.objects.count()
    accept(signed(roster_change.remove(make.after(changed), "XB"), make.signer()))

    assert (kept, ParkedBody.objects.count()) == (1, 0)


def test_claims_and_teams_of_a_roster_are_in_the_register_of_whoever_accepts_it(home: Home) -> None:
    from tansiq.members import queries
    from tansiq.members.models import Team

    named("XA")
    federation(home)

    verified = {(one.team, one.kind, one.value) for one in queries.claims() if one.team in ("XA-CERT", "XB-CERT")}
    assert verified == {(one.team, one.kind, one.value) for one in make.CLAIMS if one.verified}
    assert {one.source for one in queries.claims() if one.team == "XB-CERT"} == {"roster:1"}
    assert Team.objects.get(code="XB-CERT").names == {"en": "A team", "ar": "فريق"}


def test_roster_made_of_the_register_leaves_the_register_as_it_is(home: Home) -> None:
    from tansiq.exchange.node import issuing
    from tansiq.members import queries

    named("XA")
    before = queries.claims(), queries.claims_version()

    issuing.found(home, realm="live", mail="", by=GRACE, now=NOW)

    assert (queries.claims(), queries.claims_version()) == before
    with pytest.raises(issuing.NothingToChange):
        issuing.drafted(issuing.Changes(register=True), now=NOW)


def test_rosters_are_given_from_the_one_that_is_asked_for_if_it_is_here(home: Home) -> None:
    from tansiq.exchange.node import asking, rosters
    from tansiq.exchange.requests import RosterAsked

    named("XA")
    chain = make.chain(roster_change.admit(make.founded("XB"), of_keys(home), make.WORDS), 4)
    accept(*chain[2:], anchor=chain[2].digest)
    here = rosters.here(home, now=NOW)
    assert here is not None

    given = asking.rosters_given(RosterAsked(epoch=3), newest=here.epoch)
    before_us = asking.rosters_given(RosterAsked(epoch=2), newest=here.epoch)

    assert [(piece.epoch, piece.data) for piece in given.pieces] == [
        (one.epoch, one.written().encode()) for one in chain[2:]
    ]
    assert (before_us.newest, before_us.pieces) == (1, ())
