"""Which feed a report is of, by its name and its first lines."""

from __future__ import annotations

from tansiq.feeds.catalogue import FEEDS
from tansiq.feeds.feed import Evidence, Feed, Sample


def detect(sample: Sample) -> list[tuple[str, Evidence]]:
    """The feeds that the report may be of, the likeliest first; empty when it looks like none."""
    found = [(feed.code, evidence) for feed in FEEDS.values() if (evidence := feed.recognise(sample))]
    return sorted(found, key=lambda match: -match[1].percent)


def looks_like(feed: Feed, sample: Sample) -> bool:
    """Whether the report may be of ``feed``, as a person says who names it."""
    return feed.recognise(sample) is not None
