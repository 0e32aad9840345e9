"""Who may make a roster that is taken over: digests, signatures, chains and splits (sections 10.2 and 10.3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from factories import rosters as make
from tansiq.exchange import roster_change
from tansiq.exchange.roster import Roster
from tansiq.exchange.roster_signing import (
    Accepted,
    Behind,
    NotAccepted,
    SignedRoster,
    Split,
    Why,
    accept,
    gathered,
    sign,
    signed,
)

FIRST = make.founded("XA", "XB")
CHAIN = make.chain(FIRST, 4)


def judged(known: Roster | None, *chain: SignedRoster, **options: Any) -> Accepted | Behind | Split | NotAccepted:
    return accept(known, chain, **{"realm": "live", "now": datetime.now(UTC)} | options)


def rosters(*chain: SignedRoster) -> list[Roster]:
    """Of a chain that is accepted from its first on."""
    outcome = judged(None, *chain, anchor=chain[0].digest)
    assert isinstance(outcome, Accepted)
    return [roster for roster, _signed in outcome.steps]


def test_first_roster_is_accepted_by_the_digest_that_a_person_compared() -> None:
    assert judged(None, CHAIN[0], anchor=FIRST.digest) == Accepted(((FIRST, CHAIN[0]),))


@pytest.mark.parametrize("anchor", [None, "ab" * 32])
def test_first_roster_without_its_digest_is_not_accepted(anchor: str | None) -> None:
    assert judged(None, CHAIN[0], anchor=anchor) == NotAccepted(Why.ANCHOR, 1, FIRST.digest)


def test_first_roster_may_be_of_any_epoch_and_its_followers_come_with_it() -> None:
    outcome = judged(None, *CHAIN, anchor=CHAIN[2].digest)

    assert isinstance(outcome, Accepted)
    assert [roster.epoch for roster, _signed in outcome.steps] == [3, 4]


def test_founding_roster_is_signed_by_its_own_signers() -> None:
    unsigned = replace(CHAIN[0], signatures=())

    assert judged(None, unsigned, anchor=FIRST.digest) == NotAccepted(Why.SIGNATURES, 1)


def test_chain_of_several_is_accepted_at_once_in_any_order() -> None:
    outcome = judged(FIRST, *CHAIN[::-1])

    assert isinstance(outcome, Accepted)
    assert [roster.epoch for roster, _signed in outcome.steps] == [2, 3, 4]
    assert outcome.roster.digest == CHAIN[3].digest


def test_roster_after_a_gap_waits_for_what_is_between() -> None:
    assert judged(FIRST, CHAIN[2], CHAIN[3]) == NotAccepted(Why.MISSING, 3)
    outcome = judged(FIRST, CHAIN[1], CHAIN[3])
    assert isinstance(outcome, Accepted)
    assert (outcome.roster.epoch, outcome.rest) == (2, NotAccepted(Why.MISSING, 4))


def test_equal_or_lower_epoch_never_replaces() -> None:
    known = rosters(*CHAIN)

    assert judged(known[2], CHAIN[2], CHAIN[0], past=lambda epoch: known[epoch - 1]) == Behind(3)
    assert judged(known[2], CHAIN[0]) == Behind(1)


def test_nothing_given_is_nothing_accepted() -> None:
    assert judged(FIRST) == NotAccepted(Why.NOTHING)


def test_another_realm_is_refused() -> None:
    assert judged(None, CHAIN[0], anchor=FIRST.digest, realm="winter-2026") == NotAccepted(Why.REALM, 1, "live")
    drill = replace(make.after(FIRST), realm="winter-2026")
    assert judged(FIRST, signed(drill, make.signer())) == NotAccepted(Why.REALM, 2, "winter-2026")


def test_roster_signed_by_a_stranger_is_not_accepted() -> None:
    forged = signed(make.after(FIRST), make.signer("stranger"))

    assert judged(FIRST, forged) == NotAccepted(Why.SIGNATURES, 2)


def test_signature_under_the_signers_name_by_a_stranger_is_not_accepted() -> None:
    forged = signed(make.after(FIRST), make.signer("stranger"))
    renamed = replace(forged, signatures=(replace(forged.signatures[0], key=make.signer().fingerprint),))

    assert judged(FIRST, renamed) == NotAccepted(Why.SIGNATURES, 2)


def test_copy_with_a_bad_signature_does_not_hide_the_good_one() -> None:
    bad = replace(CHAIN[1], signatures=())

    for chain in ([bad, CHAIN[1]], [CHAIN[1], bad]):
        outcome = judged(FIRST, *chain)
        assert isinstance(outcome, Accepted)
        assert (outcome.roster.epoch, outcome.rest) == (2, None)


def test_epoch_of_the_wrapper_is_that_of_the_text() -> None:
    outcome = judged(FIRST, replace(CHAIN[2], epoch=2))

    assert outcome == NotAccepted(Why.FORM, 2, "epoch: the roster's")


def test_signed_text_that_is_no_roster_is_not_accepted() -> None:
    text = '{"v":1}'

    outcome = judged(FIRST, gathered(2, text, [sign(text, make.signer())]))

    assert isinstance(outcome, NotAccepted)
    assert (outcome.reason, outcome.epoch) == (Why.FORM, 2)


def test_signature_for_something_else_is_none_for_a_roster() -> None:
    from tansiq.exchange.roster_signing import Signature
    from tansiq.openpgp import sealing

    text = make.after(FIRST).written()
    plain = Signature(make.signer().fingerprint, sealing.sign_detached(text.encode(), by=make.signer()))

    assert judged(FIRST, gathered(2, text, [plain])) == NotAccepted(Why.SIGNATURES, 2)


def test_signature_of_a_later_clock_is_said_to_be_one() -> None:
    past = datetime.now(UTC) - timedelta(days=1)
    stranger = signed(make.after(FIRST), make.signer("stranger"))
    renamed = replace(stranger, signatures=(replace(stranger.signatures[0], key=make.signer().fingerprint),))

    assert judged(FIRST, renamed, now=past) == NotAccepted(Why.CLOCK, 2)


# ---- thresholds


SIGNERS = tuple(make.signer(name) for name in "abc")
OF_TWO = make.founded("XA", signers=SIGNERS, threshold=2)


@pytest.mark.parametrize(("by", "enough"), [("a", False), ("ab", True), ("bc", True), ("abc", True), ("ax", False)])
def test_roster_needs_as_many_distinct_signers_as_the_one_before_says(by: str, enough: bool) -> None:
    one = signed(make.after(OF_TWO), *(make.signer(name) for name in by))

    assert isinstance(judged(OF_TWO, one), Accepted) is enough


def test_signatures_made_in_two_places_are_gathered() -> None:
    text = make.after(OF_TWO).written()

    gathered_here = gathered(2, text, [sign(text, SIGNERS[2]), sign(text, SIGNERS[0]), sign(text, SIGNERS[0])])

    assert [one.key for one in gathered_here.signatures] == sorted(one.fingerprint for one in (SIGNERS[0], SIGNERS[2]))
    assert isinstance(judged(OF_TWO, gathered_here), Accepted)


def test_new_signers_sign_the_roster_after_the_one_that_names_them() -> None:
    successor = make.signer("successor")
    named = replace(make.after(FIRST), signers=roster_change.signers_of(successor.certificate))

    assert judged(FIRST, signed(named, successor)) == NotAccepted(Why.SIGNATURES, 2)
    outcome = judged(FIRST, signed(named, make.signer()), signed(make.after(named), successor))
    assert isinstance(outcome, Accepted)
    assert outcome.roster.epoch == 3
    assert judged(named, signed(make.after(named), make.signer())) == NotAccepted(Why.SIGNATURES, 3)


# ---- splits


def other(known: Roster) -> SignedRoster:
    """Another roster of the epoch after ``known``, signed by those who may."""
    return signed(roster_change.set_claims(make.after(known), (), number=99), make.signer())


def test_another_roster_of_a_known_epoch_is_a_split() -> None:
    known = rosters(*CHAIN)
    evidence = other(FIRST)

    outcome = judged(known[2], evidence, past=lambda epoch: known[epoch - 1])

    assert outcome == Split(2, known[1].digest, evidence.digest, evidence)


def test_another_roster_of_the_present_epoch_is_a_split() -> None:
    known = rosters(*CHAIN)
    evidence = other(known[1])

    outcome = judged(known[2], evidence, past=lambda epoch: known[epoch - 1])

    assert outcome == Split(3, known[2].digest, evidence.digest, evidence)


def test_two_rosters_of_the_next_epoch_are_a_split_and_neither_is_taken() -> None:
    evidence = other(FIRST)

    outcome = judged(FIRST, CHAIN[1], evidence)

    assert isinstance(outcome, Split)
    assert (outcome.epoch, {outcome.here, outcome.there}) == (2, {CHAIN[1].digest, evidence.digest})


def test_roster_that_follows_another_than_is_here_is_a_split() -> None:
    follows = signed(replace(make.after(FIRST), previous="ab" * 32), make.signer())

    assert judged(FIRST, follows) == Split(1, FIRST.digest, "ab" * 32, follows)


def test_forged_roster_of_a_known_epoch_is_no_split() -> None:
    known = rosters(*CHAIN)
    forged = signed(roster_change.set_claims(make.after(FIRST), (), number=99), make.signer("stranger"))

    outcome = judged(known[2], forged, past=lambda epoch: known[epoch - 1])

    assert outcome == NotAccepted(Why.SIGNATURES, 2)


def test_split_is_judged_by_the_signers_of_the_roster_before() -> None:
    successor = make.signer("successor")
    named = replace(make.after(FIRST), signers=roster_change.signers_of(successor.certificate))
    other_draft = roster_change.set_claims(make.after(FIRST), (), number=99)
    by_old, by_new = signed(other_draft, make.signer()), signed(other_draft, successor)
    known = {1: FIRST, 2: named}

    assert judged(named, by_old, past=known.get) == Split(2, named.digest, by_old.digest, by_old)
    assert judged(named, by_new, past=known.get) == NotAccepted(Why.SIGNATURES, 2)


def test_another_text_of_the_first_epoch_here_is_judged_by_the_signers_of_the_roster_here() -> None:
    known = {3: rosters(*CHAIN)[2]}
    another = roster_change.set_claims(known[3], (), number=99)
    ours, theirs = signed(another, make.signer()), signed(another, make.signer("stranger"))

    assert judged(known[3], ours, past=known.get) == Split(3, known[3].digest, ours.digest, ours)
    assert judged(known[3], theirs, past=known.get) == NotAccepted(Why.SIGNATURES, 3)
    assert judged(known[3], CHAIN[1], past=known.get) == Behind(2)


def test_another_founding_roster_is_a_split_if_the_signers_here_made_it_only() -> None:
    other_first = roster_change.set_claims(FIRST, (), number=99)
    ours, theirs = signed(other_first, make.signer()), signed(other_first, make.signer("stranger"))

    assert judged(FIRST, ours, past={1: FIRST}.get) == Split(1, FIRST.digest, ours.digest, ours)
    assert judged(FIRST, theirs, past={1: FIRST}.get) == NotAccepted(Why.SIGNATURES, 1)
