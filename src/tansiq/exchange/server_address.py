"""The address of a message server: encrypted, or on this machine. Pure, and read before anything is connected."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

ALLOWED = "tls://backbone.example:4222, nats://127.0.0.1:4222"


def is_server(url: str) -> bool:
    """Nothing may come before an @: a server knows its nodes by their keys."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    return "@" not in url and bool(host) and (parts.scheme == "tls" or (parts.scheme == "nats" and _is_here(host)))


def is_listened_at(value: str) -> bool:
    """``address:port`` of this machine; of IPv6 in brackets."""
    try:
        parts = urlsplit(f"//{value}")
        return bool(parts.hostname and parts.port) and parts.netloc == value and "@" not in value
    except ValueError:
        return False


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
