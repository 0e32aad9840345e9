"""Where a request comes from."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from tansiq.web.signin import proxies

PROXIES = (ip_network("10.0.0.0/8"), ip_network("2001:db8:ffff::/48"))


@pytest.fixture(autouse=True)
def _django() -> None:
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tansiq.settings")


@pytest.mark.parametrize(
    "peer, forwarded, expected",
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.9", "192.0.2.1"),
        ("10.0.0.1", "198.51.100.9", "198.51.100.9"),
        ("10.0.0.1", "203.0.113.1, 198.51.100.9", "198.51.100.9"),
        ("10.0.0.1", "203.0.113.1, 198.51.100.9, 10.1.1.1", "198.51.100.9"),
        ("10.0.0.1", "10.2.2.2", "10.2.2.2"),
        ("10.0.0.1", "no address", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("2001:db8:ffff::1", "2001:db8::7", "2001:db8::7"),
        ("::ffff:10.0.0.1", "198.51.100.9", "198.51.100.9"),
        ("", "198.51.100.9", "0.0.0.0"),
    ],
)
def test_nearest_untrusted_address_is_the_clients(peer: str, forwarded: str, expected: str) -> None:
    from tansiq.web.signin.address import nearest_untrusted

    assert nearest_untrusted(peer, forwarded, PROXIES) == expected


@pytest.mark.parametrize(
    "address, host, network",
    [
        ("192.0.2.77", "192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64", "2001:db8:1::/48"),
    ],
)
def test_host_and_network_of_an_address(address: str, host: str, network: str) -> None:
    from tansiq.web.signin.address import host_of, network_of

    assert (host_of(address), network_of(address)) == (host, network)


def test_proxies_are_read_from_a_list() -> None:
    assert proxies.read("10.0.0.0/8, 2001:db8::1") == (ip_network("10.0.0.0/8"), ip_network("2001:db8::1/128"))


def test_proxies_that_are_no_networks_are_refused() -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0\.1/8"):
        proxies.read("10.0.0.1/8")
