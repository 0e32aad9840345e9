"""Bringing the claims of some teams to what a statement says: a comparison in memory, then a few statements in bulk."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection

from tansiq.core import claims as core
from tansiq.members.models import Claim, Team
from tansiq.members.statement import StatedTeam

BY_ROSTER = "roster:"
"""How the source of a claim begins that a federation's roster has verified."""
_BATCH = 500
_COLUMNS = (
    "pk",
    "team__code",
    "kind",
    "value",
    "valid_from",
    "valid_until",
    "verified",
    "source",
    "decision",
    "shipped",
)

_INSERTED = (
    "team",
    "kind",
    "value",
    "valid_from",
    "valid_until",
    "verified",
    "source",
    "decision",
    "shipped",
    "stated_at",
)

Annotation = tuple[str, str, bool]  # source, decision, shipped: may change without making it another claim


@dataclass(slots=True)
class Change:
    """What has to be written, by primary key, and of which teams."""

    new: int = 0
    teams: set[str] = field(default_factory=set)
    to_end: list[int] = field(default_factory=list)
    to_withdraw: list[int] = field(default_factory=list)
    of_roster: list[core.Claim] = field(default_factory=list)  # those that end though a roster has verified them
    to_annotate: dict[Annotation, list[int]] = field(default_factory=lambda: defaultdict(list))

    @property
    def ended(self) -> int:
        return len(self.to_end) + len(self.to_withdraw)

    @property
    def changed(self) -> int:
        return sum(map(len, self.to_annotate.values()))


def state(stated: Sequence[StatedTeam], teams: Mapping[str, Team], *, now: datetime, shipped: bool) -> Change:
    """Make the claims in force of ``teams`` those that are ``stated``."""
    wanted = {_identity(claim): claim for team in stated for claim in team.claims}
    silent = {team.code for team in stated if not team.names_claims}
    change = _compared(wanted, teams, silent, now=now, shipped=shipped)
    for batch in _batches(change.to_end):
        Claim.objects.filter(pk__in=batch).update(valid_until=now)
    for batch in _batches(change.to_withdraw):
        Claim.objects.filter(pk__in=batch).update(withdrawn_at=now)
    for (source, decision, ships), keys in change.to_annotate.items():
        for batch in _batches(keys):
            Claim.objects.filter(pk__in=batch).update(source=source, decision=decision, shipped=ships)
    _insert(wanted.values(), teams, now=now, shipped=shipped)
    change.new = len(wanted)
    change.teams |= {claim.team for claim in wanted.values()}
    return change


def _compared(
    wanted: dict[tuple[object, ...], core.Claim],
    teams: Mapping[str, Team],
    silent: Collection[str],
    *,
    now: datetime,
    shipped: bool,
) -> Change:
    """What to do with the claims that are there; takes those that can stay as they are out of ``wanted``.

    One that the statement lists otherwise (other times, no longer verified) is restated: the old row goes, past
    included, since the statement says what held when. One that it does not list ends now, and its past stays; but what
    a roster has verified is left where the statement is ``silent`` of the team's claims.
    """
    change = Change()
    listed = {identity[:3] for identity in wanted}
    rows = Claim.objects.filter(team__in=[team.pk for team in teams.values()], withdrawn_at=None)
    for key, team, kind, value, since, until, verified, source, decision, ships in rows.values_list(*_COLUMNS):
        said = wanted.pop((team, kind, value, since, until, verified), None)
        if said is not None:
            if (said.source, said.decision, shipped) == (source, decision, ships):
                continue
            change.to_annotate[said.source, said.decision, shipped].append(key)
        elif source.startswith(BY_ROSTER) and team in silent:
            continue
        elif (team, kind, value) in listed or (since is not None and since >= now):
            change.to_withdraw.append(key)
        elif until is None or until > now:
            change.to_end.append(key)
        else:
            continue
        change.teams.add(team)
        if said is None and source.startswith(BY_ROSTER) and (team, kind, value) not in listed:
            change.of_roster.append(core.Claim(team, kind, value, source=source))
    return change


def supersede(stated: Iterable[StatedTeam], *, now: datetime) -> list[core.Claim]:
    """Withdraw the shipped country claims that verified ones of the operator replace; they lose all effect."""
    countries = {claim.value for team in stated for claim in team.claims if claim.kind == "country" and claim.verified}
    shipped = Claim.objects.filter(kind="country", value__in=countries, shipped=True, withdrawn_at=None)
    replaced = [
        core.Claim(claim.team.code, "country", claim.value, source=claim.source)
        for claim in shipped.select_related("team").order_by("value")
    ]
    shipped.update(withdrawn_at=now)
    return replaced


def countries_given_by_operator() -> set[str]:
    given = Claim.objects.filter(kind="country", withdrawn_at=None, verified=True, shipped=False)
    return set(given.values_list("value", flat=True))


def _identity(claim: core.Claim) -> tuple[object, ...]:
    return (claim.team, claim.kind, claim.value, claim.valid_from, claim.valid_until, claim.verified)


def _insert(claims: Iterable[core.Claim], teams: Mapping[str, Team], *, now: datetime, shipped: bool) -> None:
    """One prepared statement for all: half a million claims would take the model layer most of a minute."""
    columns = [Claim._meta.get_field(name).column for name in _INSERTED]
    moment = connection.ops.adapt_datetimefield_value
    stated_at = moment(now)
    rows = (
        (
            teams[claim.team].pk,
            claim.kind,
            claim.value,
            moment(claim.valid_from),
            moment(claim.valid_until),
            claim.verified,
            claim.source,
            claim.decision,
            shipped,
            stated_at,
        )
        for claim in claims
    )
    quoted = ", ".join(map(connection.ops.quote_name, columns))
    places = ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {Claim._meta.db_table} ({quoted}) VALUES ({places})", rows)


def _batches(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(keys), _BATCH):
        yield keys[start : start + _BATCH]
