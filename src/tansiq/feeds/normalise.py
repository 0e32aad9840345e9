"""From a feed's text columns to the columns of an event: times, addresses, names, numbers, words. In columns only."""

from __future__ import annotations

import json
from dataclasses import dataclass

import polars as pl

from tansiq.addresses.names import clean_hostnames, split_urls
from tansiq.addresses.text import parse_addresses
from tansiq.core.columns import PARSED
from tansiq.core.rsit import CLASS_OF_TYPE
from tansiq.feeds.feed import Context, Feed
from tansiq.feeds.malware import normalise_malware
from tansiq.feeds.times import parse_times

REFUSED = {"line_number": pl.UInt64, "reason": pl.String}
TEXTS = (
    "observed_at", "ip", "port", "protocol", "hostname", "url", "dst_ip", "dst_port",
    "malware", "severity", "tag", "rsit_type", "feed_asn", "feed_country",
)  # fmt: skip

SEVERITIES = {
    "critical": "critical", "high": "high", "medium": "medium", "moderate": "medium", "low": "low",
    "info": "info", "informational": "info", "information": "info", "none": "info",
}  # fmt: skip

PROTOCOL_NUMBERS = {
    "1": "icmp",
    "6": "tcp",
    "17": "udp",
    "41": "ipv6",
    "47": "gre",
    "50": "esp",
    "58": "ipv6-icmp",
    "132": "sctp",
}
"""The assigned numbers that feeds use for names. Source: IANA protocol numbers."""

NO_COUNTRY = ("ZZ", "XX", "AA", "AP", "EU", "A1", "A2", "O1")
"""What feeds write for unknown, several, or anonymous; none is a state's code in ISO 3166-1."""


@dataclass(frozen=True, slots=True)
class Normalised:
    events: pl.DataFrame  # columns of core.columns.PARSED
    refused: pl.DataFrame  # line_number, reason


def normalise(columns: pl.DataFrame, feed: Feed, context: Context) -> Normalised:
    """Give every record the types and the spelling that events have, and refuse those whose time or address is wrong.

    Args:
        columns: text, null where empty, named by the feed or (from ``translate``) by the event; ``line_number``;
            optionally ``reject`` (a reason) and ``record`` (the whole record as JSON, then kept as ``extra``).
        feed, context: say which column is which, the time zone, and the date of records without a time.

    Returns: the good records as PARSED in the order given, and the refused ones. Records without address and name stay.
    """
    refused = []
    if "reject" in columns.columns:
        refused.append(columns.filter(pl.col("reject").is_not_null()).select("line_number", reason="reject"))
        columns = columns.filter(pl.col("reject").is_null()).drop("reject")
    texts, besides = pick(columns, feed)
    times = parse_times(texts.get_column("observed_at"), zone=feed.zone)
    addresses = parse_addresses(texts.get_column("ip"))
    wrong_time = times.is_null() & texts.get_column("observed_at").is_not_null()
    wrong_ip = addresses.get_column("ip").is_null() & texts.get_column("ip").is_not_null()
    wrong = wrong_time | wrong_ip
    if wrong.any():
        reason = pl.when(wrong_time).then(pl.lit("time.invalid")).otherwise(pl.lit("ip.invalid"))
        refused.append(
            columns.filter(wrong)
            .select("line_number")
            .with_columns(reason=columns.select(reason=reason).filter(wrong).to_series())
        )
        columns, texts = columns.filter(~wrong), texts.filter(~wrong)
        besides = besides.filter(~wrong)
        addresses, times = addresses.filter(~wrong), times.filter(~wrong)
    names, addresses = subjects(texts, addresses)
    typed = words(texts, feed)
    read = pl.concat([typed, names.select("hostname")], how="horizontal")
    besides = pl.concat([besides, unread(texts, read)], how="horizontal")
    extra = (
        columns.get_column("record")
        if "record" in columns.columns
        else as_json(besides.drop("line_number"), len(besides))
    )
    own = [columns.get_column("line_number"), times.fill_null(context.dated_at), extra.alias("extra")]
    events = pl.concat([pl.DataFrame(own), addresses, names, typed], how="horizontal")
    return Normalised(
        events.select(*PARSED).cast(PARSED),  # type: ignore[arg-type]
        pl.concat(refused) if refused else pl.DataFrame(schema=REFUSED),
    )


def pick(columns: pl.DataFrame, feed: Feed) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The event's own columns as text, and the columns of what is left for ``extra``.

    A column that ``translate`` made under the event's name comes first, then the feed's columns in the order of its
    mapping. Where two of them differ, the one that does not win goes to ``extra``.
    """
    used, chosen, others = {"line_number", "record", *feed.ignored}, [], []
    for name in TEXTS:
        sources = [c for c in dict.fromkeys((name, *feed.columns.get(name, ()))) if has(columns, c)]
        used.update((name, *feed.columns.get(name, ())))
        value = pl.coalesce(pl.col(sources)) if sources else pl.lit(None, pl.String)
        others += [pl.when(pl.col(c) != value).then(pl.col(c)).alias(c) for c in sources[1:]]
        if name in feed.sure:
            value = value.fill_null(pl.lit(feed.sure[name]))
        chosen.append(value.alias(name))
    rest = [pl.col(c) for c in columns.columns if c not in used and has(columns, c)]
    # Beside the line number a constant column is as long as it, also where that is nothing.
    return columns.select("line_number", *chosen), columns.select("line_number", *rest, *others)


def has(columns: pl.DataFrame, name: str) -> bool:
    """Whether the column is there and holds anything."""
    return name in columns.columns and columns.get_column(name).null_count() < columns.height


def subjects(texts: pl.DataFrame, addresses: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Host name and URL of every record; a URL lends its host where no column names one, and its literal address."""
    hosts = clean_hostnames(texts.get_column("hostname")).alias("hostname")
    names = pl.DataFrame([hosts, texts.get_column("url")])
    has_url = texts.get_column("url").is_not_null()
    if not has_url.any():
        return names, addresses
    rows = pl.DataFrame({"row": has_url.arg_true()})
    parts = split_urls(texts.get_column("url").filter(has_url))
    literal = parse_addresses(parts.get_column("address"))
    lent = pl.concat([rows, parts.select("host"), literal.select(pl.all().name.suffix("_url"))], how="horizontal")
    whole = (
        pl.concat([names, addresses], how="horizontal")
        .with_row_index("row")
        .join(lent.cast({"row": pl.UInt32}), on="row", how="left", maintain_order="left")
    )
    none = pl.col("ip").is_null()
    whole = whole.with_columns(
        pl.coalesce("hostname", "host").alias("hostname"),
        *(pl.when(none).then(pl.col(f"{c}_url")).otherwise(pl.col(c)).alias(c) for c in addresses.columns),
    )
    return whole.select("hostname", "url"), whole.select(addresses.columns)


def words(texts: pl.DataFrame, feed: Feed) -> pl.DataFrame:
    """The columns that have a small vocabulary or are numbers."""
    kind = texts.get_column("rsit_type").fill_null(feed.rsit_type)
    country = pl.col("feed_country").str.to_uppercase().replace("UK", "GB")
    return texts.select(
        pl.col("port", "dst_port").cast(pl.UInt16, strict=False),
        pl.col("protocol").str.to_lowercase().replace(PROTOCOL_NUMBERS),
        pl.col("severity").str.to_lowercase().replace_strict(SEVERITIES, default=None, return_dtype=pl.String),
        pl.col("tag"),
        pl.col("feed_asn").str.strip_prefix("AS").cast(pl.UInt32, strict=False).replace(0, None),
        pl.when(country.str.contains("^[A-Z]{2}$") & ~country.is_in(NO_COUNTRY)).then(country).alias("feed_country"),
        rsit_type=kind,
        rsit_class=kind.replace_strict(CLASS_OF_TYPE, return_dtype=pl.String),
        malware=normalise_malware(texts.get_column("malware")),
        dst_ip=parse_addresses(texts.get_column("dst_ip")).get_column("ip"),
    )


def unread(texts: pl.DataFrame, typed: pl.DataFrame) -> pl.DataFrame:
    """Texts that stand where a number, an address, a name or a known word should and are none: kept as they are."""
    odd = []
    for name in ("port", "dst_port", "feed_asn", "dst_ip", "severity", "feed_country", "malware", "hostname"):
        lost = typed.get_column(name).is_null() & texts.get_column(name).is_not_null()
        if lost.any():
            odd.append(texts.select(pl.when(lost).then(pl.col(name)).alias(name)).to_series())
    return pl.DataFrame(odd)


def as_json(columns: pl.DataFrame, height: int) -> pl.Series:
    """One JSON object a row with the members that the row has; null where it has none."""
    columns = columns.select(name for name in columns.columns if has(columns, name))
    if not columns.width:
        return pl.Series("extra", [], pl.String).extend_constant(None, height)
    members = [
        pl.concat_str(pl.lit(f'{json.dumps(name, ensure_ascii=False)}:"'), pl.col(name), pl.lit('"'))
        for name in columns.columns
    ]
    drafts = columns.select(
        body=pl.concat_str(members, separator=",", ignore_nulls=True),
        special=pl.concat_str(pl.all(), ignore_nulls=True).str.contains(r'["\\\x00-\x1f]'),
    )
    whole = pl.concat_str(pl.lit("{"), pl.col("body"), pl.lit("}"))
    quick = drafts.select(extra=pl.when(pl.col("body") != "").then(whole)).to_series()
    special = drafts.get_column("special")
    if not special.any():
        return quick
    encoded = (
        pl.struct(pl.all()).struct.json_encode().str.replace_all(r'"[^"\\]*":null,?', "").str.replace(r",\}$", "}")
    )
    return quick.scatter(special.arg_true(), columns.filter(special).select(encoded).to_series())
