"""Shadowserver's daily reports: CSV with a header, one file a kind of report, some 170 kinds.

Columns are told by name, so that older, newer and unknown kinds are read alike; what has no event column of its own is
kept in ``extra``. The publisher's documentation: https://www.shadowserver.org/what-we-do/network-reporting/
"""

from __future__ import annotations

import csv
import re

import polars as pl

from tansiq.core.errors import N_
from tansiq.feeds.feed import Context, Delimited, Evidence, Feed, Sample
from tansiq.feeds.parsers.networks import split_networks
from tansiq.feeds.parsers.shadowserver_reports import Report, marked, named, types_of_tags

c = pl.col

SUBJECT = ("ip", "port", "hostname", "asn", "geo")
"""What a report says of the machine that it is about, and, with ``dst_``, of the other end."""

USUAL = {"asn", "geo", "region", "city", "naics", "sic", "sector", "tag", "hostname", "infection", "family"}


SUBJECTS = {"ip", "src_ip", "dst_ip", "http_referer_ip", "md5hash", "url", "email", "website"}
KNOWN = USUAL | SUBJECTS | {"timestamp", "severity", "protocol", "port", "src_port", "dst_port", "src_asn", "src_geo"}


def translate(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Add ``rsit_type``, and ``severity``, ``hostname``, ``network`` where a plain mapping cannot say them.

    The kind of report decides the RSIT type: by the file's name, else by a column that only this kind has, else by
    each row's tag, else by its infection.
    """
    rows = lower_names(rows)
    report = named(context.name) or marked(rows.columns)
    if report and report.report == "event4_honeypot_ddos_target":
        rows = about_the_victim(rows)
    rows = split_networks(with_names(rows), "ip")
    if report and {"tag", "infection"} <= set(rows.columns):
        rows = rows.with_columns(tag=pl.coalesce("tag", "infection"))
    if report and report.severity:
        given = c("severity") if "severity" in rows.columns else pl.lit(None, pl.String)
        rows = rows.with_columns(severity=pl.coalesce(given, pl.lit(report.severity)))
    return rows.with_columns(rsit_type=rsit_type(rows, report))


def lower_names(rows: pl.DataFrame) -> pl.DataFrame:
    lower = [name.lower() for name in rows.columns]
    return rows.rename(dict(zip(rows.columns, lower, strict=True))) if len({*lower}) == rows.width else rows


def rsit_type(rows: pl.DataFrame, report: Report | None) -> pl.Expr:
    if report and report.report == "special":
        compromised = c("status").str.contains("compromised") if "status" in rows.columns else pl.lit(False)
        return pl.when(compromised).then(pl.lit("system-compromise")).otherwise(pl.lit(report.rsit_type))
    if report:
        return pl.lit(report.rsit_type)
    by_tag = pl.lit(of_tags(rows["tag"])) if "tag" in rows.columns else pl.lit(None, pl.String)
    if "infection" not in rows.columns:
        return by_tag
    return pl.coalesce(by_tag, pl.when(c("infection").is_not_null()).then(pl.lit("infected-system")))


def of_tags(tags: pl.Series) -> pl.Series:
    """RSIT type of each tag, or list of tags ("ssl;vpn": the first known one). Worked out once a distinct value."""
    known = types_of_tags()
    table = tags.unique().drop_nulls().rename("tag").to_frame()
    words = table.select("tag", word=c("tag").str.to_lowercase().str.split(";").list.eval(pl.element().str.split(",")))
    words = words.explode("word").explode("word").with_columns(c("word").str.strip_chars())
    words = words.with_columns(
        type=pl.when(c("word").str.starts_with("cve-"))
        .then(pl.lit("vulnerable-system"))
        .otherwise(c("word").replace_strict(known, default=None, return_dtype=pl.String))
    )
    found = words.drop_nulls("type").unique("tag", keep="first", maintain_order=True)
    return tags.replace_strict(found["tag"], found["type"], default=None, return_dtype=pl.String)


def about_the_victim(rows: pl.DataFrame) -> pl.DataFrame:
    """A report of DDoS targets goes to those attacked: its ``dst_`` side is the subject, its ``src_`` side evidence."""
    rows = rows.rename({name: "from_" + name[4:] for name in rows.columns if name.startswith("src_")})
    return rows.with_columns(c(f"dst_{name}").alias(name) for name in SUBJECT if f"dst_{name}" in rows.columns)


def with_names(rows: pl.DataFrame) -> pl.DataFrame:
    """The host name or URL of kinds of reports that have it in a column of their own."""
    if "hostname" in rows.columns:
        return rows
    if "request" in rows.columns and {"md5hash", "request_type"} & set(rows.columns):
        return rows.with_columns(hostname=c("request"))
    if "email" in rows.columns:
        return rows.with_columns(hostname=c("email").str.extract(r"@([A-Za-z0-9.-]+)\s*$"))
    if "website" in rows.columns:
        return rows.with_columns(hostname=c("website").str.extract(r"^(?:[a-z]+://)?([^/:\s]+)"))
    return rows


def recognise(sample: Sample) -> Evidence | None:
    header = header_of(sample)
    if not header & set(FEED.columns["observed_at"]) or not header & SUBJECTS:
        return None
    if named(sample.name):
        return Evidence(99, N_("Its name and its header are those of a Shadowserver report."))
    if len(header & USUAL) >= 4 or len({name for name in header if name.startswith("src_")}) >= 4:
        return Evidence(95, N_("Its header has the columns of a Shadowserver report."))
    if len(header & USUAL) >= 2 and len(header & KNOWN) >= 5:
        return Evidence(70, N_("Its header has some columns of a Shadowserver report."))
    return None


def header_of(sample: Sample) -> set[str]:
    first = next((line for line in sample.lines if line.strip()), "").lstrip("\ufeff")
    try:
        names = next(csv.reader([first]), [])
    except csv.Error:
        return set()
    return {name.strip().lower() for name in names if re.fullmatch(r"\s*\w+\s*", name)}


FEED = Feed(
    code="shadowserver",
    title="Shadowserver reports",
    licence="Free of charge for network owners and national CSIRTs; redistribution within the constituency",
    cadence_minutes=24 * 60,
    shape=Delimited(),
    columns={
        "observed_at": ("timestamp", "time", "datetime", "detection_time"),
        "ip": ("ip", "src_ip", "source_ip", "http_referer_ip", "ip_address"),
        "port": ("port", "src_port", "source_port", "http_referer_port"),
        "protocol": ("protocol", "proto"),
        "hostname": ("hostname", "src_hostname", "http_referer_hostname", "host_name"),
        "url": ("url", "source_url", "leak_site_url"),
        "dst_ip": ("dst_ip", "destination_ip"),
        "dst_port": ("dst_port", "destination_port"),
        "malware": ("malware", "family", "infection", "ransomware"),
        "severity": ("severity",),
        "tag": ("tag", "tags"),
        "rsit_type": ("rsit_type",),
        "feed_asn": ("asn", "src_asn", "http_referer_asn"),
        "feed_country": ("geo", "src_geo", "http_referer_geo"),
    },
    translate=translate,
    recognise=recognise,
)
