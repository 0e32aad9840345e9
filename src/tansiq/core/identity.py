"""Which observations are one event (ADR 0004)."""

from __future__ import annotations

import polars as pl
import polars_hash

KEY = (
    "feed", "rsit_type", "ip", "port", "protocol", "hostname", "url", "dst_ip", "dst_port", "malware", "tag",
)  # fmt: skip
"""With the UTC day of ``observed_at``, what makes an event that event."""

SEPARATOR = "\x1f"


def event_ids(events: pl.DataFrame) -> pl.Series:
    """The first 128 bits of SHA-256 over the key's texts, an absent one empty, joined by U+001F, in UTF-8.

    Collision-resistant, since whoever chooses a host name or a URL could otherwise make two events look like one.
    Anyone can recompute it: ``hashlib.sha256("\\x1f".join(texts).encode()).digest()[:16]``.

    Args:
        events: n rows with the columns of ``KEY`` and ``observed_at`` (UTC).

    Returns: n binary values of 16 bytes, in the same order. About 5 million rows a second and core.
    """
    texts = [pl.col(name).cast(pl.String).fill_null("") for name in KEY]
    day = pl.col("observed_at").dt.date().dt.to_string("%Y-%m-%d")
    key = events.select(key=pl.concat_str([*texts, day], separator=SEPARATOR))
    digest = key.lazy().select(polars_hash.col("key").chash.sha2_256().alias("digest")).collect()
    return digest.select(event_id=pl.col("digest").str.slice(0, 32).str.decode("hex")).to_series()
