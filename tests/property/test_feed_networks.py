"""Networks in columns agree with the standard library, network by network."""

from __future__ import annotations

from ipaddress import ip_network

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from tansiq.feeds.parsers.networks import canonical_networks

WRITTEN = st.one_of(
    st.tuples(st.ip_addresses(v=4), st.integers(0, 40)),
    st.tuples(st.ip_addresses(v=6).filter(lambda a: a.ipv4_mapped is None), st.integers(0, 140)),
).map(lambda pair: f"{pair[0]}/{pair[1]}")


def plainly(text: str | None) -> str | None:
    try:
        return str(ip_network(text or "", strict=False)) if "/" in (text or "") else None
    except ValueError:
        return None


@given(st.lists(st.none() | WRITTEN | st.sampled_from(["192.0.2.1", "x/24", "192.0.2.0/", "/24", "1.2.3/8"])))
def test_networks_are_those_of_the_standard_library(texts: list[str | None]) -> None:
    found = canonical_networks(pl.Series("network", texts, dtype=pl.String))

    assert found.to_list() == [plainly(text) for text in texts]
