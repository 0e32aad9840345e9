"""Registered domains against the package whose list we read."""

from __future__ import annotations

from functools import cache

import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st
from publicsuffixlist import PublicSuffixList

from tansiq.addresses.names import clean_hostnames, registered_domains, split_urls


@cache
def yardstick() -> PublicSuffixList:
    return PublicSuffixList()


@cache
def suffixes() -> list[str]:
    """Every rule of the list as a name, so that each is met with and without labels before it."""
    rules = (rule.removeprefix("!").removeprefix("*.") for rule in yardstick()._publicsuffix)
    return sorted({rule for rule in rules if rule.isascii()})


LABEL = st.text(alphabet="abcwxyz019-_", min_size=1, max_size=4) | st.sampled_from(["www", "com", "ck", "kawasaki"])
HOST = st.builds(
    lambda labels, suffix: ".".join([*labels, *([suffix] if suffix else [])]),
    st.lists(LABEL, max_size=4),
    st.deferred(lambda: st.sampled_from(suffixes())) | st.sampled_from(["", "example", "unlisted.example"]),
).filter(bool)


@given(st.lists(HOST | st.none(), max_size=30))
@example(["www.ck", "a.www.ck", "b.ck", "a.b.ck", "ck", "city.kawasaki.jp", "a.city.kawasaki.jp", "x.kawasaki.jp"])
@example([None, None])
@example([])
def test_registered_domains_any_host_agrees_with_publicsuffixlist(hosts: list[str | None]) -> None:
    got = registered_domains(pl.Series("hostname", hosts, dtype=pl.String))

    assert got.to_list() == [host and yardstick().privatesuffix(host) for host in hosts]


def test_registered_domains_every_rule_of_the_list_agrees_with_publicsuffixlist() -> None:
    hosts = [prefix + suffix for suffix in suffixes() for prefix in ("", "a.", "b.a.")]

    got = registered_domains(pl.Series(hosts))

    assert got.to_list() == [yardstick().privatesuffix(host) for host in hosts]


@given(st.lists(st.text(max_size=20) | HOST | st.none()))
def test_clean_hostnames_any_text_twice_is_once(texts: list[str | None]) -> None:
    once = clean_hostnames(pl.Series(texts, dtype=pl.String))

    assert clean_hostnames(once).to_list() == once.to_list()
    assert all(name.isascii() and name == name.lower() and 0 < len(name) <= 253 for name in once.drop_nulls())


@given(st.lists(st.text(max_size=40)))
def test_split_urls_any_text_keeps_rows_and_gives_clean_parts(texts: list[str]) -> None:
    parts = split_urls(pl.Series(texts, dtype=pl.String))

    assert len(parts) == len(texts)
    assert clean_hostnames(parts["host"]).equals(parts["host"])
    assert not (parts["host"].is_not_null() & parts["address"].is_not_null()).any()
