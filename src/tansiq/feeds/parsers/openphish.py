"""OpenPhish: phishing URLs, one a line, without times. https://openphish.com/"""

from __future__ import annotations

import re

from tansiq.core.errors import N_
from tansiq.feeds.feed import Evidence, Feed, Plain, Sample
from tansiq.feeds.parsers import plain


def recognise(sample: Sample) -> Evidence | None:
    lines = [line.strip() for line in sample.lines if line.strip()]
    if not lines or not all(re.match(r"https?://\S+$", line) for line in lines):
        return None
    if "openphish" in sample.name.lower():
        return Evidence(92, N_("It is a list of single values and has the name of this list."))
    return (
        Evidence(70, N_("It is a bare list of URLs and has the name of this list."))
        if sample.name.lower() == "feed.txt"
        else None
    )


FEED = Feed(
    code="openphish",
    title="OpenPhish: phishing URLs",
    licence="Free for personal and non-commercial use",
    cadence_minutes=12 * 60,
    shape=Plain(comments=("#",), notes=()),
    sure={"tag": "phishing"},
    rsit_type="phishing",
    tlp="TLP:GREEN",
    translate=plain.translate,
    recognise=recognise,
)
