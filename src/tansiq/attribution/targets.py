"""What people ask about: an address, a network, a name, a URL, an AS or a country, however they wrote it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final
from urllib.parse import urlsplit

from tansiq.core.errors import N_, TansiqError

AS: Final = re.compile(r"as ?(\d{1,10})", re.IGNORECASE)
COUNTRY: Final = re.compile(r"[a-z]{2}", re.IGNORECASE)
NUMBER: Final = re.compile(r"\d+|0x[0-9a-f]*")
LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
DEFANGED: Final = {"[.]": ".", "(.)": ".", "[:]": ":", "[://]": "://", "hxxp": "http"}


class BadTarget(TansiqError):
    """The question is none of the things that can be looked up."""

    code = "attribution.target.bad"
    message = N_("{target} is no address, prefix, AS number, domain, URL or country code.")
    remedy = N_("Write it like 192.0.2.1, 2001:db8::/32, AS64496, gov.example, https://www.example/ or MA.")
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Block:
    """A network, or a single address as the longest of networks. ``first`` and ``last`` count from 0 in its family."""

    version: int
    first: int
    last: int
    length: int


@dataclass(frozen=True, slots=True)
class System:
    number: int


@dataclass(frozen=True, slots=True)
class Name:
    """A host or domain: lower case, A-labels, no dot at the end."""

    name: str


@dataclass(frozen=True, slots=True)
class Country:
    code: str


Target = Block | System | Name | Country


def read(text: str) -> Target:
    """Say what a question is about.

    A network may be written with host bits (192.0.2.7/24 is 192.0.2.0/24). Addresses of IPv4 in IPv6 clothes
    (::ffff:192.0.2.1) are IPv4. Two letters are a country; another single word is a mistake, unless a dot at its end
    says that a top-level domain is meant. Defanged forms are understood.

    Raises: BadTarget.
    """
    plain = text.strip()
    for defanged, meant in DEFANGED.items():
        plain = plain.replace(defanged, meant)
    if match := AS.fullmatch(plain):
        if 0 < int(match[1]) < 1 << 32:
            return System(int(match[1]))
        raise BadTarget(target=text)
    if COUNTRY.fullmatch(plain):
        return Country(plain.upper())
    if found := _block(plain) or _host(plain):
        return found
    raise BadTarget(target=text)


def _block(text: str) -> Block | None:
    try:
        network = ip_network(text, strict=False) if "%" not in text else None
    except ValueError:
        return None
    return _of_network(network) if network else None


def _of_network(network: IPv4Network | IPv6Network) -> Block:
    first, last = int(network.network_address), int(network.broadcast_address)
    if network.version == 6 and network.prefixlen >= 96 and first >> 32 == 0xFFFF:
        return Block(4, first & 0xFFFF_FFFF, last & 0xFFFF_FFFF, network.prefixlen - 96)
    return Block(network.version, first, last, network.prefixlen)


def _host(text: str) -> Block | Name | None:
    """The host of a URL, of ``host:port``, of an e-mail address, or the text itself."""
    has_scheme = "://" in text
    if not has_scheme and _block(text.partition("/")[0]):
        return None  # an address with a wrong prefix length is a mistake, not a URL
    try:
        host = urlsplit(text if has_scheme else f"//{text}").hostname or ""
    except ValueError:
        return None
    return (_block(host) if "/" not in host else None) or _name(host)


def _name(host: str) -> Name | None:
    try:
        name = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        return None
    if "." not in name:
        return None
    name = name.lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or NUMBER.fullmatch(labels[-1]) or not all(map(LABEL.fullmatch, labels)):
        return None
    return Name(name)
