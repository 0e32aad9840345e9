"""CZ.NIC PROKI: events about a network, as one JSON document around IntelMQ's flat keys.

Described at https://csirt.cz/en/proki/.
"""

from __future__ import annotations

from tansiq.core.errors import N_
from tansiq.feeds.feed import Document, Evidence, Feed, Sample
from tansiq.feeds.parsers import intelmq
from tansiq.feeds.parsers.json_records import records


def recognise(sample: Sample) -> Evidence | None:
    text = sample.head.decode("utf-8", "replace").lstrip()
    if text.startswith("{") and '"status"' in text and '"data"' in text and '"classification.type"' in text:
        return Evidence(96, N_("It is a document with a status and events in IntelMQ's keys."))
    return None


FEED = Feed(
    code="cznic-proki",
    title="CZ.NIC PROKI",
    licence="For the networks concerned",
    cadence_minutes=24 * 60,
    shape=Document(records),
    columns=intelmq.COLUMNS,
    translate=intelmq.translate,
    recognise=recognise,
)
