"""Labels and markings: what is written, read and refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tansiq.core.marking import (
    UNMARKED,
    Audience,
    BadMarking,
    Marking,
    NoSuchLabel,
    Pap,
    RedNamesTeams,
    Tlp,
    weakest_label_for,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WRITTEN = (
    '{"audience":{"persons":["P-MOUSSA"],"teams":["XE-CERT","XF-CERT"]},"embargo_until":"2026-03-01T12:00:00.000Z",'
    '"note":"à lire","origin":"XA-CERT","pap":"PAP:AMBER","tlp":"TLP:AMBER+STRICT"}'
)
MARKING = Marking(
    Tlp.AMBER_STRICT,
    "XA-CERT",
    Audience.of(teams=["XF-CERT", "XE-CERT"], persons=["P-MOUSSA"]),
    NOON,
    Pap.AMBER,
    "à lire",
)


def test_labels_are_written_as_the_standard_writes_them_in_its_order() -> None:
    written = [tlp.label for tlp in sorted(Tlp)]

    assert written == ["TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"]
    assert [Tlp.parse(label) for label in written] == sorted(Tlp)


def test_label_of_the_former_version_is_clear() -> None:
    assert (Tlp.parse("TLP:WHITE"), Pap.parse("PAP:WHITE")) == (Tlp.CLEAR, Pap.CLEAR)


@pytest.mark.parametrize("text", ["", "AMBER", "tlp:amber", "TLP: AMBER", "TLP:AMBER_STRICT", "TLP:RED ", "PAP:RED"])
def test_label_written_otherwise_is_refused(text: str) -> None:
    with pytest.raises(BadMarking, match="TLP:AMBER\\+STRICT"):
        Tlp.parse(text)


def test_canonical_form_is_one_text_and_its_hash_the_id() -> None:
    assert MARKING.canonical() == WRITTEN
    assert MARKING.marking_id == "eac02a3a9bc2533f58050cf9f6f13523"


def test_marking_read_from_other_spacing_and_order_is_the_same() -> None:
    spaced = WRITTEN.replace(",", " ,\n").replace('"XE-CERT" ,\n"XF-CERT"', '"XF-CERT", "XE-CERT"')

    assert Marking.read(spaced) == MARKING


def test_embargo_of_another_zone_is_the_same_marking() -> None:
    in_riyadh = NOON.astimezone(timezone(timedelta(hours=3)))

    assert Marking(Tlp.CLEAR, "XA-CERT", embargo_until=in_riyadh).marking_id == (
        Marking(Tlp.CLEAR, "XA-CERT", embargo_until=NOON).marking_id
    )


def test_embargo_is_written_in_milliseconds_and_means_what_is_written() -> None:
    marking = Marking(Tlp.CLEAR, "XA-CERT", embargo_until=NOON.replace(microsecond=500_999))

    assert '"embargo_until":"2026-03-01T12:00:00.500Z"' in marking.canonical()
    assert Marking.read(marking.canonical()) == marking


def test_note_with_marks_of_direction_is_taken() -> None:
    note = "\u200fلا تُرسل إلى XF-CERT\u200e"

    assert Marking.read(Marking(Tlp.GREEN, "XA-CERT", note=note).canonical()).note == note


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('"tlp":"TLP:AMBER+STRICT"', '"tlp":"TLP:PURPLE"'),
        ('"tlp":"TLP:AMBER+STRICT"', '"tlp":3'),
        (',"tlp":"TLP:AMBER+STRICT"', ""),
        ('"tlp":"TLP:AMBER+STRICT"', '"tlp":"TLP:RED","tlp":"TLP:CLEAR"'),
        ('"tlp":"TLP:AMBER+STRICT"', '"tlp":"TLP:CLEAR","more":1'),
        ('"pap":"PAP:AMBER"', '"pap":"TLP:AMBER"'),
        ('"origin":"XA-CERT"', '"origin":""'),
        ('"origin":"XA-CERT"', '"origin":"xa-cert"'),
        ('"teams":["XE-CERT","XF-CERT"]', '"teams":"XE-CERT"'),
        ('"teams":["XE-CERT","XF-CERT"]', '"teams":[1]'),
        ('["P-MOUSSA"]', '[""]'),
        ("2026-03-01T12:00:00.000Z", "2026-03-01T12:00:00.000"),
        ("2026-03-01T12:00:00.000Z", "2026-03-01T12:00:00Z"),
        ("2026-03-01T12:00:00.000Z", "2026-03-01T12:00:00.0Z"),
        ("2026-03-01T12:00:00.000Z", "2026-03-01T12:00:00.000000Z"),
        ("2026-03-01T12:00:00.000Z", "2026-03-01T12:00:00.000+03:00"),
        ("2026-03-01T12:00:00.000Z", "2026-13-01T12:00:00.000Z"),
        ("à lire", "à\\nlire"),
        ("à lire", "\\ud800"),
        ("à lire", "\\u202egnp.exe"),
        ("à lire", "\\u2067gnp.exe\\u2069"),
        ("à lire", "x" * 1001),
        ("{", "["),
        ('{"audience"', "[" * 5000 + '{"audience"'),
    ],
)
def test_marking_that_is_not_wholly_understood_is_refused(right: str, wrong: str) -> None:
    assert right in WRITTEN

    with pytest.raises(BadMarking):
        Marking.read(WRITTEN.replace(right, wrong, 1))


def test_marking_longer_than_any_is_refused_unread() -> None:
    with pytest.raises(BadMarking, match="200000 characters"):
        Marking.read(" " * 200_001)


def test_red_that_names_teams_is_refused_and_says_which() -> None:
    with pytest.raises(RedNamesTeams, match="names the teams XE-CERT, XF-CERT"):
        Marking(Tlp.RED, "XA-CERT", Audience.of(teams=["XF-CERT", "XE-CERT"]))


def test_embargo_without_a_zone_is_refused() -> None:
    with pytest.raises(BadMarking, match="embargo_until"):
        Marking(Tlp.CLEAR, "XA-CERT", embargo_until=datetime(2026, 3, 1))


def test_audience_of_more_than_a_thousand_is_refused() -> None:
    with pytest.raises(BadMarking, match="1001"):
        Marking(Tlp.AMBER, "XA-CERT", Audience.of(teams=[f"X-{number}" for number in range(1001)]))


def test_unmarked_is_red_to_the_origin_alone() -> None:
    assert UNMARKED("XA-CERT") == Marking(Tlp.RED, "XA-CERT", Audience())


@pytest.mark.parametrize(
    ("label", "written"),
    [(Tlp.CLEAR, Tlp.CLEAR), (Tlp.AMBER, Tlp.AMBER), (Tlp.AMBER_STRICT, Tlp.RED), (Tlp.RED, Tlp.RED)],
)
def test_label_for_a_format_of_four_labels_never_weakens(label: Tlp, written: Tlp) -> None:
    assert weakest_label_for(label, {Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER, Tlp.RED}) is written


def test_label_for_a_format_without_one_as_strict_is_refused() -> None:
    with pytest.raises(NoSuchLabel, match="as strict as TLP:AMBER\\+STRICT"):
        weakest_label_for(Tlp.AMBER_STRICT, {Tlp.CLEAR, Tlp.AMBER})
