"""Lists of one value a line: addresses, networks, host names, URLs, with comments and inline notes.

One format, many publishers: each list that is known by its file name is a feed of its own, so that its events carry
what the list says of its values.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import polars as pl

from tansiq.core.errors import N_
from tansiq.feeds.feed import Context, Evidence, Feed, Plain, Sample
from tansiq.feeds.parsers.values import tell_apart

c = pl.col

SHAPE = Plain(comments=("#", ";", "//", "!"))
VALUE = re.compile(
    r"(?:\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2}|:\d{1,5})?"  # an address, a network, an address and port
    r"|\[?[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:/\d{1,3}|\]:\d{1,5})?"
    r"|[A-Za-z][A-Za-z0-9+.-]*:(?://|\[//\])\S+"
    r"|(?:(?:0\.0\.0\.0|127\.0\.0\.1)\s+)?(?:[\w-]+(?:\.|\[\.\]))+[^\W\d_][\w-]*(?::\d{1,5})?(?:/\S*)?\.?)"
    r"(?:\s*[#;].*)?"
)
"""A line that is a single value, perhaps with a note."""

DAY_MINUTES = 24 * 60


def translate(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    return tell_apart(with_loose_notes(rows))


def with_loose_notes(rows: pl.DataFrame) -> pl.DataFrame:
    """An address or URL followed by words, without any mark between: the words are a note."""
    if not rows["value"].str.contains(r"\s").any():
        return rows
    address = r"^(\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?|[a-z]+://\S+)\s+"
    loose = c("value").str.contains(address) & ~c("value").str.contains(r"^(?:0\.0\.0\.0|127\.0\.0\.1)\s")
    return rows.with_columns(
        value=pl.when(loose).then(c("value").str.extract(address)).otherwise("value"),
        note=pl.coalesce("note", pl.when(loose).then(c("value").str.replace(address, ""))),
    )


def share_of_values(sample: Sample) -> float:
    """How many of the lines that are no comments are single values (0-1)."""
    records = [line.strip() for line in sample.lines if line.strip() and not line.lstrip().startswith(SHAPE.comments)]
    return sum(1 for line in records if VALUE.fullmatch(line)) / len(records) if records else 0.0


def recognise(sample: Sample) -> Evidence | None:
    if share_of_values(sample) >= 0.6:
        return Evidence(40, N_("Most of its lines are one address, network, host name or URL each."))
    return None


def recognise_name(*stems: str) -> Callable[[Sample], Evidence | None]:
    """Recognise a list by its file name, as long as its lines are single values."""

    def recognise_list(sample: Sample) -> Evidence | None:
        stem = re.sub(
            r"(?:[-_.]?20\d{6}|[-_.]?20\d\d-\d\d-\d\d)|\.(?:txt|list|csv|lst|dat|netset|ipset)$",
            "",
            sample.name.lower(),
        )
        stem = re.sub(r"\.(?:txt|list|csv|lst|dat|netset|ipset)$", "", stem)
        if stem in stems and share_of_values(sample) >= 0.5:
            return Evidence(85, N_("It is a list of single values and has the name of this list."))
        return None

    return recognise_list


def list_feed(
    code: str, title: str, *, rsit_type: str, tag: str, names: tuple[str, ...] = (), licence: str = "", **sure: str
) -> Feed:
    """A list with a name of its own: what it asserts of every value on it."""
    return Feed(
        code=code,
        title=title,
        licence=licence or "The publisher's own terms",
        cadence_minutes=DAY_MINUTES,
        shape=SHAPE,
        sure={"tag": tag, **sure},
        rsit_type=rsit_type,
        tlp="TLP:GREEN",
        translate=translate,
        recognise=recognise_name(code, *names),
    )


FEED = Feed(
    code="plain",
    title="Plain list of addresses, networks, host names or URLs",
    licence="Whatever its source says",
    cadence_minutes=DAY_MINUTES,
    shape=SHAPE,
    translate=translate,
    recognise=recognise,
)

LISTS = (
    list_feed(
        "sans",
        "SANS ISC list of attacking addresses",
        rsit_type="scanner",
        tag="scanner",
        names=("sans-isc",),
        severity="medium",
    ),
    list_feed(
        "compromised-ips",
        "Emerging Threats: compromised hosts",
        rsit_type="system-compromise",
        tag="compromised",
        severity="high",
    ),
    list_feed("sip", "SIP attackers", rsit_type="brute-force", tag="sip", severity="medium"),
    list_feed(
        "threatfox",
        "abuse.ch ThreatFox: command and control addresses",
        rsit_type="c2-server",
        tag="c2",
        severity="high",
        licence="CC0-1.0",
    ),
    list_feed(
        "binarydefense",
        "Binary Defense: attackers seen by honeypots",
        rsit_type="scanner",
        tag="honeypot",
        names=("binary-defense", "banlist"),
        severity="medium",
    ),
    list_feed(
        "tor-exit",
        "Tor exit nodes (infrastructure, no abuse by itself)",
        rsit_type="other",
        tag="tor-exit",
        names=("tor-exits", "torexit", "tor_exit", "torbulkexitlist"),
        severity="info",
    ),
    list_feed(
        "alienvault",
        "AlienVault reputation",
        rsit_type="undetermined",
        tag="blocklist",
        names=("alienvault-reputation", "reputation"),
        severity="low",
    ),
    list_feed(
        "cobaltstrike-ips",
        "Cobalt Strike servers",
        rsit_type="c2-server",
        tag="c2",
        names=("cobaltstrike_ips", "cobaltstrike"),
        severity="high",
        malware="cobaltstrike",
    ),
    list_feed(
        "rutgers",
        "Rutgers University: attacking addresses",
        rsit_type="brute-force",
        tag="brute-force",
        severity="medium",
    ),
    list_feed(
        "abuse-ch-ipblocklist",
        "abuse.ch SSLBL: botnet servers",
        rsit_type="c2-server",
        tag="c2",
        names=("sslipblacklist", "sslbl"),
        severity="high",
        licence="CC0-1.0",
    ),
    list_feed(
        "log4j",
        "Scanners for Log4Shell (CVE-2021-44228)",
        rsit_type="exploit",
        tag="cve-2021-44228",
        names=("log4shell",),
        severity="medium",
    ),
)
