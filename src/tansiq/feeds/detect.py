"""Which feed a report is of, by its name and its first lines; and whether it is of the feed that somebody named."""

from __future__ import annotations

from tansiq.core.errors import N_, TansiqError
from tansiq.feeds.catalogue import FEEDS
from tansiq.feeds.feed import Evidence, Feed, Sample

SURE_PERCENT = 90
"""From here on a report is of a feed beyond doubt: naming another one is a mistake."""

GENERIC = frozenset({"plain", "csv", "jsonl", "intelmq"})
"""Feeds that read whatever has their form, so that no report of that form is wrong for them."""


class NotRecognised(TansiqError):
    code = "feeds.report.not_recognised"
    message = N_("Report {file} looks like none of the known feeds.")
    remedy = N_("Name its feed (`tansiq feeds list`), or map its columns with `csv --map`.")
    exit_code = 2


def detect(sample: Sample) -> list[tuple[str, Evidence]]:
    """The feeds that the report may be of, the likeliest first; empty when it looks like none."""
    found = [(feed.code, evidence) for feed in FEEDS if (evidence := feed.recognise(sample))]
    return sorted(found, key=lambda match: -match[1].percent)


def detected(sample: Sample) -> tuple[str, Evidence]:
    """The likeliest feed. Raises: NotRecognised."""
    if not (found := detect(sample)):
        raise NotRecognised(file=sample.name)
    return found[0]


def looks_like(feed: Feed, sample: Sample) -> tuple[str, Evidence] | None:
    """Another feed that the report is of beyond doubt, when ``feed`` was named for it; None when that may be right."""
    if feed.recognise(sample) or feed.code in GENERIC:
        return None
    best = next(iter(detect(sample)), None)
    return best if best and best[1].percent >= SURE_PERCENT else None
