"""Where a request comes from: the peer, or what trusted proxies say stands behind them."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

from tansiq.web.signin.proxies import Network

UNKNOWN = "0.0.0.0"  # a peer without an address: a socket in the file system


def client_address(request: HttpRequest) -> str:
    """The nearest address of the chain that is not one of ``TANSIQ_PROXIES``; what stands beyond it may be invented."""
    peer = request.META.get("REMOTE_ADDR", "")
    return nearest_untrusted(peer, request.headers.get("X-Forwarded-For", ""), settings.PROXIES)


def nearest_untrusted(peer: str, forwarded: str, proxies: Sequence[Network]) -> str:
    address = read(peer)
    if address is None:
        return UNKNOWN
    for said in reversed(forwarded.split(",")):
        if not any(address in network for network in proxies if network.version == address.version):
            break
        nearer = read(said)
        if nearer is None:
            break
        address = nearer
    return str(address)


def read(said: str) -> IPv4Address | IPv6Address | None:
    """An address as peers and proxies write it; IPv4 within IPv6 is the IPv4 address."""
    try:
        address = ip_address(said.strip().removeprefix("[").removesuffix("]").partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def host_of(address: str) -> str:
    """What one household has: an IPv4 address, or the 64 bits of an IPv6 subnet."""
    return _within(address, 32, 64)


def network_of(address: str) -> str:
    """What one site has: an IPv4 /24, an IPv6 /48."""
    return _within(address, 24, 48)


def _within(address: str, v4: int, v6: int) -> str:
    length = v6 if ":" in address else v4
    network = ip_network((address, length), strict=False)
    return str(network if length < 32 or isinstance(network, IPv6Network) else network.network_address)
