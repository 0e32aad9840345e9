"""The columns of an event, in flight and at rest (docs/reference/lake.md).

An *observation* is one line of a report. Observations of the same event (same ``event_id``: same subject, same UTC
day) are *sightings*. A lake row is the fold of the sightings of one event within one batch; readers fold across
batches. Names follow IntelMQ's harmonisation where one exists.
"""

from __future__ import annotations

import polars as pl

SCHEMA_VERSION = 1
"""Written into every row and file; raise it when a column is added, and teach the lake to read the older one."""

TIME = pl.Datetime("us", "UTC")

PARSED: dict[str, pl.DataType] = {
    # What a parser yields, one row an observation. Text columns are null where the feed says nothing, never "".
    "line_number": pl.UInt64(),  # 1-based physical line of the uncompressed report (record number in a document)
    "observed_at": TIME,
    "rsit_class": pl.String(),
    "rsit_type": pl.String(),
    "ip": pl.String(),  # canonical text (RFC 5952 for IPv6)
    "ip_version": pl.UInt8(),
    "ip_hi": pl.UInt64(),  # the address as 128 bits, IPv4 mapped (::ffff:0:0/96); null without an address
    "ip_lo": pl.UInt64(),
    "port": pl.UInt16(),
    "protocol": pl.String(),
    "hostname": pl.String(),  # lower case, no trailing dot, A-labels
    "url": pl.String(),
    "dst_ip": pl.String(),
    "dst_port": pl.UInt16(),
    "malware": pl.String(),
    "severity": pl.String(),  # critical, high, medium, low, info
    "tag": pl.String(),
    "feed_asn": pl.UInt32(),  # what the feed itself says; used only where our own table knows nothing
    "feed_country": pl.String(),
    "extra": pl.String(),  # JSON object: what the feed has besides
}

STORED: dict[str, pl.DataType] = {
    "event_id": pl.Binary(),  # 16 bytes
    "observed_at": TIME,
    "received_at": TIME,
    "feed": pl.String(),
    "rsit_class": pl.String(),
    "rsit_type": pl.String(),
    "ip": pl.String(),
    "ip_version": pl.UInt8(),
    "port": pl.UInt16(),
    "protocol": pl.String(),
    "hostname": pl.String(),
    "url": pl.String(),
    "domain": pl.String(),  # registered domain of hostname or url
    "asn": pl.UInt32(),
    "as_name": pl.String(),
    "prefix": pl.String(),
    "country": pl.String(),
    "dst_ip": pl.String(),
    "dst_port": pl.UInt16(),
    "malware": pl.String(),
    "severity": pl.String(),
    "tag": pl.String(),
    "team": pl.String(),
    "attributed_by": pl.String(),  # cidr, domain, asn, country, none, tie, contested
    "reason": pl.String(),  # the claim that decided, or the claims that stopped it
    "confidence_percent": pl.UInt8(),
    "claims_version": pl.UInt32(),
    "addresses_as_of": pl.Date(),  # date of the address table used
    "count": pl.UInt32(),
    "first_seen": TIME,
    "last_seen": TIME,
    "marking_id": pl.String(),
    "extra": pl.String(),
    "report_id": pl.String(),  # sha256 of the report as received, hex
    "line_number": pl.UInt64(),
    "schema_version": pl.UInt8(),
}

REJECTED: dict[str, pl.DataType] = {
    "report_id": pl.String(),
    "feed": pl.String(),
    "line_number": pl.UInt64(),
    "reason": pl.String(),  # a code of feeds.rejects, e.g. "ip.invalid"
    "raw": pl.Binary(),  # the line as received, without its line end
    "received_at": TIME,
}
