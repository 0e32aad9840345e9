"""The rule of attribution: who answers for one key of the claim table, from when on, and why.

A *key* is a network, a domain, an AS or a country that some team claims. Keys of networks and domains enclose one
another. For every key the rule yields a *timeline*: the verdict from each moment at which it changes, with what the
enclosing keys say wherever nobody claims the key itself. Looking an event up is then one search for its most specific
key and one for its moment, whatever the number of claims.

The rule (docs/explanation/attribution.md):

1. Only verified claims count. An unverified one neither wins, nor ties, nor contests.
2. A claim lives from ``valid_from`` until just before ``valid_until``.
3. A claim strictly inside another team's living, uncontested claim is contested, unless a decision lets it stand.
   Judged from the outside in; a team's own claims never contest it.
4. The most specific key with a living claim decides: several teams are a tie, a contested claim is contested, and
   both stop there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Final, NamedTuple

from tansiq.core.claims import Claim, Kind

CONFIDENCE_PERCENT: Final[dict[str, int]] = {"cidr": 95, "domain": 90, "asn": 80, "country": 60}
"""How sure the level makes us. A tie, a contest and an absence of claims are 0: nobody is told on such ground."""

CONFIDENCE_BY_FEED_PERCENT: Final[dict[str, int]] = {"asn": 60, "country": 40}
"""The same where only the feed says which AS or country it is: its table is of unknown age."""

WAYS: Final[tuple[str, ...]] = ("none", "cidr", "domain", "asn", "country", "tie", "contested")
"""The values of ``attributed_by``."""

BEGINNING: Final = -(1 << 63)
"""Before every moment; moments are microseconds since 1970 (UTC)."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whom an event concerns (``team`` is empty when nobody can be told), by which level, why, and how sure."""

    attributed_by: str
    team: str
    reason: str
    confidence_percent: int

    def by_feed(self) -> Verdict:
        """The same verdict where only the feed says which AS or country the event belongs to."""
        if self.attributed_by not in CONFIDENCE_BY_FEED_PERCENT:
            return self
        percent = CONFIDENCE_BY_FEED_PERCENT[self.attributed_by]
        return replace(self, reason=f"{self.reason} by feed", confidence_percent=percent)


NO_CLAIM = Verdict("none", "", "none: no claim covers it", 0)
UNKNOWN_ADDRESS = Verdict("none", "", "none: address not in the table", 0)
NO_SUBJECT = Verdict("none", "", "none: no address, name, AS or country", 0)


class Turn(NamedTuple):
    """What holds from ``at`` on: the verdict, and the teams whose uncontested claims reach down to this key."""

    at: int
    verdict: Verdict
    standing: frozenset[str]


Timeline = tuple[Turn, ...]
"""Ascending turns, the first at ``BEGINNING``."""

NOBODY: Timeline = (Turn(BEGINNING, NO_CLAIM, frozenset()),)


def microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def timeline(kind: Kind, value: str, claims: Sequence[Claim], enclosing: Timeline = NOBODY) -> Timeline:
    """What holds for one key over time.

    Args:
        claims: the verified claims of exactly this key, of any team and time.
        enclosing: the timeline of the nearest claimed key around it.
    """
    spans = [_span(claim) for claim in claims]
    moments = sorted({turn.at for turn in enclosing}.union(*spans) - {_END})
    turns: list[Turn] = []
    for moment in moments:
        around = enclosing[bisect_right(enclosing, moment, key=_at) - 1]
        live = [claim for claim, (start, end) in zip(claims, spans, strict=True) if start <= moment < end]
        turn = Turn(moment, *judge(kind, value, live, around.standing)) if live else around._replace(at=moment)
        if not turns or turn[1:] != turns[-1][1:]:
            turns.append(turn)
    return tuple(turns)


def judge(kind: Kind, value: str, live: Iterable[Claim], enclosing: frozenset[str]) -> tuple[Verdict, frozenset[str]]:
    """The verdict on a key at one moment, and the teams that then stand at it or around it.

    Args:
        live: the claims of this key that live at the moment; at least one.
        enclosing: the teams whose uncontested claims enclose this key at the moment.
    """
    teams = sorted({claim.team for claim in live})
    settled = {claim.team for claim in live if claim.decision}
    standing = enclosing.union(team for team in teams if team in settled or enclosing <= {team})
    others = " ".join(sorted(enclosing.difference(teams))) if len(settled) < len(teams) else ""
    key = f"{kind} AS{value}" if kind == "asn" else f"{kind} {value}"
    parties = " ".join(teams) + (f" inside {others}" if others else "")
    if len(teams) > 1:
        return Verdict("tie", "", f"tie {key}: {parties}", 0), standing
    if others:
        return Verdict("contested", "", f"contested {key}: {parties}", 0), standing
    return Verdict(kind, teams[0], key, CONFIDENCE_PERCENT[kind]), standing


_END: Final = 1 << 63
_at = attrgetter("at")


def _span(claim: Claim) -> tuple[int, int]:
    start = BEGINNING if claim.valid_from is None else microseconds(claim.valid_from)
    end = _END if claim.valid_until is None else microseconds(claim.valid_until)
    return start, end
