"""Laws of bodies: what is sealed is what is opened, and nobody else's bytes become an envelope."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factories import exchange as make
from tansiq.core.marking import Marking, Tlp
from tansiq.exchange import author, canonical, markings, trust
from tansiq.exchange.body import Envelope, Lane, ObjectState, Receipt, Skip, State, Version
from tansiq.exchange.seal import Junk, Sealed, Unsealed, unsealed
from tansiq.exchange.trust import Authentic, Parked, Quarantined, Refused
from tansiq.exchange.values import LARGEST, Unfit

texts = st.text(st.characters(codec="utf-8"), max_size=20)
wholes = st.integers(-LARGEST, LARGEST)
json_values = st.recursive(
    st.none() | st.booleans() | wholes | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=25,
)
versions = st.builds(Version, st.integers(0, LARGEST), st.integers(0, LARGEST))
known_here = make.facts(forwarders=frozenset({"XA"}))


@st.composite
def envelopes(draw: st.DrawFn) -> Envelope:
    team = draw(st.sampled_from(["XA-CERT", "XC-CERT"]))
    authors = draw(st.sets(st.sampled_from(Tlp), min_size=1))
    added = draw(st.sets(st.sampled_from(Tlp)))
    said = make.statement(
        team=team,
        person=draw(st.sampled_from(["", "AMINA", "P-1"])),
        object=draw(st.from_regex(r"[A-Za-z0-9._:-]{1,128}", fullmatch=True)),
        version=draw(versions.filter(any)),  # 0.0 is none
        epoch=draw(st.integers(1, make.EPOCH)),
        marking=markings.write([Marking(tlp, "XA-CERT") for tlp in authors]),
        payload=canonical.write(draw(json_values)),
        blobs=tuple(draw(st.lists(st.builds(make.blob_reference, size_bytes=st.integers(0, 2**31)), max_size=3))),
    )
    return make.envelope(
        said,
        marking=markings.write([Marking(tlp, "XA-CERT") for tlp in authors | added]),
        seq=draw(st.integers(2, LARGEST)),
        prev=draw(st.from_regex(r"[0-9a-f]{64}", fullmatch=True)),
        lane=draw(st.sampled_from(Lane)),
        via=("XA",) if team == "XC-CERT" else (),
        extra=draw(st.dictionaries(texts.map("x-".__add__), json_values, max_size=3)),
    )


@st.composite
def receipts(draw: st.DrawFn) -> Receipt:
    edges = sorted(draw(st.sets(st.integers(1, 10_000), max_size=20)))
    through = draw(st.integers(0, 1000))
    gaps, at = [], through
    for low, high in zip(edges[::2], edges[1::2], strict=False):
        gaps.append((at + 1 if not gaps else at + low, at + high))
        at += high + 1
    objects = st.builds(
        ObjectState,
        object=st.from_regex(r"[A-Za-z0-9._:-]{1,128}", fullmatch=True),
        version=versions,
        state=st.just(State.QUARANTINED),
        reason=st.sampled_from(["payload", "author.signature"]),
    )
    return make.receipt(
        through=through,
        gaps=tuple(gaps),
        highest=at if gaps else through,
        objects=tuple(draw(st.lists(objects, max_size=5))),
    )


skips = st.builds(lambda seq, count: make.skip(seq=seq, last=seq + count), st.integers(2, 10**9), st.integers(0, 10**6))


def opened(sealed: Sealed) -> Unsealed | Junk:
    return unsealed(sealed, by=[make.node_secret("XB")], signers=known_here.believed_certificates())


Outcome = Envelope | Skip | Receipt | Junk | Parked | Refused | Quarantined


def judged(content: bytes) -> Outcome:
    """What becomes of bytes that XA has signed."""
    body = trust.authenticate(Unsealed(content, make.node_secret("XA").fingerprint), known_here)
    if isinstance(body, Junk):
        return body
    admitted = trust.admit(body, known_here, now=make.now())
    if not isinstance(admitted, Authentic):
        return admitted
    if isinstance(admitted.head, Skip | Receipt):
        return admitted.head
    return trust.examine(admitted, known_here, make.LenientJudge(), now=make.now())


@settings(deadline=None, max_examples=150)
@given(st.one_of(envelopes(), skips, receipts()))
def test_body_built_sealed_and_opened_is_the_same(body: Envelope | Skip | Receipt) -> None:
    found = opened(make.sealed(body))

    assert isinstance(found, Unsealed)
    assert found.content == body.written()
    back = judged(found.content)
    assert isinstance(back, type(body)), back
    assert back.written() == body.written()
    assert back.digest == body.digest


def test_sealed_bytes_with_any_bit_flipped_are_never_another_body() -> None:
    sealed = make.sealed(make.skip()).data
    original = opened(Sealed(sealed))
    assert isinstance(original, Unsealed)

    outcomes = [opened(Sealed(flipped(sealed, bit))) for bit in range(len(sealed) * 8)]

    assert {outcome for outcome in outcomes if isinstance(outcome, Unsealed)} <= {original}
    assert sum(isinstance(outcome, Junk) for outcome in outcomes) > 0.9 * len(outcomes)


def flipped(data: bytes, bit: int) -> bytes:
    altered = bytearray(data)
    altered[bit // 8] ^= 1 << bit % 8
    return bytes(altered)


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_sealed_bytes_cut_or_spliced_are_junk(data: st.DataObject) -> None:
    one, other = (make.sealed(make.envelope()).data for _ in range(2))
    cut = data.draw(st.integers(0, len(one) - 1))

    outcomes = [opened(Sealed(one[:cut])), opened(Sealed(one[:cut] + other[cut:]))]

    assert isinstance(outcomes[0], Junk)
    assert isinstance(outcomes[1], Junk) or outcomes[1] in (opened(Sealed(one)), opened(Sealed(other)))


@settings(deadline=None, max_examples=300)
@given(json_values)
def test_canonical_text_says_its_value_and_no_other_text_does(value: Any) -> None:
    text = canonical.write(value)

    assert canonical.read_canonical(text.encode()) == value
    assert canonical.write(json.loads(text)) == text
    assert canonical.write(reversed_names(value)) == text


def reversed_names(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: reversed_names(value[name]) for name in reversed(value)}
    return [reversed_names(item) for item in value] if isinstance(value, list) else value


@settings(deadline=None, max_examples=500)
@given(st.one_of(st.binary(max_size=200), texts.map(str.encode), json_values.map(json.dumps).map(str.encode)))
def test_read_takes_any_bytes_and_says_what_the_standard_reader_says(data: bytes) -> None:
    try:
        value = canonical.read(data)
    except Unfit:
        return

    assert value == json.loads(data)
    assert canonical.read_canonical(canonical.write(value).encode()) == value


@st.composite
def altered_bodies(draw: st.DrawFn) -> dict[str, Any]:
    """Fields of an honest body, some of them replaced, taken away or added, at any depth."""
    fields = json.loads(draw(st.sampled_from([make.envelope(), make.skip(), make.receipt()])).written())
    for _ in range(draw(st.integers(1, 3))):
        at = fields
        while True:
            name = draw(st.sampled_from(sorted(at)) | texts)
            if isinstance(at.get(name), dict) and at[name] and draw(st.booleans()):
                at = at[name]
                continue
            break
        if draw(st.booleans()):
            at.pop(name, None)
        else:
            at[name] = deepcopy(draw(json_values | st.sampled_from([*fields.values(), "XB", "XC", 2**53, -1, [], {}])))
    return fields


@settings(deadline=None, max_examples=500, suppress_health_check=[HealthCheck.too_slow])
@given(altered_bodies())
def test_bodies_of_any_fields_are_judged_and_only_what_was_signed_comes_through(fields: dict[str, Any]) -> None:
    try:
        content = canonical.write(fields).encode()
    except (TypeError, ValueError):
        content = json.dumps(fields).encode()

    outcome = judged(content)

    if isinstance(outcome, Envelope):
        assert author.is_signed(outcome, certificate=make.platform_secret("XA-CERT").certificate)
        assert author.said_by(outcome).encoded() == make.statement().encoded()
    if isinstance(outcome, Envelope | Skip | Receipt):
        assert outcome.written() == content


@settings(deadline=None, max_examples=60)
@given(envelopes(), st.sampled_from(["payload", "object", "version", "kind", "schema", "blobs"]))
def test_forwarder_that_alters_anything_the_author_signed_is_found_out(body: Envelope, what: str) -> None:
    other = {
        "payload": body.payload + " ",
        "object": body.object[:-1] + ("a" if body.object[-1] != "a" else "b"),
        "version": Version(body.version.term, (body.version.n + 1) % LARGEST),
        "kind": "team.keys",
        "schema": 2,
        "blobs": (*body.blobs[1:], make.blob_reference(name="other")),
    }

    outcome = judged(replace(body, **{what: other[what]}).written())

    assert isinstance(outcome, Quarantined)
    assert outcome.check == "5.13"


@settings(deadline=None, max_examples=100)
@given(st.sets(st.sampled_from(Tlp), min_size=1), st.sets(st.sampled_from(Tlp), min_size=1))
def test_marking_that_takes_away_any_of_the_authors_is_refused(authors: set[Tlp], carried: set[Tlp]) -> None:
    def marked(labels: set[Tlp]) -> str:
        return markings.write([Marking(label, "XA-CERT") for label in labels])

    body = make.envelope(make.statement(marking=marked(authors)), marking=marked(carried))

    outcome = judged(body.written())

    if authors <= carried:
        assert isinstance(outcome, Envelope)
    else:
        assert outcome == Quarantined("5.15", trust.Reason.MARKING, "looser than the author's")
