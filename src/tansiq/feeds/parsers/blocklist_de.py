"""blocklist.de: addresses that attacked a service, one list a service, named by it. https://www.blocklist.de/"""

from __future__ import annotations

import re

import polars as pl

from tansiq.core.errors import N_
from tansiq.feeds.feed import Context, Evidence, Feed, Plain, Sample
from tansiq.feeds.parsers import plain

SERVICES = {
    "all": "brute-force",
    "apache": "exploit",
    "bots": "infected-system",
    "bruteforcelogin": "brute-force",
    "courierimap": "brute-force",
    "courierpop3": "brute-force",
    "email": "brute-force",
    "ftp": "brute-force",
    "imap": "brute-force",
    "ircbot": "infected-system",
    "mail": "spam",
    "pop3": "brute-force",
    "postfix": "brute-force",
    "proftpd": "brute-force",
    "ssh": "brute-force",
    "strongips": "brute-force",
}


def service(name: str) -> str:
    match = re.match(r"(?:blocklist[-_.]?de[-_.])?([a-z0-9]+)", name.lower())
    return match[1] if match else ""


def translate(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """The list's name is the service that was attacked."""
    name = service(context.name)
    rows = plain.translate(rows, context)
    if name not in SERVICES:
        return rows
    return rows.with_columns(tag=pl.lit(name), rsit_type=pl.lit(SERVICES[name]))


def recognise(sample: Sample) -> Evidence | None:
    if service(sample.name) in SERVICES and plain.share_of_values(sample) >= 0.8:
        percent = 92 if "blocklist" in sample.name.lower() else 80
        return Evidence(percent, N_("It is a list of single values and has the name of this list."))
    return None


FEED = Feed(
    code="blocklist-de",
    title="blocklist.de: attackers by service",
    licence="Free of charge, blocklist.de",
    cadence_minutes=60,
    shape=Plain(comments=("#",)),
    rsit_type="brute-force",
    tlp="TLP:GREEN",
    translate=translate,
    recognise=recognise,
)
