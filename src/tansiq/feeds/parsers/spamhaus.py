"""Spamhaus: DROP (networks not to route), ASN-DROP (whole AS) and the feed for national CERTs.

Formats: https://www.spamhaus.org/drop/ and the description of the CERT data feed.
"""

from __future__ import annotations

import polars as pl

from tansiq.core.errors import N_
from tansiq.feeds.feed import Context, Delimited, Evidence, Feed, Plain, Sample
from tansiq.feeds.parsers.values import tell_apart

c = pl.col

LAST_MODIFIED = r"; Last-Modified:\s*(.+)"

KIND_OF_BOT = {
    # What the CERT feed writes as the bot's name when it is a behaviour and no malware.
    "openrelay": "potentially-unwanted-accessible",
    "iotrdp": "potentially-unwanted-accessible",
    "proxyget": "potentially-unwanted-accessible",
    "sshauth": "brute-force",
    "telnetauth": "brute-force",
    "telnet": "brute-force",
    "smtpauth": "brute-force",
    "imap": "brute-force",
    "rdpauth": "brute-force",
    "w_wplogin": "brute-force",
    "iotlogin": "brute-force",
    "iotuser": "brute-force",
    "iotcmd": "brute-force",
    "wpscanner": "scanner",
    "iotscan": "scanner",
    "vulnerability_scan": "scanner",
    "portscan": "scanner",
    "l_spamlink": "spam",
    "authspoofbadehlo": "spam",
    "extortion": "spam",
    "openproxy": "potentially-unwanted-accessible",
    "misc": "infected-system",
    "auto": "infected-system",
}


def drop(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    rows = rows.rename({"note": "listing"})
    return tell_apart(rows)


def asndrop(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """ "AS64496 ; XX | NAME - Organisation": an AS and nothing else."""
    asn = c("value").str.extract(r"^AS(\d+)$")
    return rows.select(
        "line_number",
        asn.alias("feed_asn"),
        c("note").str.extract(r"^([A-Z]{2})\s*\|").alias("feed_country"),
        c("note").str.extract(r"\|\s*(.+)$").alias("as_name"),
        pl.when(asn.cast(pl.UInt32, strict=False).is_null()).then(pl.lit("asn.invalid")).alias("reject"),
    )


def cert(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """``-`` and ``?`` say nothing; the bot's name is malware unless it is a known behaviour."""
    said = c(pl.String).str.strip_chars()
    rows = rows.with_columns(pl.when(~said.is_in(["", "-", "?"])).then(said).name.keep())
    kind = c("botname").replace_strict(KIND_OF_BOT, default=None, return_dtype=pl.String)
    return rows.with_columns(
        rsit_type=kind.fill_null("infected-system"),
        malware=pl.when(kind.is_null()).then("botname"),
        tag=c("botname"),
        url=pl.when(c("domain").str.contains("://")).then("domain"),
        port=pl.when(c("local_port").str.contains(r"^\d+$")).then("local_port"),
        dst_ip=pl.when(c("remote_ip").str.contains(r"^[0-9a-fA-F.:]+$")).then("remote_ip"),
    )


def headed(words: str) -> bool:
    return "spamhaus" in words.lower()


def recognise_drop(sample: Sample) -> Evidence | None:
    head = " ".join(sample.lines[:5])
    records = [line for line in sample.lines if line.strip() and not line.startswith(";")]
    if headed(head) and records and "/" in records[0]:
        return Evidence(97, N_("Its first lines name it."))
    return None


def recognise_asndrop(sample: Sample) -> Evidence | None:
    records = [line for line in sample.lines if line.strip() and not line.startswith(";")]
    if headed(" ".join(sample.lines[:5])) and records and records[0].startswith("AS"):
        return Evidence(97, N_("Its first lines name it."))
    return None


def recognise_cert(sample: Sample) -> Evidence | None:
    if sample.lines and sample.lines[0].replace(" ", "").startswith(";ip,asn,country,lastseen,botname"):
        return Evidence(98, N_("Its header is that of this feed."))
    return None


DROP = Feed(
    code="spamhaus-drop",
    title="Spamhaus DROP: networks in the hands of criminals",
    licence="Free to use with attribution, spamhaus.org",
    cadence_minutes=12 * 60,
    shape=Plain(comments=(";", "#")),
    sure={"tag": "drop", "severity": "high"},
    rsit_type="other",
    tlp="TLP:CLEAR",
    translate=drop,
    date_pattern=LAST_MODIFIED,
    recognise=recognise_drop,
)

ASNDROP = Feed(
    code="spamhaus-asndrop",
    title="Spamhaus ASN-DROP: AS in the hands of criminals",
    licence="Free to use with attribution, spamhaus.org",
    cadence_minutes=24 * 60,
    shape=Plain(comments=(";", "#")),
    sure={"tag": "asn-drop", "severity": "high"},
    rsit_type="other",
    tlp="TLP:CLEAR",
    translate=asndrop,
    date_pattern=LAST_MODIFIED,
    recognise=recognise_asndrop,
)

CERT = Feed(
    code="spamhaus-cert",
    title="Spamhaus data for national CERTs",
    licence="For national CSIRTs, by agreement",
    cadence_minutes=24 * 60,
    shape=Delimited(
        names=(
            "ip",
            "asn",
            "country",
            "lastseen",
            "botname",
            "domain",
            "remote_ip",
            "remote_port",
            "local_port",
            "transport",
        ),
        comments=(";",),
        quote="",
    ),
    columns={
        "observed_at": ("lastseen",),
        "protocol": ("transport",),
        "dst_port": ("remote_port",),
        "feed_asn": ("asn",),
        "feed_country": ("country",),
    },
    ignored=("botname", "local_port"),
    translate=cert,
    recognise=recognise_cert,
)
