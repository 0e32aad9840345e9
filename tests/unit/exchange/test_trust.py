"""The checks 5.1 to 5.19: for each a body that fails it and would pass every other."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pysequoia
import pytest

from factories import exchange as make
from factories.openpgp_messages import compressed, literal, sealed_to
from tansiq.core.marking import Audience, Marking, Tlp
from tansiq.exchange import author, canonical, markings, trust, values
from tansiq.exchange.body import Envelope, Lane, ObjectState, Receipt, Skip, State, Version
from tansiq.exchange.facts import Facts
from tansiq.exchange.reasons import JunkReason, Reason
from tansiq.exchange.seal import SEALED_LIMIT_BYTES, Junk, Sealed, unsealed
from tansiq.exchange.trust import Authentic, Parked, Quarantined, Refused
from tansiq.openpgp import sealing

Outcome = Envelope | Skip | Receipt | Junk | Parked | Refused | Quarantined


def received(sealed: Sealed, facts: Facts | None = None, judge: Any = None, **passed: Any) -> Outcome:
    """All stages, one after another, as the inbox goes through them."""
    facts = facts or make.facts()
    opened = unsealed(sealed, by=[make.node_secret("XB")], signers=facts.believed_certificates())
    if isinstance(opened, Junk):
        return opened
    body = trust.authenticate(opened, facts)
    if isinstance(body, Junk):
        return body
    now = passed.pop("now", make.now())
    admitted = trust.admit(body, facts, now=now, **passed)
    if not isinstance(admitted, Authentic):
        return admitted
    if isinstance(admitted.head, Skip | Receipt):
        return admitted.head
    return trust.examine(admitted, facts, judge or make.LenientJudge(), now=now)


def said(**changes: Any) -> dict[str, Any]:
    return make.envelope().fields() | changes


def with_blob(**changes: Any) -> Envelope:
    return make.envelope(make.statement(blobs=(make.blob_reference(**changes),)))


def signed(size_bytes: int) -> str:
    """What no key has signed, of this length."""
    return values.write_bytes(bytes(size_bytes))


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in make.envelope().fields().items() if key != name}


@pytest.mark.parametrize("body", [make.envelope(), make.skip(), make.receipt()], ids=["envelope", "skip", "receipt"])
def test_received_what_obeys_everything_is_what_was_sent(body: Envelope | Skip | Receipt) -> None:
    sent = body.written()

    outcome = received(make.sealed(body))

    assert isinstance(outcome, type(body))
    assert outcome.written() == sent


def test_5_1_longer_than_a_mebibyte_is_junk() -> None:
    sealed = make.sealed(make.envelope())

    outcome = received(Sealed(sealed.data + bytes(SEALED_LIMIT_BYTES + 1 - len(sealed.data))))

    assert outcome == Junk("5.1", JunkReason.SIZE)


def test_5_2_encrypted_to_another_node_is_junk() -> None:
    assert_junk(received(make.sealed(make.envelope(), to="XC")), "5.2", JunkReason.NOT_OPENED)


def test_5_2_signed_but_not_encrypted_is_junk() -> None:
    signed = signed_message(make.envelope().written())

    assert_junk(received(Sealed(signed)), "5.2", JunkReason.NOT_OPENED)


def test_5_2_compressed_within_is_junk() -> None:
    inner = signed_message(make.envelope().written())
    recipient = make.node_secret("XB").certificate

    plain, packed = (received(Sealed(sealed_to(recipient, packets))) for packets in (inner, compressed(inner)))

    assert isinstance(plain, Envelope)
    assert_junk(packed, "5.2", JunkReason.NOT_OPENED)


def test_5_2_sealed_to_a_kept_certificate_is_opened() -> None:
    newer = sealing.generate("node XB, the next", version=6)

    opened = unsealed(
        make.sealed(make.envelope()),
        by=[newer, make.node_secret("XB")],
        signers=make.facts().believed_certificates(),
    )

    assert not isinstance(opened, Junk)


def test_5_3_by_a_certificate_unknown_here_is_junk() -> None:
    facts = make.facts()
    unknown = {fingerprint: key for fingerprint, key in facts.node_keys.items() if key.node != "XA"}

    assert_junk(received(make.sealed(make.envelope()), replace(facts, node_keys=unknown)), "5.3", JunkReason.SIGNER)


def test_5_3_by_a_revoked_certificate_is_junk() -> None:
    revoked = replace(make.node_key("XA"), revoked=True)
    facts = make.facts()

    outcome = received(
        make.sealed(make.envelope()), replace(facts, node_keys={**facts.node_keys, revoked.fingerprint: revoked})
    )

    assert_junk(outcome, "5.3", JunkReason.SIGNER)


def test_5_3_without_a_signature_is_junk() -> None:
    packets = literal(make.envelope().written())

    outcome = received(Sealed(sealed_to(make.node_secret("XB").certificate, packets)))

    assert_junk(outcome, "5.3", JunkReason.SIGNER)


def test_5_3_signature_over_other_bytes_is_junk_that_names_a_known_certificate() -> None:
    signed = signed_message(make.envelope().written())
    altered = signed.replace(b"XA-CERT", b"XC-CERT")

    outcome = received(Sealed(sealed_to(make.node_secret("XB").certificate, altered)))

    assert_junk(outcome, "5.3", JunkReason.UNPROVEN)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xef\xbb\xbf{}",
        b"\xff",
        b"[" * 33 + b"]" * 33,
        b'{"v":1,"v":1}',
        b'{"v":1.0}',
        b'{"v":1e0}',
        b'{"v":NaN}',
        b'{"v":9007199254740992}',
        b'{"v":"\\ud800"}',
        b"{} {}",
        b'{"v": 1}',
        b'{"v":1,"t":""}',
        b'{"v":"\\u0041"}',
        b'"' + b"a" * (512 * 1024) + b'"',
    ],
    ids=lambda content: repr(content[:20]),
)
def test_5_4_what_is_no_canonical_json_is_junk(content: bytes) -> None:
    assert_junk(received(make.sealed_bytes(content)), "5.4", JunkReason.JSON)


@pytest.mark.parametrize(
    "fields",
    [
        [],
        said(v=2),
        said(t="letter"),
        said(id="01890a5d-ac96-474b-bcce-b302099a8057"),  # version 4
        said(**{"from": "xa"}),
        said(epoch=0),
        said(sent_at="2026-01-01T00:00:00Z"),
        said(sent_at="2026-02-30T00:00:00.000Z"),
        said(lane="fast"),
        said(incarnation="01-abcdefghijklmnop"),
        said(seq=0),
        said(seq="1"),
        said(prev="ab" * 32),  # at position 1 there is nothing before
        without("seq"),
        make.skip().fields() | {"count": 2},
        make.skip().fields() | {"last": 0, "count": 0},
        make.skip().fields() | {"reason": "tired"},
        make.receipt().fields() | {"gaps": [[7, 8], [3, 4]]},
        make.receipt().fields() | {"gaps": [[4, 5], [7, 8]]},
        make.receipt().fields() | {"gaps": [[3, 9]]},
        make.receipt().fields() | {"gaps": []},
        make.receipt().fields() | {"gaps": [[3, True]]},
        make.receipt().fields() | {"objects": [{"object": "a", "version": {}, "state": "stored", "reason": ""}]},
    ],
)
def test_5_5_what_gives_no_place_is_junk(fields: Any) -> None:
    assert_junk(received(make.sealed_said(fields)), "5.5", JunkReason.BODY)


def test_5_6_of_an_exercise_is_junk_on_the_live_node() -> None:
    statement = make.statement(realm="winter-2026")

    assert_junk(received(make.sealed(make.envelope(statement))), "5.6", JunkReason.REALM)


def test_5_7_for_another_node_is_junk() -> None:
    assert_junk(received(make.sealed(make.envelope(recipient="XC"))), "5.7", JunkReason.ADDRESS)


def test_5_7_in_the_name_of_another_node_is_junk() -> None:
    assert_junk(received(make.sealed(make.envelope(sender="XC"))), "5.7", JunkReason.ADDRESS)


@pytest.mark.parametrize(("until_epoch", "taken"), [(make.EPOCH, False), (make.EPOCH + 1, True), (None, True)])
def test_5_7_retired_certificate_signs_what_was_addressed_before(until_epoch: int | None, taken: bool) -> None:
    retired = replace(make.node_key("XA"), until_epoch=until_epoch)
    facts = make.facts()

    outcome = received(
        make.sealed(make.envelope()), replace(facts, node_keys={**facts.node_keys, retired.fingerprint: retired})
    )

    assert isinstance(outcome, Envelope if taken else Junk)


@pytest.mark.parametrize(
    ("minutes", "passed", "expected"),
    [
        (19, {}, Envelope),
        (21, {}, Parked),
        (21, {"by_file": True}, Envelope),
        (21, {"known": True}, Envelope),
        (-60 * 24 * 30, {}, Envelope),  # waited a month for this node
    ],
)
def test_5_8_from_the_future_is_parked_whole(minutes: int, passed: dict[str, bool], expected: type) -> None:
    now = make.now()
    body = make.envelope(sent_at=now + timedelta(minutes=minutes))

    outcome = received(make.sealed(body), now=now, **passed)

    assert isinstance(outcome, expected)
    if expected is Parked:
        assert outcome == Parked("5.8", Reason.CLOCK, whole=True)


def test_5_9_under_a_later_roster_is_parked_whole() -> None:
    body = make.envelope(epoch=make.EPOCH + 1)

    assert received(make.sealed(body)) == Parked("5.9", Reason.EPOCH, whole=True)


def test_5_10_of_a_node_that_may_not_send_is_refused_and_moves_nothing() -> None:
    facts = make.facts(senders=frozenset({"XB", "XC"}))

    assert received(make.sealed(make.envelope()), facts) == Refused("5.10", Reason.REMOVED, moves=False)


def test_5_10_of_a_node_lately_removed_only_recalls_are_heard() -> None:
    facts = make.facts(senders=frozenset({"XB"}), former=frozenset({"XA"}))
    stored = ObjectState(object="a", version=Version(1, 1), state=State.STORED)
    recalled = ObjectState(object="b", version=Version(1, 1), state=State.RECALLED, reason="deleted")

    heard = received(make.sealed(make.receipt(lane=Lane.URGENT, objects=(stored, recalled))), facts)
    others = [make.envelope(), make.receipt(lane=Lane.URGENT, objects=(stored,)), make.receipt(objects=(recalled,))]

    assert isinstance(heard, Receipt)
    assert heard.objects == (recalled,)
    assert {received(make.sealed(body), facts) for body in others} == {Refused("5.10", Reason.REMOVED, moves=False)}


@pytest.mark.parametrize(
    "fields",
    [
        without("blobs"),
        said(kind="Team.Profile"),
        said(kind="a" * 65),
        said(schema=0),
        said(object="a b"),
        said(version={"term": 1, "n": 1, "o": 1}),
        said(version={"term": True, "n": 1}),
        said(version={"term": 0, "n": 0}),
        said(payload={}),
        said(via=["XC", "c"]),
        said(blobs=[{"digest": "ef" * 32}]),
        said(author=None),
    ],
)
def test_5_11_malformed_is_quarantined(fields: dict[str, Any]) -> None:
    assert_quarantined(received(make.sealed_said(fields)), "5.11", Reason.MALFORMED)


@pytest.mark.parametrize(
    "media_type",
    [
        "application/vnd.openxmlformats-officedocument.presentationml.template.main+xml",
        f"{'a' * 127}/{'b' * 127}",
    ],
)
def test_5_11_longest_media_type_that_can_be_registered_is_taken(media_type: str) -> None:
    assert isinstance(received(make.sealed(with_blob(media_type=media_type))), Envelope)


@pytest.mark.parametrize("media_type", [f"{'a' * 128}/b", f"a/{'b' * 128}", "Text/plain", "text", "text/", "text/a/b"])
def test_5_11_media_type_that_cannot_be_registered_is_quarantined(media_type: str) -> None:
    assert_quarantined(received(make.sealed(with_blob(media_type=media_type))), "5.11", Reason.MALFORMED)


TURNING = [*range(0x2028, 0x202F), *range(0x2066, 0x206A)]
"""Line and paragraph separators, embeddings, overrides and isolates of direction (section 9)."""


@pytest.mark.parametrize("code", [0x00, 0x0A, 0x1F, 0x7F, 0x85, 0x9F, ord("/"), ord("\\"), *TURNING], ids=hex)
def test_5_11_name_of_a_file_that_could_look_like_another_is_quarantined(code: int) -> None:
    outcome = received(make.sealed(with_blob(name=f"rapport{chr(code)}fdp.exe")))

    assert_quarantined(outcome, "5.11", Reason.MALFORMED)
    assert isinstance(outcome, Quarantined)
    assert outcome.detail.isprintable()  # it is stored, and shown to people


@pytest.mark.parametrize("code", [0x200E, 0x200F, 0x061C, 0x2027, 0x202F, 0x2065, 0x206A], ids=hex)
def test_5_11_name_of_a_file_beside_those_is_taken(code: int) -> None:
    assert isinstance(received(make.sealed(with_blob(name=f"تقرير{chr(code)}.pdf"))), Envelope)


def test_5_11_author_signature_of_more_than_4_kb_is_quarantined() -> None:
    fields = make.envelope().fields()
    longest, longer = (
        fields | {"author": fields["author"] | {"signature": text}} for text in (signed(4096), signed(4097))
    )

    assert_quarantined(received(make.sealed_said(longest)), "5.13", Reason.SIGNATURE)
    assert_quarantined(received(make.sealed_said(longer)), "5.11", Reason.MALFORMED)


@pytest.mark.parametrize(
    ("name", "value"),
    [("signature", "AB=="), ("signature", "AB"), ("key", "abc"), ("epoch", make.EPOCH + 1), ("person", "a b")],
)
def test_5_11_malformed_author_is_quarantined(name: str, value: Any) -> None:
    fields = make.envelope().fields()
    fields["author"][name] = value

    assert_quarantined(received(make.sealed_said(fields)), "5.11", Reason.MALFORMED)


def test_5_12_key_of_another_team_is_quarantined() -> None:
    body = make.envelope(signed_by=make.platform_secret("XC-CERT"))

    assert_quarantined(received(make.sealed(body)), "5.12", Reason.UNKNOWN_KEY)


def test_5_12_certificate_of_the_node_does_not_speak_for_its_team() -> None:
    body = make.envelope(signed_by=make.node_secret("XA"))

    assert_quarantined(received(make.sealed(body)), "5.12", Reason.UNKNOWN_KEY)


@pytest.mark.parametrize(
    ("changes", "taken"),
    [
        ({"from_epoch": make.EPOCH + 1}, False),
        ({"until_epoch": make.EPOCH}, False),
        ({"until_epoch": make.EPOCH + 1}, True),  # rotated since: what it signed before stays
        ({"struck": True, "until_epoch": make.EPOCH + 1}, False),
    ],
)
def test_5_12_key_speaks_in_its_time_and_until_it_is_struck(changes: dict[str, Any], taken: bool) -> None:
    key = replace(make.platform_key("XA-CERT", "XA"), **changes)

    outcome = received(make.sealed(make.envelope()), make.facts(platform_keys={key.fingerprint: key}))

    assert isinstance(outcome, Envelope if taken else Quarantined)
    if not taken:
        assert_quarantined(outcome, "5.12", Reason.UNKNOWN_KEY)


@pytest.mark.parametrize(
    "changes",
    [
        {"payload": canonical.write({"name": {"en": "XC-CERT"}})},
        {"object": "XC-CERT"},
        {"version": Version(1, 2)},
        {"version": Version(2, 1)},
        {"schema": 2},
        {"kind": "team.keys"},
        {"blobs": (make.blob_reference(),)},
    ],
)
def test_5_13_whatever_the_author_did_not_sign_is_quarantined(changes: dict[str, Any]) -> None:
    assert_quarantined(received(make.sealed(make.envelope(**changes))), "5.13", Reason.SIGNATURE)


@pytest.mark.parametrize(
    "changes",
    [{"person": "MOUSSA"}, {"epoch": make.EPOCH - 1}, {"marking": markings.write([Marking(Tlp.CLEAR, "XA")])}],
)
def test_5_13_who_when_and_how_marked_are_signed_too(changes: dict[str, Any]) -> None:
    body = make.envelope()

    altered = replace(body, author=replace(body.author, **changes))

    assert_quarantined(received(make.sealed(altered)), "5.13", Reason.SIGNATURE)


@pytest.mark.parametrize(
    "changes", [{"name": "b.txt"}, {"key": bytes(31) + b"a"}, {"media_type": "text/html"}, {"size_bytes": 11}]
)
def test_5_13_files_cannot_be_renamed_by_who_forwards(changes: dict[str, Any]) -> None:
    body = make.envelope(make.statement(blobs=(make.blob_reference(),)))

    altered = replace(body, blobs=(make.blob_reference(**changes),))

    assert isinstance(received(make.sealed(body)), Envelope)
    assert_quarantined(received(make.sealed(altered)), "5.13", Reason.SIGNATURE)


def test_5_13_signature_from_the_future_waits_for_the_clock() -> None:
    body = make.envelope()
    other = make.statement(payload="{}").signed(make.platform_secret("XA-CERT"))
    wrong = replace(body, author=replace(body.author, signature=other.signature))

    now, an_hour_ago = make.now(), make.now() - timedelta(hours=1)

    assert_quarantined(received(make.sealed(wrong), now=now), "5.13", Reason.SIGNATURE)
    assert received(make.sealed(wrong), now=an_hour_ago, known=True) == Parked("5.13", Reason.CLOCK)


@pytest.mark.parametrize("way", make.WRITTEN)
def test_5_13_signature_that_was_written_otherwise_verifies_and_the_leaf_stays(way: str) -> None:
    body = make.envelope()
    otherwise = make.written_otherwise(body.author.signature, way)

    outcome = received(make.sealed(replace(body, author=replace(body.author, signature=otherwise))))

    assert isinstance(outcome, Envelope)
    assert outcome.author.signature != body.author.signature
    assert author.said_by(outcome).leaf == author.said_by(body).leaf


def test_as_signed_leaves_nothing_that_somebody_else_may_have_added() -> None:
    said = make.statement(blobs=(make.blob_reference(),))
    body = make.envelope(said)
    more = replace(
        body,
        marking=markings.write([Marking(Tlp.GREEN, "XA-CERT"), Marking(Tlp.RED, "XC-CERT")]),
        author=replace(body.author, extra={"x": 1}),
        blobs=(make.blob_reference(extra={"x": 2}),),
        via=("XC",),
        extra={"x": 3},
    )

    assert isinstance(received(make.sealed(more)), Envelope)
    assert author.as_signed(more) == body


def forwarded() -> Envelope:
    """What XC-CERT has written, sent on by XA."""
    return make.envelope(make.statement(team="XC-CERT", object="XC-CERT", person=""), via=("XA",))


def test_5_14_forwarded_by_a_node_that_the_roster_does_not_allow_is_quarantined() -> None:
    assert_quarantined(received(make.sealed(forwarded())), "5.14", Reason.NOT_THERE)


def test_5_14_forwarded_by_a_node_that_the_roster_allows_verifies() -> None:
    body = forwarded()

    outcome = received(make.sealed(body), make.facts(forwarders=frozenset({"XA"})))

    assert outcome == replace(body, sent_at=outcome.sent_at)  # type: ignore[union-attr]
    assert author.is_signed(body, certificate=make.platform_secret("XC-CERT").certificate)


def test_5_14_a_nodes_own_facts_come_back_from_any_peer() -> None:
    body = make.envelope(make.statement(team="XB-CERT", object="XB-CERT"))

    assert isinstance(received(make.sealed(body)), Envelope)


def test_5_14_team_that_lives_nowhere_is_quarantined() -> None:
    assert_quarantined(received(make.sealed(make.envelope()), make.facts(homes={})), "5.14", Reason.NOT_THERE)


@pytest.mark.parametrize(
    "marking",
    [
        "",
        "[]",
        "{}",
        f"[{Marking(Tlp.GREEN, 'XA-CERT').canonical()}, {Marking(Tlp.RED, 'XA-CERT').canonical()}]",
        f"[{Marking(Tlp.GREEN, 'XA-CERT').canonical()},{Marking(Tlp.GREEN, 'XA-CERT').canonical()}]",
        '[{"tlp":"TLP:GREEN"}]',
        markings.write([Marking(Tlp.CLEAR, "XA-CERT")]),  # looser
        markings.write([Marking(Tlp.RED, "XA-CERT")]),  # stricter, but the author's is gone
    ],
)
def test_5_15_marking_that_is_looser_or_no_marking_is_quarantined(marking: str) -> None:
    assert_quarantined(received(make.sealed(make.envelope(marking=marking))), "5.15", Reason.MARKING)


def test_5_15_marking_that_adds_to_the_authors_is_taken() -> None:
    added = markings.write(
        [Marking(Tlp.GREEN, "XA-CERT"), Marking(Tlp.AMBER, "XC-CERT", Audience.of(teams=["XB-CERT"]))]
    )

    assert isinstance(received(make.sealed(make.envelope(marking=added))), Envelope)


def test_5_16_what_no_team_here_may_have_is_refused() -> None:
    judge = make.LenientJudge(entitled=lambda marked: all(one.tlp <= Tlp.CLEAR for one in marked))

    assert received(make.sealed(make.envelope()), judge=judge) == Refused("5.16", Reason.NOT_ENTITLED)


def test_5_17_of_somebody_elses_object_is_quarantined() -> None:
    outcome = received(make.sealed(make.envelope()), judge=make.LenientJudge(owned=False))

    assert_quarantined(outcome, "5.17", Reason.NOT_OWNER)


def test_5_18_kind_unknown_here_is_parked() -> None:
    outcome = received(make.sealed(make.envelope()), judge=make.LenientJudge(kinds=()))

    assert outcome == Parked("5.18", Reason.KIND)


@pytest.mark.parametrize("payload", ["", '{"a": 1}', '{"a":1,"a":1}', "[" * 33 + "]" * 33, "1.5"])
def test_5_19_payload_that_is_not_canonical_is_quarantined_and_holds_later_versions(payload: str) -> None:
    body = make.envelope(make.statement(payload=payload))

    assert_quarantined(received(make.sealed(body)), "5.19", Reason.PAYLOAD, holds=True)


def test_5_19_payload_that_does_not_fit_its_kind_is_quarantined_and_holds_later_versions() -> None:
    outcome = received(make.sealed(make.envelope()), judge=make.LenientJudge(fitting=False))

    assert_quarantined(outcome, "5.19", Reason.PAYLOAD, holds=True)


def test_examine_a_receipt_is_the_programs_own_fault() -> None:
    content = make.receipt().written()
    body = Authentic.stored(content, signer="")

    with pytest.raises(ValueError, match="no envelope"):
        trust.examine(body, make.facts(), make.LenientJudge(), now=make.now())


def test_received_unknown_fields_are_kept_and_written_again() -> None:
    fields = make.envelope(make.statement(blobs=(make.blob_reference(),))).fields()
    fields |= {"colour": {"r": [1, None, True]}}
    fields["author"]["badge"] = "é"
    fields["blobs"][0]["hint"] = "x"

    outcome = received(make.sealed_said(fields))

    assert isinstance(outcome, Envelope)
    assert (outcome.extra, outcome.author.extra, outcome.blobs[0].extra) == (
        {"colour": {"r": [1, None, True]}},
        {"badge": "é"},
        {"hint": "x"},
    )
    assert outcome.written() == canonical.write(fields).encode()


def test_sealed_bytes_hold_nothing_of_the_content() -> None:
    planted = "PLANTED-MARKER-7c1f"
    said_ = make.statement(payload=canonical.write({"secret": planted}), object=planted, person=planted)

    sealed = make.sealed(make.envelope(said_))

    for marker in (planted, "XA-CERT", make.INCARNATION, "TLP:GREEN", "team.profile"):
        assert marker.encode() not in sealed.data


def assert_junk(outcome: Outcome, check: str, reason: JunkReason) -> None:
    assert isinstance(outcome, Junk), outcome
    assert (outcome.check, outcome.reason) == (check, reason)


def assert_quarantined(outcome: Outcome, check: str, reason: Reason, *, holds: bool = False) -> None:
    assert isinstance(outcome, Quarantined), outcome
    assert (outcome.check, outcome.reason, outcome.holds) == (check, reason, holds)


def signed_message(content: bytes) -> bytes:
    """As the library signs without encrypting: what it would encrypt, in the open."""
    return pysequoia.sign(make.node_secret("XA").signer(), content, armor=False)
