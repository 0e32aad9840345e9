"""Every feed that the program knows, one line each. The command line, detection and the documents read it from here."""

from __future__ import annotations

from tansiq.feeds.feed import Feed
from tansiq.feeds.parsers import (
    blackbook,
    blocklist_de,
    cert_eu,
    cymru,
    cznic_proki,
    delimited,
    feodotracker,
    intelmq,
    ipset,
    ipsum,
    jpcert_phishurl,
    jsonl,
    microsoft,
    misp,
    openphish,
    plain,
    shadowserver,
    shodan,
    spamhaus,
    xarf,
    zone_h,
)

ALL: tuple[Feed, ...] = (
    shadowserver.FEED,
    intelmq.FEED,
    xarf.FEED,
    misp.FEED,
    cymru.FEED,
    spamhaus.CERT,
    spamhaus.DROP,
    spamhaus.ASNDROP,
    microsoft.CTIP,
    microsoft.BING,
    shodan.FEED,
    zone_h.FEED,
    cert_eu.FEED,
    cznic_proki.FEED,
    feodotracker.FEED,
    openphish.FEED,
    jpcert_phishurl.FEED,
    blackbook.FEED,
    blocklist_de.FEED,
    ipsum.FEED,
    *plain.LISTS,
    ipset.FEED,
    plain.FEED,
    delimited.FEED,
    jsonl.FEED,
)

FEEDS: dict[str, Feed] = {feed.code: feed for feed in ALL}
"""By code, in the order in which people read them: the specific before the generic."""
