"""Team Cymru's CSIRT Assistance Program: lines of six fields, the fifth packed with what the category has to say.

Two generations: ``certname_*`` ("family: x;port: 1;protocol: 6;") and ``infected_*`` ("srcport 1 mwtype x destaddr y").
"""

from __future__ import annotations

import polars as pl

from tansiq.core.errors import N_
from tansiq.feeds.feed import Context, Delimited, Evidence, Feed, Sample

c = pl.col

KIND_OF_CATEGORY = {
    "bot": "infected-system",
    "bots": "infected-system",
    "beacon": "infected-system",
    "conficker": "infected-system",
    "bruteforce": "brute-force",
    "controller": "c2-server",
    "darknet": "scanner",
    "ddosreport": "ddos",
    "defacement": "unauthorised-information-modification",
    "dronebl": "infected-system",
    "flow": "scanner",
    "honeypot": "scanner",
    "malwareurl": "malware-distribution",
    "openresolver": "ddos-amplifier",
    "openresolvers": "ddos-amplifier",
    "phishing": "phishing",
    "proxy": "potentially-unwanted-accessible",
    "routers": "system-compromise",
    "scanner": "scanner",
    "spam": "spam",
}

FAMILY = r"(?:family:\s*|mwtype[:\s]\s*)([^;\s]+)"
SOURCE_PORT = r"(?:^|[;\s])(?:srcport:?\s*|port:\s*)(\d+)"
TRAILING_PORT = r"[a-z]port:\s*(\d+)\s*;"
PROXY_PORT = r"(?:-|\()(\d{2,5})\)?(?:;|$)"
OTHER_PORT = (
    r"(?:destination_port_numbers|ports_scanned|darknet_port|honeypot_port|dest_port|dstport|destport):?\s*(\d+)"
)
OTHER_IP = r"(?:dest_addr|destaddr|dstaddr):?\s*([0-9A-Fa-f:.]+)"
HOST = r"hostname:\s*([A-Za-z0-9_.-]+?)(?:port:|[;\s]|$)"


def translate(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Unpack the fifth field. A list of ports gives its first; ``hostname: a.exampleport: 80`` is read as meant."""
    packed = c("information")
    category = c("tag").str.to_lowercase()
    proxy_port = pl.when(category == "proxy").then(packed.str.extract(PROXY_PORT))
    return rows.with_columns(
        category.alias("tag"),
        rsit_type=category.replace_strict(KIND_OF_CATEGORY, default=None, return_dtype=pl.String),
        malware=pl.coalesce(packed.str.extract(FAMILY), pl.when(category == "conficker").then(pl.lit("conficker"))),
        port=pl.coalesce(packed.str.extract(SOURCE_PORT), packed.str.extract(TRAILING_PORT), proxy_port),
        protocol=packed.str.extract(r"protocol:\s*(\d+)"),
        dst_ip=packed.str.extract(OTHER_IP),
        dst_port=packed.str.extract(OTHER_PORT),
        hostname=packed.str.extract(HOST),
        url=packed.str.extract(r"(https?://[^;\s]+)"),
    )


def recognise(sample: Sample) -> Evidence | None:
    head = "\n".join(sample.lines[:5]).replace(" ", "")
    if "#category|address|asn|timestamp|" in head or "#Format:report|ip|asn|timestamp|comments|" in head:
        return Evidence(97, N_("Its first lines name its columns as this feed does."))
    return None


FEED = Feed(
    code="cymru",
    title="Team Cymru: CSIRT Assistance Program",
    licence="For national CSIRTs, by agreement",
    cadence_minutes=24 * 60,
    shape=Delimited(
        separator="|", names=("tag", "ip", "feed_asn", "time", "information", "as_name"), comments=("#",), quote=""
    ),
    columns={"observed_at": ("time",)},
    translate=translate,
    recognise=recognise,
)
