"""The Secretariat's register: who became a member of which category when, by which decision, and how that stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db import IntegrityError, transaction

from tansiq.audit.actions import record
from tansiq.core.errors import N_, TansiqError
from tansiq.core.viewer import Viewer
from tansiq.members import rules
from tansiq.members.models import MembershipPeriod, Standing, Team
from tansiq.members.queries.periods import full_members
from tansiq.members.words import PERIOD_CATEGORIES, PRECISIONS, STANDINGS

TEXT_LIMIT = 300


class OpenAlready(TansiqError):
    code = "members.period.open_already"
    message = N_("{team} has a period of this category already, and it has not ended.")
    remedy = N_("End that one first, or correct it.")
    exit_code = 2


class BadPeriod(TansiqError):
    code = "members.period.order"
    message = N_("The period ends ({until}) before it begins ({since}), or on that very day.")
    remedy = N_("Write an end after the beginning.")
    exit_code = 2


class UnknownWord(TansiqError):
    code = "members.period.unknown"
    message = N_("{value} is not known here.")
    remedy = N_("Use {allowed}.")
    exit_code = 2


class Undecided(TansiqError):
    code = "members.period.undecided"
    message = N_("Nothing says by which decision this is so.")
    remedy = N_("Name the decision or the document that it rests on.")
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Opened:
    """``contenders``: codes of other voting Full Members of the same state; the Board has to decide between them."""

    period: MembershipPeriod
    contenders: tuple[str, ...]


@transaction.atomic
def open_period(
    team: Team,
    category: str,
    *,
    decision: str,
    by: Viewer,
    now: datetime,
    since: date | None = None,
    since_precision: str = "day",
    until: date | None = None,
    source: str = "",
    community_agreement: str = "",
) -> Opened:
    """Raises: NotAllowed; UnknownWord, Undecided, BadPeriod, OpenAlready."""
    rules.may_keep_register(by=by).require()
    known(category, PERIOD_CATEGORIES)
    known(since_precision, PRECISIONS)
    if not decision.strip():
        raise Undecided()
    in_order(since, until)
    try:
        with transaction.atomic():
            period = MembershipPeriod.objects.create(
                team=team,
                category=category,
                since=since,
                since_precision=since_precision,
                until=until,
                decision=decision.strip()[:TEXT_LIMIT],
                source=source.strip()[:TEXT_LIMIT],
                community_agreement=community_agreement.strip()[:TEXT_LIMIT],
                recorded_by=by.name,
                recorded_at=now,
            )
    except IntegrityError:
        raise OpenAlready(team=team.code) from None
    contenders = _contenders(team, category, now.date())
    record("membership.opened", team, by=by, now=now, category=category, since=since, contenders=contenders)
    return Opened(period, contenders)


@transaction.atomic
def end_period(period: MembershipPeriod, *, until: date, decision: str, by: Viewer, now: datetime) -> MembershipPeriod:
    """The period no longer holds from the day ``until`` on. Raises: NotAllowed; Undecided, BadPeriod."""
    rules.may_keep_register(by=by).require()
    if not decision.strip():
        raise Undecided()
    in_order(period.since, until)
    period.until, period.shipped = until, False
    period.save(update_fields=["until", "shipped"])
    Standing.objects.create(
        period=period, state="expired", since=until, decision=decision.strip()[:TEXT_LIMIT], recorded_by=by.name,
        recorded_at=now,
    )  # fmt: skip
    record("membership.ended", period.team, by=by, now=now, category=period.category, until=until)
    return period


@transaction.atomic
def set_standing(
    period: MembershipPeriod, state: str, *, since: date, decision: str, by: Viewer, now: datetime
) -> Standing:
    """Suspend, revoke, withdraw or restore from a day on. Raises: NotAllowed; UnknownWord, Undecided."""
    rules.may_keep_register(by=by).require()
    known(state, STANDINGS)
    if not decision.strip():
        raise Undecided()
    standing = Standing.objects.create(
        period=period,
        state=state,
        since=since,
        decision=decision.strip()[:TEXT_LIMIT],
        recorded_by=by.name,
        recorded_at=now,
    )
    MembershipPeriod.objects.filter(pk=period.pk).update(shipped=False)
    record("membership.standing", period.team, by=by, now=now, category=period.category, state=state, since=since)
    return standing


@transaction.atomic
def agree_community(period: MembershipPeriod, agreement: str, *, by: Viewer, now: datetime) -> MembershipPeriod:
    """Record, or with an empty text take back, the agreement by which a commercial member is of the community.

    Raises: NotAllowed.
    """
    rules.may_keep_register(by=by).require()
    period.community_agreement, period.shipped = agreement.strip()[:TEXT_LIMIT], False
    period.save(update_fields=["community_agreement", "shipped"])
    agreed = bool(period.community_agreement)
    record("membership.community", period.team, by=by, now=now, category=period.category, agreed=agreed)
    return period


def known(value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise UnknownWord(value=value[:80], allowed=", ".join(allowed))


def in_order(since: date | None, until: date | None) -> None:
    if since and until and since >= until:
        raise BadPeriod(since=since.isoformat(), until=until.isoformat())


def _contenders(team: Team, category: str, day: date) -> tuple[str, ...]:
    if category != "full" or not team.country:
        return ()
    return tuple(code for code in full_members(team.country, day=day) if code != team.code)
