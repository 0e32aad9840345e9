"""What people who look after the links do: each asks its rule, and is on record."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from tansiq.audit import actions as audit
from tansiq.core.decision import no
from tansiq.core.errors import N_, TansiqError
from tansiq.exchange import markings, rules
from tansiq.exchange.models import Alarm, Link, SharedObject
from tansiq.exchange.node import alarms, comparing, life, listing, recalls, rosters, settling
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.looking import Look
from tansiq.exchange.node.status import LASTING
from tansiq.exchange.reasons import Reason
from tansiq.exchange.values import Unfit
from tansiq.sharing.recipients import ToReader, decide_recipient


class NothingToKeep(TansiqError):
    code = "exchange.keep.nothing"
    message = N_("Nothing of the name {object} that came from another node is here, or it is not yours to see.")
    remedy = N_("Copy the name from the case or the message that it belongs to. What was recalled is gone already.")
    exit_code = 2


class NotAsked(TansiqError):
    code = "exchange.waive.not_asked"
    message = N_("This node does not wait for {peer}.")
    remedy = N_("It has answered in the meantime, or has left the federation: look at the list again.")
    exit_code = 2


def compare(look: Look, peer: str) -> None:
    """Have a link compared as soon as that may be. Raises: NotAllowed."""
    here = _present(look)
    rules.may_compare(operator=look.operator, by=look.viewer).require()
    with transaction.atomic():
        comparing.want(here, peer, look.now)
        audit.record("exchange.comparison_asked", ("node", peer), by=look.viewer, now=look.now)


def end_alarm(look: Look, number: int) -> bool:
    """Somebody did what it asks for. Whether it was still open. Raises: NotAllowed."""
    rules.may_end_alarm(operator=look.operator, by=look.viewer).require()
    with transaction.atomic():
        alarm = Alarm.objects.filter(pk=number, ended_at=None).first()
        if alarm is None:
            return False
        if alarm.code in LASTING:
            no("exchange.alarm.lasting").require()
        alarms.end_alarm(alarm.code, alarm.peer, look.now, by=look.viewer.name)
        item = ("node", alarm.peer or _present(look).code)
        audit.record("exchange.alarm_ended", item, by=look.viewer, now=look.now, alarm=alarm.code)
        return True


def waive(look: Look, peer: str, *, reason: str) -> None:
    """Do not wait for a peer while this node is held; it may be released by it. Raises: NotAllowed, NotAsked."""
    life.may_waive(_present(look), by=look.viewer).require()
    if not Link.objects.filter(peer=peer, asking_since__isnull=False, waived_at=None).exists():
        raise NotAsked(peer=peer)
    life.waive(_with_keys(look), peer, by=look.viewer, reason=reason, now=look.now)


def retry(look: Look, number: int) -> None:
    """Raises: NotAllowed, settling.NotWaiting."""
    _decidable(look, number)
    settling.retry(_with_keys(look), number, look.viewer, look.now)


def refuse(look: Look, number: int) -> None:
    """Raises: NotAllowed, settling.NotWaiting."""
    _decidable(look, number)
    settling.refuse(_with_keys(look), number, look.viewer, look.now)


def keep(look: Look, object_id: str, reason: Reason, *, why: str) -> None:
    """Keep another's object against its recall. Only by who may see it, so that nobody learns here what there is.

    Raises: NotAllowed, NothingToKeep.
    """
    here = _present(look)
    recalls.may_keep(here, by=look.viewer).require()
    shared = SharedObject.objects.filter(object=object_id).select_related("statement__marking").first()
    if shared is None or shared.statement is None or here.lives_here(shared.owner) or not _sees(look, shared):
        raise NothingToKeep(object=object_id)
    recalls.keep(here, object_id, reason, by=look.viewer, now=look.now, why=why)


def _decidable(look: Look, number: int) -> None:
    """Asked before the node's keys are: who may not decide learns nothing of them."""
    entry = listing.waiting_one(look, number)
    if entry is None:
        raise settling.NotWaiting(number=number)
    entry.may.require()


def _sees(look: Look, shared: SharedObject) -> bool:
    try:
        marked = markings.read(shared.statement.marking.text)
    except Unfit:
        return False
    return not life.is_held() and bool(decide_recipient(marked, ToReader(look.viewer), look.now))


def _present(look: Look) -> Here:
    """Raises: NotAllowed, while there is no roster: nobody is anybody's peer yet."""
    if look.here is None:
        no("exchange.links.no_roster").require()
    assert look.here is not None
    return look.here


def _with_keys(look: Look) -> Here:
    """What follows from it may have to be signed. Raises: what is wrong with the node's keys."""
    _present(look)
    here = rosters.here(settings.HOME, now=look.now)
    assert here is not None
    return here
