from __future__ import annotations

import polars as pl
import pytest

from tansiq.addresses.names import clean_hostnames, registered_domains, split_urls


def clean(text: str | None) -> str | None:
    name: str | None = clean_hostnames(pl.Series([text], dtype=pl.String))[0]
    return name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("WWW.Agency.EXAMPLE.", "www.agency.example"),
        ("_dmarc.x_y.example", "_dmarc.x_y.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("تونس.example", "xn--pgbs0dh.example"),
        ("xn--pgbs0dh.example", "xn--pgbs0dh.example"),
        ("a。example", "a.example"),
        ("localhost", "localhost"),
        ("a" * 63 + ".example", "a" * 63 + ".example"),
        ("3.example", "3.example"),
    ],
)
def test_clean_hostnames_a_name_gets_its_one_form(text: str, name: str) -> None:
    assert clean(text) == name


NO_NAMES = [
    ".",
    "..",
    "a..example",
    ".example",
    "-a.example",
    "a-.example",
    "*.example",
    "a/b.example",
    "192.0.2.1",
    "192.0.2.1.",
    "2001:db8::1",
    "x.0x7f",
    "7",
]
LONG = ["a" * 64 + ".example", "ü" * 64 + ".example", ".".join(["a" * 60] * 5)]


@pytest.mark.parametrize("text", [None, "", "a b.example", "a\n.example", *NO_NAMES, *LONG])
def test_clean_hostnames_what_is_no_name_is_null(text: str | None) -> None:
    assert clean(text) is None


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("www.agency.gov.ma", "agency.gov.ma"),
        ("gov.ma", None),
        ("x.co.uk", "x.co.uk"),
        ("a.b.unlisted", "b.unlisted"),
        ("single", None),
        ("www.ck", "www.ck"),
        ("a.b.c.ck", "b.c.ck"),
        ("me.github.io", "me.github.io"),
        ("github.io", None),
        (None, None),
    ],
)
def test_registered_domains_a_host_gives_suffix_and_one_label(host: str | None, domain: str | None) -> None:
    got = registered_domains(pl.Series("h", ["first.example", host], dtype=pl.String))

    assert got.to_list() == ["first.example", domain]
    assert got.name == "h"


@pytest.mark.parametrize(
    ("url", "scheme", "host", "address", "port"),
    [
        ("http://User:p%40ss@WWW.x.example:8080/a?u=http://y.example/", "http", "www.x.example", None, 8080),
        ("www.x.example/path?u=http://y.example", None, "www.x.example", None, None),
        ("x.example:443", None, "x.example", None, 443),
        ("hxxps://evil[.]x[.]example/a", "https", "evil.x.example", None, None),
        ("hXXp[:]//192[.]0[.]2[.]1:81/", "http", None, "192.0.2.1", 81),
        ("https://evil(dot)example/", "https", "evil.example", None, None),
        ("http://[2001:DB8::1]:81/x", "http", None, "2001:db8::1", 81),
        ("http://[::ffff:192.0.2.1]/", "http", None, "192.0.2.1", None),
        ("2001:db8::1", None, None, "2001:db8::1", None),
        (r"http:\\x.example\b", "http", "x.example", None, None),
        ("//x.example/b", None, "x.example", None, None),
        ("ftp://bücher.example/", "ftp", "xn--bcher-kva.example", None, None),
        ("http://a@b@x.example#f@g", "http", "x.example", None, None),
        ("http://x.example:99999/", "http", "x.example", None, None),
        ("http://x.example:/", "http", "x.example", None, None),
        ("  http://x.example  ", "http", "x.example", None, None),
        ("http:///path", "http", "path", None, None),
        ("http://", "http", None, None, None),
        ("http://exa mple/", "http", None, None, None),
        ("", None, None, None, None),
        (None, None, None, None, None),
    ],
)
def test_split_urls_whatever_reports_hold_is_taken_apart(
    url: str | None, scheme: str | None, host: str | None, address: str | None, port: int | None
) -> None:
    got = split_urls(pl.Series([url, "http://last.example/"], dtype=pl.String))

    assert got.row(0) == (scheme, host, address, port)
    assert got.row(1) == ("http", "last.example", None, None)


def test_split_urls_columns_have_their_types_without_any_row() -> None:
    got = split_urls(pl.Series([], dtype=pl.String))

    assert got.schema == {"scheme": pl.String, "host": pl.String, "address": pl.String, "port": pl.UInt16}
