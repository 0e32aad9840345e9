"""What a claim may name, and its one canonical spelling. Pure functions; each mistake says what to write instead."""

from __future__ import annotations

import re
import socket
from functools import cache
from typing import Any

from tansiq.core.claims import Kind
from tansiq.core.errors import N_, TansiqError

_ASSIGNED = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA "
    "CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA "
    "GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP "
    "KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS "
    "MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS "
    "RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW "
    "TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW"
)
COUNTRIES = frozenset(_ASSIGNED.split())
"""ISO 3166-1 alpha-2, assigned. The user-assigned AA, QM-QZ and XA-XZ are taken as well (Kosovo's XK, exercises)."""

_USER_ASSIGNED = re.compile(r"AA|Q[M-Z]|X[A-Z]")
_TEAM_CODE = re.compile(r"[A-Z0-9-]{2,32}")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_AS = re.compile(r"(?:AS)?([0-9]{1,10})", re.IGNORECASE)
_AS_LIMIT = (1 << 32) - 1
_AS_NOBODY = {0: "RFC 7607", 23456: "RFC 6793", _AS_LIMIT: "RFC 7300"}
_LENGTH = re.compile(r"0|[1-9][0-9]{0,2}")
_MAPPED = bytes(10) + b"\xff\xff"
_COUNTRY_TOP_LEVELS = (
    "الجزائر বাংলা مصر ایران عراق الاردن қаз مليسيا موريتانيا المغرب "
    "عمان پاکستان فلسطين قطر السعودية سودان سورية تونس امارات اليمن"
)
"""Top-level domains of states of the federation in their own scripts."""


class BadTeamCode(TansiqError):
    code = "members.team.code"
    message = N_("{value} is not a team code.")
    remedy = N_("Use 2 to 32 capital letters A-Z, digits and hyphens, for example XA-CERT.")
    exit_code = 2


class BadCountry(TansiqError):
    code = "members.country.unknown"
    message = N_("{value} is not a country code.")
    remedy = N_("Use the two capital letters of ISO 3166-1, for example MA; the United Kingdom is GB.")
    exit_code = 2


class BadAsn(TansiqError):
    code = "members.asn.malformed"
    message = N_("{value} is not an AS number.")
    remedy = N_("Write it as a number from 1 to 4294967294, for example 64496 or AS64496.")
    exit_code = 2


class ReservedAsn(TansiqError):
    code = "members.asn.reserved"
    message = N_("AS{value} belongs to nobody ({source}).")
    remedy = N_("Take it out.")
    exit_code = 2


class BadPrefix(TansiqError):
    code = "members.cidr.malformed"
    message = N_("{value} is not an address prefix.")
    remedy = N_("Write network and length, for example 192.0.2.0/24 or 2001:db8::/32.")
    exit_code = 2


class HostBits(TansiqError):
    code = "members.cidr.host_bits"
    message = N_("{value} has bits set beyond its length.")
    remedy = N_("If the network is meant, write {network}; if the one address is meant, write {host}.")
    exit_code = 2


class WholeInternet(TansiqError):
    code = "members.cidr.everything"
    message = N_("{value} is the whole Internet.")
    remedy = N_("Claim the prefixes that the team answers for.")
    exit_code = 2


class BadDomain(TansiqError):
    code = "members.domain.malformed"
    message = N_("{value} is not a domain name.")
    remedy = N_("Write the bare name without scheme, path, port or asterisk, for example gov.example.")
    exit_code = 2


class OpenSuffix(TansiqError):
    code = "members.domain.suffix"
    message = N_("Under {value} anybody in the world may have a name.")
    remedy = N_("Claim the names below it, or name in `decision` what makes the team answer for all of them.")
    exit_code = 2


def canonical(kind: Kind, value: Any, *, decided: bool = False) -> str:
    """The one spelling of what a claim of ``kind`` names; ``decided``: a recorded decision stands behind the claim."""
    if kind == "cidr":
        return prefix(value)
    if kind == "asn":
        return asn(value)
    if kind == "country":
        return country(value)
    return claimable_domain(value, decided=decided)


def team_code(value: Any) -> str:
    if isinstance(value, str) and _TEAM_CODE.fullmatch(value):
        return value
    raise BadTeamCode(value=shown(value))


def country(value: Any) -> str:
    if isinstance(value, str) and (value in COUNTRIES or _USER_ASSIGNED.fullmatch(value)):
        return value
    raise BadCountry(value=shown(value))


def asn(value: Any) -> str:
    """Plain decimal text of an AS number (RFC 5396 asplain) that can be somebody's."""
    if isinstance(value, str) and (match := _AS.fullmatch(value)):
        value = int(match[1])
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _AS_LIMIT:
        raise BadAsn(value=shown(value))
    if value in _AS_NOBODY:
        raise ReservedAsn(value=value, source=_AS_NOBODY[value])
    return str(value)


def prefix(value: Any) -> str:
    """Network and length (RFC 4632, RFC 5952); IPv4 mapped into IPv6 is IPv4.

    A bare address is refused: who forgets a /24 would claim one host of it and never notice.
    """
    if not isinstance(value, str):
        raise BadPrefix(value=shown(value))
    address, _slash, length_text = value.partition("/")
    try:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        packed = socket.inet_pton(family, address)
    except (OSError, ValueError):  # ValueError: a NUL inside
        raise BadPrefix(value=shown(value)) from None
    bits = len(packed) * 8
    if not _LENGTH.fullmatch(length_text) or (length := int(length_text)) > bits:
        raise BadPrefix(value=shown(value))
    if bits == 128 and length >= 96 and packed.startswith(_MAPPED):
        packed, bits, length = packed[12:], 32, length - 96
    if length == 0:
        raise WholeInternet(value=shown(value))
    return _written(value, packed, bits, length)


def _written(value: str, packed: bytes, bits: int, length: int) -> str:
    number = int.from_bytes(packed)
    network = number >> bits - length << bits - length
    if network != number:
        raise HostBits(
            value=value, network=f"{text_of(network, bits)}/{length}", host=f"{text_of(number, bits)}/{bits}"
        )
    return f"{text_of(number, bits)}/{length}"


def text_of(number: int, bits: int) -> str:
    if bits == 32:
        return socket.inet_ntop(socket.AF_INET, number.to_bytes(4))
    from ipaddress import IPv6Address

    return str(IPv6Address(number))


def domain(value: Any) -> str:
    """Lower case A-labels (RFC 5891) without the final dot; underscores are met in practice and taken."""
    if not isinstance(value, str):
        raise BadDomain(value=shown(value))
    name = value.removesuffix(".")
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError:
            raise BadDomain(value=shown(value)) from None
    name = name.lower()
    labels = name.split(".")
    if len(name) > 253 or not all(map(_LABEL.fullmatch, labels)) or labels[-1].isdecimal():
        raise BadDomain(value=shown(value))
    return name


def claimable_domain(value: Any, *, decided: bool = False) -> str:
    """A domain that one team can answer for.

    A registry's suffix below a country's top level (gov.af, com.my, or af itself) is national matter and can be
    claimed. Under other suffixes of the public suffix list (com, a hosting company's pages) the whole world has names:
    those need a decision.
    """
    name = domain(value)
    if not decided and _suffixes().is_public(name) and not _national(name):
        raise OpenSuffix(value=shown(value))
    return name


def _national(suffix: str) -> bool:
    top = suffix.rpartition(".")[2]
    return (len(top) == 2 or top in _national_top_levels()) and _suffixes(registries_only=True).is_public(suffix)


@cache
def _national_top_levels() -> frozenset[str]:
    return frozenset(top.encode("idna").decode() for top in _COUNTRY_TOP_LEVELS.split())


@cache
def _suffixes(*, registries_only: bool = False) -> Any:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList(only_icann=registries_only)


def shown(value: Any) -> str:
    """What was written, short and on one line, for messages."""
    text = value if isinstance(value, str) else repr(value)
    text = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text[:80])
    return text or '""'
