"""Communication checks: this node's own, once a month; and the mails that tell people here of those of others."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction

from tansiq.core.errors import N_
from tansiq.core.home import Home
from tansiq.core.language import catalogue
from tansiq.core.viewer import Viewer
from tansiq.exchange.models import CheckHeard, RosterRecord
from tansiq.exchange.node import check_reports, checking, holding, rosters
from tansiq.exchange.sending import Way
from tansiq.members.models import Node
from tansiq.members.queries import home_language
from tansiq.members.queries.contacts import called_now
from tansiq.notices import mail

SUBJECT = N_("{team} checks whether messages reach you")
ASKED = N_(
    "{team} checks whether its messages arrive at this node and whether somebody sees them. Nothing has happened.\n\n"
    "Please say that you have seen it: {address}\n\n"
    "They see how many minutes it took."
)
STALE = timedelta(days=1)
"""A check that came later than this after it was sent waits on the page, and wakes nobody."""
LEAST_BETWEEN = timedelta(hours=1)
"""Of two checks of one team: the second waits on the page, lest anybody can flood people's mailboxes."""
SETTLED = timedelta(days=1)
"""So long a node is in the federation before it checks by itself."""


def people_wait(now: datetime) -> bool:
    return CheckHeard.objects.filter(told_at=None).exists()


def tell_people(address: str, *, now: datetime) -> int:
    """Queue mails to whoever is on duty here, for checks that just came. Returns: how many mails.

    Args:
        address: of the portal, where they are answered.
    """
    return sum(_told(row, address, now) for row in CheckHeard.objects.filter(told_at=None).order_by("pk"))


@transaction.atomic
def _told(row: CheckHeard, address: str, now: datetime) -> int:
    is_loud = now - row.sent_at < STALE and not _told_lately(row.team, now)
    if not CheckHeard.objects.filter(pk=row.pk, told_at=None).update(told_at=now):
        return 0  # another worker was faster
    node = Node.objects.select_related("team").first()
    if not is_loud or node is None or node.team is None:
        return 0
    to, own = called_now(node.team, now=now), home_language()
    for email, spoken in to:
        language = spoken or own
        words = catalogue(language).gettext
        text = words(ASKED).format(team=row.team, address=f"{address}/checks/")
        mail.enqueue(email, words(SUBJECT).format(team=row.team), text, language=language, now=now)
    CheckHeard.objects.filter(pk=row.pk).update(mails=len(to))
    return len(to)


def _told_lately(team: str, now: datetime) -> bool:
    return CheckHeard.objects.filter(team=team, mails__gt=0, told_at__gt=now - LEAST_BETWEEN).exists()


def begin_monthly(home: Home, closed: Mapping[Way, str], now: datetime) -> int:
    """Begin the month's check of all links; how many peers. Nothing while the node is held, or new."""
    here = rosters.here(home, now=now)
    if here is None or not here.team or not here.peers or holding.is_held() or not check_reports.is_due(now):
        return 0
    if not RosterRecord.objects.filter(accepted_at__lte=now - SETTLED).exists():
        return 0
    checking.begin(here, sorted(here.peers), by=Viewer.system(because="check"), people=True, closed=closed, now=now)
    return len(here.peers)
