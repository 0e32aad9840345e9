"""Scripts of ipset: ``add SET VALUE`` lines; the commands around them are no records."""

from __future__ import annotations

from tansiq.core.errors import N_
from tansiq.feeds.feed import Evidence, Feed, Plain, Sample
from tansiq.feeds.parsers import plain

COMMANDS = ("iptables ", "ip6tables ", "ipset create", "ipset -N", "ipset flush", "create ", "flush ", "-N ", "COMMIT")


def recognise(sample: Sample) -> Evidence | None:
    if any(line.startswith(("ipset add ", "ipset -A ", "add ")) for line in sample.lines):
        return Evidence(90, N_("It is a script that fills sets of addresses."))
    return None


FEED = Feed(
    code="ipset",
    title="Sets of addresses as ipset scripts",
    licence="Whatever its source says",
    cadence_minutes=24 * 60,
    shape=Plain(comments=("#", *COMMANDS)),
    translate=plain.translate,
    recognise=recognise,
)
