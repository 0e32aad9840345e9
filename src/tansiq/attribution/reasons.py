"""The reasons that attribution stores, read back: which sentence says it, and with which values.

Stored reasons are short and in English, the same in every table; a front door translates the sentence and fills it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tansiq.core.errors import N_

_SENTENCES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"cidr (?P<value>\S+)"), N_("the team answers for the prefix {value}")),
    (re.compile(r"domain (?P<value>\S+)"), N_("the team answers for the domain {value}")),
    (re.compile(r"asn (?P<value>\S+)"), N_("the team answers for {value}")),
    (re.compile(r"country (?P<value>\S+)"), N_("the team answers for the country {value}")),
    (
        re.compile(r"tie (?:cidr|domain|asn|country) (?P<value>\S+): (?P<teams>.+)"),
        N_("several teams claim {value}: {teams}; nobody is told until they agree"),
    ),
    (
        re.compile(r"contested (?:cidr|domain) (?P<value>\S+): (?P<team>.+) inside (?P<others>.+)"),
        N_("{team} claims {value}, which lies inside what {others} answers for; nobody is told until they agree"),
    ),
    (re.compile(r"none: no claim covers it"), N_("no team claims it")),
    (re.compile(r"none: address not in the table"), N_("the address tables do not know it, and no team claims it")),
)
PARTS = N_("{reason}; parts of it are otherwise: {others}")


class Reason(NamedTuple):
    """A sentence with named placeholders and what fills them; ``others``: who else answers for parts, or empty."""

    sentence: str
    values: dict[str, str]
    others: str


def read(stored: str) -> Reason:
    """What a stored reason says. One that this program does not know yet is its own sentence."""
    whole, _semicolon, others = stored.partition("; parts: ")
    for pattern, sentence in _SENTENCES:
        if found := pattern.fullmatch(whole):
            return Reason(sentence, found.groupdict(), others)
    return Reason(whole.replace("{", "{{").replace("}", "}}"), {}, others)
