"""Rosters: written and read, refused where their parts do not fit, and what the checks get of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from factories import rosters as make
from tansiq.core.claims import Claim
from tansiq.exchange import canonical, roster_change, roster_facts, roster_reading
from tansiq.exchange.roster import Roster, Standing
from tansiq.exchange.roster_signing import SignedRoster, signed
from tansiq.exchange.values import EMPTY_DIGEST, Unfit

THREE = make.founded("XA", "XB", "XC")


def altered(change: Callable[[dict[str, Any]], Any]) -> str:
    said = json.loads(THREE.written())
    change(said)
    return canonical.write(said)


def test_roster_read_is_the_roster_that_was_written() -> None:
    assert roster_reading.read(THREE.written()) == THREE
    assert roster_reading.read(THREE.written()).written() == THREE.written()


def test_fields_that_are_not_known_are_kept_wherever_they_are() -> None:
    def add(said: dict[str, Any]) -> None:
        said["x"] = {"later": [1]}
        said["claims"]["x"] = 1
        for part in (said["nodes"][0], said["teams"][0], said["claims"]["list"][0], said["signers"]):
            part["x"] = [True]
        said["nodes"][0]["certificates"][0]["x"] = said["teams"][0]["platform_keys"][0]["x"] = None

    text = altered(add)

    assert roster_reading.read(text).written() == text


def test_claims_that_are_not_verified_are_not_in_the_roster() -> None:
    assert [one.claim.value for one in THREE.claims] == ["192.0.2.0/24", "XA", "gov.example"]
    assert THREE.claims[0].claim == make.CLAIMS[1]


def again(said: dict[str, Any], name: str) -> None:
    said[name].append(said[name][0])


UNFIT: dict[str, Callable[[dict[str, Any]], Any]] = {
    "another version": lambda said: said.update(v=2),
    "no realm": lambda said: said.pop("realm"),
    "epoch 0": lambda said: said.update(epoch=0),
    "something before epoch 1": lambda said: said.update(previous="ab" * 32),
    "nothing before epoch 2": lambda said: said.update(epoch=2),
    "a threshold that nobody reaches": lambda said: said["signers"].update(threshold=2),
    "a threshold of none": lambda said: said["signers"].update(threshold=0),
    "no signers": lambda said: said["signers"].update(certificates=[]),
    "a node twice": lambda said: again(said, "nodes"),
    "nodes out of order": lambda said: said["nodes"].reverse(),
    "a team on no node": lambda said: said["teams"][0].update(node="XZ"),
    "a node of no team": lambda said: said["nodes"][0].update(team="XZ-CERT"),
    "an NKey twice": lambda said: said["nodes"][0].update(nkey=said["nodes"][1]["nkey"]),
    "an NKey mistyped": lambda said: said["nodes"][0].update(nkey="U" + "A" * 55),
    "another's fingerprint": lambda said: said["nodes"][0]["certificates"][0].update(fingerprint="0A" * 32),
    "a certificate cut": lambda said: said["nodes"][0]["certificates"][0].update(certificate="xjM"),
    "a key of two": lambda said: said["nodes"][0].update(certificates=said["nodes"][1]["certificates"]),
    "a key of tomorrow": lambda said: said["nodes"][0]["certificates"][0].update(from_epoch=2),
    "ended before it began": lambda said: said["nodes"][0]["certificates"][0].update(until_epoch=0),
    "revoked, maybe": lambda said: said["nodes"][0]["certificates"][0].update(revoked=1),
    "a state": lambda said: said["teams"][0].update(state="asleep"),
    "a name in no language": lambda said: said["teams"][0].update(names={}),
    "a mail address for two": lambda said: said["nodes"][0].update(mail="a@b@c.example"),
    "a header in an address": lambda said: said["nodes"][0].update(mail="a@xa.example\r\nBcc: x"),
    "categories out of order": lambda said: said["teams"][0].update(categories=["full", "affiliate"]),
    "a claim of nothing": lambda said: said["claims"]["list"][0].update(value=""),
    "a claim from an empty time": lambda said: said["claims"]["list"][0].update(valid_from=""),
    "a claim of a kind": lambda said: said["claims"]["list"][0].update(kind="planet"),
    "a kind that is a list": lambda said: said["claims"]["list"][0].update(kind=[]),
    "claims out of order": lambda said: said["claims"]["list"].reverse(),
    "claims that are a list": lambda said: said.update(claims=[]),
    "a former member of now": lambda said: said.update(
        former=[
            {
                "code": "XA",
                "what": "node",
                "epoch": 1,
                "removed_at": "2026-03-01T08:00:00.000Z",
                "certificates": [],
                "platform_keys": [],
            }
        ]
    ),
    "a roster that is a list": lambda said: None,
}


@pytest.mark.parametrize("what", UNFIT)
def test_roster_whose_parts_do_not_fit_is_refused(what: str) -> None:
    text = "[]" if what == "a roster that is a list" else altered(UNFIT[what])

    with pytest.raises(Unfit):
        roster_reading.read(text)


def former_altered(change: Callable[[dict[str, Any]], Any]) -> str:
    gone = roster_change.remove(roster_change.remove(make.after(THREE), "XC"), "XB")
    said = json.loads(gone.written())
    change(said)
    return canonical.write(said)


@pytest.mark.parametrize(
    "change",
    [
        lambda said: said["former"][0].update(code="XA"),
        lambda said: said["former"][1].update(code="XA-CERT"),
        lambda said: said["former"][0].update(epoch=1),
        lambda said: said["former"][0].update(epoch=3),
        lambda said: said["former"][0].update(what="person"),
        lambda said: said["former"][1]["platform_keys"][0].update(struck=False),
        lambda said: said["former"][1].update(certificates=said["former"].pop(0)["certificates"]),
        lambda said: said["former"].reverse(),
    ],
)
def test_former_member_that_does_not_fit_is_refused(change: Callable[[dict[str, Any]], Any]) -> None:
    roster_reading.read(former_altered(lambda said: None))

    with pytest.raises(Unfit):
        roster_reading.read(former_altered(change))


def test_two_certificates_in_one_are_refused() -> None:
    both = make.request("XA").node_certificate + make.request("XB").node_certificate

    with pytest.raises(Unfit):
        roster_reading.fingerprint_of(both)


@pytest.mark.parametrize("text", ["", "{", "nul", '{"v":1}', "\ud800", "[" * 60, THREE.written() + " "])
def test_text_that_is_no_roster_is_refused(text: str) -> None:
    with pytest.raises(Unfit):
        roster_reading.read(text)


def test_roster_that_its_readers_would_refuse_is_not_signed() -> None:
    with pytest.raises(Unfit):
        signed(replace(THREE, nodes=THREE.nodes[::-1]), make.signer())


def test_federation_of_57_nodes_with_3000_claims_fits() -> None:
    node, team = THREE.nodes[0], THREE.teams[0]
    claims = [Claim(f"X{i % 57:02}", "cidr", f"2001:db8:{i:x}::/48", source="s" * 40) for i in range(3000)]
    many = replace(
        THREE,
        nodes=tuple(replace(node, code=f"X{i:02}") for i in range(57)),
        teams=tuple(replace(team, code=f"X{i:02}") for i in range(57)),
    )

    size = len(roster_change.set_claims(many, claims, number=1).written().encode())

    assert 500_000 < size < 1_000_000


# ---- what the checks get


def test_facts_name_keys_homes_and_senders() -> None:
    facts = roster_facts.facts_of(THREE, here="XB", now=make.BEGINNING)

    assert (facts.here, facts.realm, facts.epoch) == ("XB", "live", 1)
    assert facts.senders == {"XA", "XB", "XC"}
    assert facts.homes == {"XA-CERT": "XA", "XB-CERT": "XB", "XC-CERT": "XC"}
    assert {key.node for key in facts.node_keys.values()} == {"XA", "XB", "XC"}
    assert facts.platform_keys[make.request("XA").platform_fingerprint].speaks_for("XA-CERT", 1)
    assert (facts.former, facts.forwarders) == (frozenset(), frozenset())


def test_facts_of_a_removed_node_keep_its_key_for_thirty_days() -> None:
    without = roster_change.remove(make.after(THREE), "XC")
    day = timedelta(days=1)

    lately = roster_facts.facts_of(without, here="XA", now=without.issued_at + 29 * day)
    later = roster_facts.facts_of(without, here="XA", now=without.issued_at + 30 * day)

    assert lately.former == {"XC"} and later.former == frozenset()
    assert "XC" not in lately.senders and "XC-CERT" not in lately.homes
    assert lately.node_keys[make.request("XC").node_fingerprint].node == "XC"
    assert lately.platform_keys[make.request("XC").platform_fingerprint].struck


def test_facts_take_from_history_what_a_later_roster_left_out() -> None:
    left_out = replace(make.after(THREE), nodes=THREE.nodes[:2], teams=THREE.teams[:2])

    facts = roster_facts.facts_of(left_out, here="XA", now=make.BEGINNING, history=[THREE])

    assert facts.node_keys[make.request("XC").node_fingerprint].node == "XC"
    assert facts.senders == {"XA", "XB"}


def test_suspended_node_is_no_sender_and_its_team_is_of_no_community() -> None:
    draft = roster_change.set_standing(make.after(THREE), "XB", Standing.SUSPENDED)
    draft = roster_change.set_standing(draft, "XB-CERT", Standing.SUSPENDED)

    assert roster_facts.facts_of(draft, here="XA", now=make.BEGINNING).senders == {"XA", "XC"}
    assert roster_facts.community(draft) == {"XA-CERT", "XC-CERT"}
    assert roster_facts.suspended(draft) == {"XB"}


# ---- changes


def readable(draft: Roster) -> Roster:
    assert roster_reading.read(draft.written()) == draft
    return draft


def test_founded_roster_is_epoch_1_after_nothing() -> None:
    assert (THREE.epoch, THREE.previous, THREE.claims_number) == (1, EMPTY_DIGEST, 3)
    assert [(node.code, node.team) for node in THREE.nodes] == [("XA", "XA-CERT"), ("XB", "XB-CERT"), ("XC", "XC-CERT")]


def test_begin_follows_the_roster_before() -> None:
    draft = make.after(THREE)

    assert (draft.epoch, draft.previous) == (2, THREE.digest)
    assert replace(draft, epoch=1, previous=EMPTY_DIGEST, issued_at=THREE.issued_at) == THREE


def test_guest_is_admitted_to_a_node_that_is_there() -> None:
    guest = replace(make.request("XA", "XG-CERT"))

    draft = readable(roster_change.admit(make.after(THREE), guest, make.WORDS))

    assert draft.nodes == THREE.nodes
    assert draft.team("XG-CERT").node == "XA"  # type: ignore[union-attr]
    assert draft.node("XA").team == "XA-CERT"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        (make.request("XA"), roster_change.ThereAlready),
        (make.request("XA", "XG-CERT", generation=1), roster_change.ThereAlready),
        (make.request("XD", realm="winter-2026"), roster_change.OtherRealm),
        (replace(make.request("XD"), nkey=make.request("XA").nkey), roster_change.parts.KeyTwice),
        (
            replace(make.request("XD"), node_certificate=make.request("XA").node_certificate),
            roster_change.parts.KeyTwice,
        ),
    ],
)
def test_admission_that_does_not_fit_is_refused(asked: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        roster_change.admit(make.after(THREE), asked, make.WORDS)


def test_removed_node_and_its_team_are_former_and_its_guests_homeless() -> None:
    with_guest = roster_change.admit(make.after(THREE), make.request("XC", "XG-CERT"), make.WORDS)

    draft = readable(roster_change.remove(make.after(with_guest), "XC"))

    assert [node.code for node in draft.nodes] == ["XA", "XB"]
    assert [(one.code, one.what, one.epoch) for one in draft.former] == [("XC", "node", 3), ("XC-CERT", "team", 3)]
    guest = draft.team("XG-CERT")
    assert guest is not None and (guest.node, guest.present) == ("", None)
    assert all(key.struck and key.until_epoch == 3 for key in guest.platform_keys)


def test_member_that_returns_brings_new_keys_and_keeps_its_old_ones_struck() -> None:
    gone = roster_change.remove(make.after(THREE), "XC")

    with pytest.raises(roster_change.parts.KeyTwice):
        roster_change.admit(make.after(gone), make.request("XC"), make.WORDS)
    back = readable(roster_change.admit(make.after(gone), make.request("XC", generation=1), make.WORDS))

    assert back.former == ()
    node, team = back.node("XC"), back.team("XC-CERT")
    assert node is not None and team is not None and node.present is not None and team.present is not None
    assert node.present.fingerprint == make.request("XC", generation=1).node_fingerprint
    assert [key.until_epoch for key in node.certificates if key is not node.present] == [3]
    assert [key.struck for key in team.platform_keys if key is not team.present] == [True]


def test_rotation_retires_the_old_keys_and_puts_the_new_in_force() -> None:
    asked = replace(make.request("XB", generation=1), mail="new@xb.example")

    draft = readable(roster_change.rotate(make.after(THREE), asked))

    node, team = draft.node("XB"), draft.team("XB-CERT")
    assert node is not None and team is not None and node.present is not None and team.present is not None
    assert (node.present.fingerprint, node.present.from_epoch) == (asked.node_fingerprint, 2)
    assert (team.present.fingerprint, team.present.from_epoch) == (asked.platform_fingerprint, 2)
    assert {key.until_epoch for key in (*node.certificates, *team.platform_keys)} == {None, 2}
    assert not any(key.struck for key in team.platform_keys)
    assert node.mail == "new@xb.example"


def test_second_rotation_leaves_the_end_of_the_first_as_it_was() -> None:
    once = roster_change.rotate(make.after(THREE), make.request("XB", generation=1))

    twice = readable(roster_change.rotate(make.after(once), make.request("XB", generation=2)))

    node, team = twice.node("XB"), twice.team("XB-CERT")
    assert node is not None and team is not None
    for keys in (node.certificates, team.platform_keys):
        assert sorted(key.until_epoch or 0 for key in keys) == [0, 2, 3]


def test_team_that_leaves_alone_leaves_its_node_to_nobody() -> None:
    draft = readable(roster_change.remove(make.after(THREE), "XB-CERT"))

    assert [(node.code, node.team) for node in draft.nodes] == [("XA", "XA-CERT"), ("XB", ""), ("XC", "XC-CERT")]
    assert [(one.code, one.what) for one in draft.former] == [("XB-CERT", "team")]


def test_rotation_to_the_same_keys_is_refused() -> None:
    with pytest.raises(roster_change.NothingNew):
        roster_change.rotate(make.after(THREE), make.request("XB"))


def test_rotation_back_to_a_retired_key_is_refused() -> None:
    rotated = roster_change.rotate(make.after(THREE), make.request("XB", generation=1))

    with pytest.raises(roster_change.NothingNew):
        roster_change.rotate(make.after(rotated), make.request("XB"))


def test_moved_team_signs_with_its_new_key_alone() -> None:
    with_guest = roster_change.admit(make.after(THREE), make.request("XA", "XG-CERT"), make.WORDS)
    own_node = make.request("XG", "XG-CERT", generation=1)

    draft = readable(roster_change.move(make.after(with_guest), own_node))

    facts = roster_facts.facts_of(draft, here="XB", now=make.BEGINNING)
    assert facts.homes["XG-CERT"] == "XG" and "XG" in facts.senders
    assert draft.node("XG").team == "XG-CERT"  # type: ignore[union-attr]
    assert facts.platform_keys[own_node.platform_fingerprint].speaks_for("XG-CERT", 3)
    old = facts.platform_keys[make.request("XA", "XG-CERT").platform_fingerprint]
    assert not old.speaks_for("XG-CERT", 2) and not old.speaks_for("XG-CERT", 3)


def test_revoked_certificate_is_believed_no_more() -> None:
    fingerprint = make.request("XB").node_fingerprint

    draft = readable(roster_change.revoke(make.after(THREE), fingerprint))

    facts = roster_facts.facts_of(draft, here="XA", now=make.BEGINNING)
    assert make.request("XB").node_certificate not in facts.believed_certificates()
    assert draft.node("XB").present is None  # type: ignore[union-attr]
    with pytest.raises(roster_change.NoSuchKey):
        roster_change.revoke(make.after(draft), fingerprint)


def test_certificate_of_a_former_node_can_be_revoked() -> None:
    gone = roster_change.remove(make.after(THREE), "XC")

    draft = readable(roster_change.revoke(make.after(gone), make.request("XC").node_fingerprint))

    assert [key.revoked for key in draft.former[0].certificates] == [True]


def test_struck_key_speaks_for_nobody() -> None:
    fingerprint = make.request("XB").platform_fingerprint

    draft = readable(roster_change.strike(make.after(THREE), fingerprint))

    assert (
        not roster_facts.facts_of(draft, here="XA", now=make.BEGINNING)
        .platform_keys[fingerprint]
        .speaks_for("XB-CERT", 1)
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda draft: roster_change.remove(draft, "XZ"),
        lambda draft: roster_change.rotate(draft, make.request("XZ")),
        lambda draft: roster_change.rotate(draft, make.request("XA", "XB-CERT")),
        lambda draft: roster_change.move(draft, make.request("XA", "XZ-CERT")),
        lambda draft: roster_change.set_standing(draft, "XZ", Standing.SUSPENDED),
        lambda draft: roster_change.set_forwarding(draft, "XZ", forwards=True),
    ],
)
def test_change_of_nobody_is_refused(change: Callable[[Roster], Roster]) -> None:
    with pytest.raises(roster_change.NoSuchMember):
        change(make.after(THREE))


def test_team_that_is_home_already_is_not_moved() -> None:
    with pytest.raises(roster_change.StillHome):
        roster_change.move(make.after(THREE), make.request("XA", generation=1))


# ---- the wrapper


def test_signed_roster_read_is_the_one_that_was_written() -> None:
    one = signed(THREE, make.signer("b"), make.signer("a"))

    assert SignedRoster.read(one.written().encode()) == one


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[" * 100_000,
        b'{"epoch":1,"roster":"{}","signatures":[' + b"[]," * 100_000 + b"[]]}",
        b'{"epoch":0,"roster":"{}","signatures":[]}',
        b'{"epoch":1,"roster":"{}","signatures":[],"x":1}',
        b'{"epoch":1, "roster":"{}","signatures":[]}',
        b'{"epoch":1,"roster":"\\ud800","signatures":[]}',
        b'{"epoch":1,"roster":"\xff","signatures":[]}',
        b'{"epoch":1,"roster":"{}","signatures":[{"key":"00","signature":""}]}',
    ],
)
def test_wrapper_of_another_form_is_refused(data: bytes) -> None:
    with pytest.raises(Unfit):
        SignedRoster.read(data)


def test_wrapper_with_signatures_out_of_order_is_refused() -> None:
    one = signed(THREE, make.signer("a"), make.signer("b"))

    with pytest.raises(Unfit):
        SignedRoster.read(replace(one, signatures=one.signatures[::-1]).written().encode())


def test_wrapper_with_two_signatures_of_one_key_is_refused() -> None:
    one = signed(THREE, make.signer("a"))

    with pytest.raises(Unfit):
        SignedRoster.read(replace(one, signatures=one.signatures * 2).written().encode())
