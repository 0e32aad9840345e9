"""Teams that a roster moved here, until their data was taken in: nothing is said for them so long (section 10.8).

Peers still have what such a team said on its former host. Of that this node knows nothing yet: what it would say or
recall now would contradict it, and what it would disown would be gone everywhere before its file is here.
"""

from __future__ import annotations

from datetime import datetime

from tansiq.core.errors import N_, TansiqError
from tansiq.exchange.body import Envelope
from tansiq.exchange.models import Awaited, SharedObject
from tansiq.exchange.node import alarms
from tansiq.exchange.node.tombstones import FIELDS, recall_of, set_recall
from tansiq.exchange.receiving import Recall
from tansiq.exchange.roster import Roster, RosterTeam

ALARM = "exchange.awaited"


class NotTakenIn(TansiqError):
    code = "exchange.move.awaited"
    message = N_("Team {team} moved here, and its data was not taken in yet; until then nothing is said for it.")
    remedy = N_(
        "Take it in: `tansiq members move {team} --from NODE --in FILE`. If nothing can be had: `--without REASON`."
    )
    exit_code = 4


def teams() -> frozenset[str]:
    return frozenset(Awaited.objects.values_list("team", flat=True))


def is_awaited(team: str) -> bool:
    return Awaited.objects.filter(team=team).exists()


def require_taken(team: str) -> None:
    """Raises: NotTakenIn."""
    if is_awaited(team):
        raise NotTakenIn(team=team)


def on_roster(known: Roster | None, newest: Roster, code: str, now: datetime) -> None:
    """Await the teams that come to this node by ``newest``; no more those that it took away. Before what else follows
    from it.

    Args:
        known: the roster before; None: this is the first here.
        code: of this node.
    """
    living = [team for team in newest.teams if team.node == code]
    Awaited.objects.exclude(team__in=[team.code for team in living]).delete()
    come = [Awaited(team=team.code, since=now) for team in living if _has_come(known, team, code)]
    Awaited.objects.bulk_create(come, ignore_conflicts=True)
    _tell(now)


def _has_come(known: Roster | None, team: RosterTeam, code: str) -> bool:
    """Did it live on another node after ``known``?"""
    before = known.team(team.code) if known else None
    through = known.epoch if known and before and before.node == code else 0
    elsewhere = [key for key in team.platform_keys if key.node != code]
    return any(key.until_epoch is None or key.until_epoch > through for key in elsewhere)


def ended(team: str, now: datetime) -> bool:
    """Its data is here, or nobody waits for it any more. Whether it was awaited."""
    count, _by_model = Awaited.objects.filter(team=team).delete()
    _tell(now)
    return bool(count)


def hear_of(shared: SharedObject, envelope: Envelope, now: datetime) -> None:
    """A peer has this of an awaited team: whatever is said of it later is above that."""
    shared.kind = shared.kind or envelope.kind
    set_recall(shared, recall_of(shared).joined(Recall(narrowed=envelope.version)))
    shared.save(update_fields=["kind", *FIELDS])


def _tell(now: datetime) -> None:
    if awaited := teams():
        alarms.raise_alarm(ALARM, "", {"teams": ", ".join(sorted(awaited))}, now)
    else:
        alarms.end_alarm(ALARM, "", now)
