"""Envelopes that a peer gives back for a recovery: section 11.1 and the checks that go with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from factories import exchange as make
from tansiq.core.marking import Marking, Tlp
from tansiq.exchange import canonical, markings, trust
from tansiq.exchange.reasons import Reason
from tansiq.exchange.trust import Parked, Quarantined

HERE = make.facts(here="XA")


@pytest.mark.parametrize("sender", ["XA", "XC"])
def test_returned_fact_of_an_own_team_is_its_envelope_whoever_sent_it(sender: str) -> None:
    envelope = make.envelope(sender=sender)

    returned = trust.examine_returned(envelope.written(), HERE, make.LenientJudge(), now=make.now())

    assert returned == replace(envelope, sent_at=returned.sent_at)  # type: ignore[union-attr]
    assert returned.written() == envelope.written()  # type: ignore[union-attr]


def test_returned_fact_that_no_marking_lets_here_is_taken_all_the_same() -> None:
    judge = make.LenientJudge(entitled=lambda marked: False)

    returned = trust.examine_returned(make.envelope().written(), HERE, judge, now=make.now())

    assert type(returned) is type(make.envelope())


def test_returned_fact_of_a_later_roster_waits_for_it() -> None:
    envelope = make.envelope(make.statement(epoch=8), epoch=8)

    returned = trust.examine_returned(envelope.written(), HERE, make.LenientJudge(), now=make.now())

    assert returned == Parked("5.9", Reason.EPOCH, whole=True)


@pytest.mark.parametrize(
    ("content", "check"),
    [
        (b"{}", "5.11"),
        (b"[", "5.11"),
        (make.skip().written(), "5.11"),
        (make.receipt().written(), "5.11"),
        (canonical.write(make.envelope().fields() | {"realm": "winter-2026"}).encode(), "5.11"),
        (canonical.write(make.envelope().fields() | {"kind": "Team"}).encode(), "5.11"),
        (make.envelope(make.statement(team="XB-CERT")).written(), "5.14"),
        (make.envelope(signed_by=make.platform_secret("XB-CERT")).written(), "5.12"),
        (make.envelope(payload="{}").written(), "5.13"),
        (make.envelope(marking=markings.write([Marking(Tlp.CLEAR, "XA-CERT")])).written(), "5.15"),
        (make.envelope(make.statement(payload="{ }")).written(), "5.19"),
    ],
)
def test_returned_bytes_that_are_no_fact_of_an_own_team_are_quarantined(content: bytes, check: str) -> None:
    returned = trust.examine_returned(content, HERE, make.LenientJudge(), now=make.now())

    assert isinstance(returned, Quarantined)
    assert returned.check == check


def test_returned_fact_that_its_team_does_not_own_is_quarantined() -> None:
    judge = make.LenientJudge(owned=False)

    returned = trust.examine_returned(make.envelope().written(), HERE, judge, now=make.now())

    assert returned == Quarantined("5.17", Reason.NOT_OWNER)
