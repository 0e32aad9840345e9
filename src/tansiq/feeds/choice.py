"""Which feed a report is of: the one named, unless the report is plainly another's; or the one it looks like."""

from __future__ import annotations

from tansiq.core.errors import N_, TansiqError
from tansiq.feeds.catalogue import FEEDS
from tansiq.feeds.detect import detect, looks_like
from tansiq.feeds.feed import Feed, Sample

AUTO = "auto"
SURE_PERCENT = 80
"""From here on a report is held to be of another feed than the one that was named."""


class UnknownFeed(TansiqError):
    code = "feeds.feed.unknown"
    message = N_("There is no feed {feed}.")
    remedy = N_("Choose one of: {known}; or auto.")
    exit_code = 2


class Unrecognised(TansiqError):
    code = "feeds.report.unrecognised"
    message = N_("Report {file} looks like none of the known feeds.")
    remedy = N_("Name its feed, or describe its columns: tansiq feeds ingest csv {file} --map ip=COLUMN …")
    exit_code = 3


class WrongFeed(TansiqError):
    code = "feeds.report.wrong_feed"
    message = N_("Report {file} is not of feed {feed}: it looks like {other} ({percent} %).")
    remedy = N_("Ingest it as {other}, or with auto.")
    exit_code = 3


def named(code: str) -> Feed | None:
    """The feed of that code; None for ``auto``. Raises: UnknownFeed."""
    if code == AUTO:
        return None
    feed = next((feed for feed in FEEDS.values() if feed.code == code), None)
    if feed is None:
        raise UnknownFeed(feed=code, known=", ".join(sorted(FEEDS)))
    return feed


def chosen(feed: Feed | None, sample: Sample, *, file: str) -> Feed:
    """The feed to read this report as. Raises: Unrecognised, WrongFeed."""
    if feed is not None and looks_like(feed, sample):
        return feed
    best = next(iter(detect(sample)), None)
    if feed is None:
        if best is None:
            raise Unrecognised(file=file)
        return FEEDS[best[0]]
    if best is not None and best[0] != feed.code and best[1].percent >= SURE_PERCENT:
        raise WrongFeed(file=file, feed=feed.code, other=best[0], percent=best[1].percent)
    return feed
