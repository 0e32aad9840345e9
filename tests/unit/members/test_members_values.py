"""What a claim may name, and how it is spelled."""

from __future__ import annotations

import pytest

from tansiq.members import values


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("192.0.2.7/32", "192.0.2.7/32"),
        ("2001:DB8:0:0::/32", "2001:db8::/32"),
        ("2001:db8::1/128", "2001:db8::1/128"),
        ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
        ("::ffff:192.0.2.1/128", "192.0.2.1/32"),
    ],
)
def test_prefix_well_formed_is_spelled_one_way(written: str, canonical: str) -> None:
    assert values.canonical("cidr", written) == canonical


@pytest.mark.parametrize(
    "written",
    [
        "192.0.2.0",
        "192.0.2.0/33",
        "192.0.2.0/",
        "192.0.2.0/ 24",
        "192.0.2.0/024",
        "192.0.2/24",
        "192.0.2.00/24",
        "2001:db8::/129",
        "2001:db8::%eth0/64",
        "",
        "a/8",
        "192.0.2.0/24\0",
        "١٩٢.0.2.0/24",
        "192.0.2.0/２４",
        24,
        None,
    ],
)
def test_prefix_malformed_is_refused(written: object) -> None:
    with pytest.raises(values.BadPrefix):
        values.canonical("cidr", written)


def test_prefix_with_host_bits_is_refused_with_the_network_and_the_host() -> None:
    with pytest.raises(values.HostBits) as refused:
        values.canonical("cidr", "192.0.2.65/26")

    assert refused.value.values == {"value": "192.0.2.65/26", "network": "192.0.2.64/26", "host": "192.0.2.65/32"}


@pytest.mark.parametrize("written", ["0.0.0.0/0", "::/0", "::ffff:0:0/96"])
def test_prefix_of_everything_is_refused(written: str) -> None:
    with pytest.raises(values.WholeInternet):
        values.canonical("cidr", written)


@pytest.mark.parametrize("written", [64496, "64496", "AS64496", "as64496"])
def test_asn_in_any_spelling_is_plain_decimal(written: object) -> None:
    assert values.canonical("asn", written) == "64496"


def test_asn_highest_assignable_is_taken() -> None:
    assert values.canonical("asn", 4294967294) == "4294967294"


@pytest.mark.parametrize("written", [-1, 4294967296, True, 1.0, "1.10", "", "AS", "٦٤٤٩٦", [64496]])
def test_asn_that_is_none_is_refused(written: object) -> None:
    with pytest.raises(values.BadAsn):
        values.canonical("asn", written)


@pytest.mark.parametrize("written", [0, 23456, 4294967295])
def test_asn_reserved_is_refused(written: int) -> None:
    with pytest.raises(values.ReservedAsn):
        values.canonical("asn", written)


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("Gov.Example.", "gov.example"),
        ("المغرب.Example", "xn--mgbc0a9azcg.example"),
        ("_dmarc.cert.example", "_dmarc.cert.example"),
    ],
)
def test_domain_is_lower_case_a_labels(written: str, canonical: str) -> None:
    assert values.canonical("domain", written) == canonical


@pytest.mark.parametrize(
    "written",
    [
        "",
        ".",
        "*.gov.example",
        "gov..example",
        "-a.example",
        "a-.example",
        "https://gov.example/",
        "gov.example:80",
        "a b.example",
        "192.0.2.1",
        "a" * 64 + ".example",
        "a." * 127 + "example",
        "gov.example\0",
        "ا" * 64 + ".example",
        7,
    ],
)
def test_domain_malformed_is_refused(written: object) -> None:
    with pytest.raises(values.BadDomain):
        values.canonical("domain", written)


@pytest.mark.parametrize("written", ["gov.af", "com.my", "af", "المغرب", "gov.example"])
def test_domain_that_is_a_registry_suffix_of_a_country_is_taken(written: str) -> None:
    assert values.canonical("domain", written)


@pytest.mark.parametrize("written", ["com", "example", "github.io", "gov"])
def test_domain_under_which_anybody_has_names_is_refused(written: str) -> None:
    with pytest.raises(values.OpenSuffix):
        values.canonical("domain", written)


def test_domain_under_which_anybody_has_names_is_taken_with_a_decision() -> None:
    assert values.canonical("domain", "gov", decided=True) == "gov"


@pytest.mark.parametrize("written", ["MA", "XA", "XK"])
def test_country_code_is_taken(written: str) -> None:
    assert values.canonical("country", written) == written


@pytest.mark.parametrize("written", ["ma", "UK", "EU", "ZZ", "AP", "MAR", "", "М А", 7])
def test_country_that_is_no_code_is_refused(written: object) -> None:
    with pytest.raises(values.BadCountry):
        values.canonical("country", written)


def test_shown_value_is_short_and_on_one_line() -> None:
    assert (
        values.shown("a\nb\x1b[31m" + "c" * 200)
        == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}[31m" + "c" * 72
    )
