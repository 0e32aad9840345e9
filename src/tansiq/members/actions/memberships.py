"""The federation's word on who is a member of what, brought into a node's register, which keeps it like its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from tansiq.audit.actions import record
from tansiq.core.viewer import Viewer
from tansiq.members import rules
from tansiq.members.models import MembershipPeriod, Standing, Team
from tansiq.members.queries.periods import facts
from tansiq.members.words import COMMUNITY, PERIOD_CATEGORIES

BY, _NOT_OWN = "exchange", ("exchange", "shipped")


@dataclass(frozen=True, slots=True)
class StatedMembership:
    """Of one team: its categories in force, or of a suspended one those that were; whether TLP:GREEN names it."""

    categories: frozenset[str] = frozenset()
    suspended: bool = False
    community: bool = False


def state_memberships(
    said: Mapping[str, StatedMembership], *, source: str, by: Viewer, now: datetime
) -> frozenset[str]:
    """Make the register say of the teams in ``said``, by code, what is said of them: no other category is in force, and
    its past stays. Again changes nothing. In the caller's transaction.

    Args:
        source: of the word, for pages; what a period that it begins or ends rests on.

    Returns: codes of the teams of which something gave way that was recorded in this register.
    """
    teams = Team.objects.in_bulk(said.keys(), field_name="code")
    rows = MembershipPeriod.objects.filter(team__in=teams.values()).select_related("team")
    periods: dict[str, list[MembershipPeriod]] = defaultdict(list)
    for period in rows.prefetch_related("standings").order_by("pk"):
        periods[period.team.code].append(period)
    gave_way = set()
    for code, team in sorted(teams.items()):
        bringing = _Bringing(team, said[code], source, now)
        bringing.bring(periods[code])
        if bringing.changed:
            told = {"categories": sorted(said[code].categories), "suspended": said[code].suspended}
            record("membership.by_roster", team, by=by, now=now, source=source, **told)
        if bringing.gave_way:
            gave_way.add(code)
    return frozenset(gave_way)


class _Bringing:
    """One team. ``gave_way``: something that was recorded here says otherwise now."""

    def __init__(self, team: Team, said: StatedMembership, source: str, now: datetime) -> None:
        self.team, self.said, self.source, self.now = team, said, source, now
        self.day = now.date()
        self.state = "suspended" if said.suspended else "active"
        self.changed = self.gave_way = False

    def bring(self, periods: Sequence[MembershipPeriod]) -> None:
        present = [period for period in periods if _is_running(period, self.day)]
        for period in present:
            if period.category in self.said.categories:
                self._keep(period)
            else:
                self._end(period)
        wanted = self.said.categories - {period.category for period in present}
        for category in (known for known in PERIOD_CATEGORIES if known in wanted):
            self._begin(category, periods)

    def _keep(self, period: MembershipPeriod) -> None:
        if _state(period, self.day) != self.state:
            self._stands(period, self.state)
            self._note(period)
        agreed = bool(period.community_agreement)
        if period.category == "commercial" and (self._agreed() if not agreed else not self.said.community):
            period.community_agreement = self._agreement()
            self._note(period)
        MembershipPeriod.objects.filter(pk=period.pk).update(
            shipped=False, community_agreement=period.community_agreement
        )

    def _end(self, period: MembershipPeriod) -> None:
        """One that is suspended by the register's own word is not in force anyhow."""
        last = period.standings.all()
        is_ours = bool(last) and max(last, key=lambda one: (one.since, one.pk)).recorded_by == BY
        if _state(period, self.day) != "active" and not is_ours:
            return
        if period.since is None or period.since < self.day:
            MembershipPeriod.objects.filter(pk=period.pk).update(until=self.day, shipped=False)
        self._stands(period, "expired")
        self._note(period)

    def _begin(self, category: str, periods: Sequence[MembershipPeriod]) -> None:
        """Since when a team has been a member a roster does not say. A period that is to begin later stays."""
        later = [one.since for one in periods if one.category == category and one.since and one.since > self.day]
        period = MembershipPeriod.objects.create(
            team=self.team,
            category=category,
            until=min(later, default=None),
            source=self.source,
            community_agreement=self._agreement() if category == "commercial" else "",
            recorded_by=BY,
            recorded_at=self.now,
        )
        if self.said.suspended:
            self._stands(period, self.state)
        self.changed = True

    def _agreed(self) -> bool:
        """Only an agreement makes a commercial member one of the community, if nothing else does."""
        return self.said.community and not self.said.categories & COMMUNITY

    def _agreement(self) -> str:
        return self.source if self._agreed() else ""

    def _stands(self, period: MembershipPeriod, state: str) -> None:
        Standing.objects.create(
            period=period, state=state, since=self.day, decision=self.source, recorded_by=BY, recorded_at=self.now
        )

    def _note(self, period: MembershipPeriod) -> None:
        self.changed = True
        self.gave_way = self.gave_way or period.recorded_by not in _NOT_OWN


def _is_running(period: MembershipPeriod, day: date) -> bool:
    """Begun and not over, however it stands."""
    return (period.since is None or period.since <= day) and (period.until is None or day < period.until)


def _state(period: MembershipPeriod, day: date) -> str:
    return rules.state_on(facts([period])[0], day)
