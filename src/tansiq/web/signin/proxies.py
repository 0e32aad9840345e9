"""Which peers may say for whom they speak: read once by the settings, without anything of the framework."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network

Network = IPv4Network | IPv6Network


def read(listed: str) -> tuple[Network, ...]:
    """``10.0.0.0/8, 2001:db8::1``.

    Raises: ValueError, when one of them is neither a network nor an address.
    """
    return tuple(ip_network(part.strip()) for part in listed.split(",") if part.strip())
