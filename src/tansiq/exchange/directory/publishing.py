"""A team's own words, published when they change: in the transaction that changed them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.conf import settings

from tansiq.core.errors import TansiqError
from tansiq.core.marking import Marking
from tansiq.exchange.directory import content
from tansiq.exchange.directory.kinds import CLAIMS, CONTACTS, KEYS, LABELS, PROFILE
from tansiq.exchange.models import SharedObject
from tansiq.exchange.node import alarms, awaiting, holding, publishing, rosters, statements
from tansiq.exchange.node.here import Here
from tansiq.members.models import Team


def publish_changes(here: Here, codes: Collection[str] | None, now: datetime, *, is_said_anew: bool = False) -> int:
    """Publish what the teams that live here say otherwise than they last said; how many objects that were.

    Args:
        codes: of teams of which something may have changed; None: all that live here.
        is_said_anew: also what they last said: it was signed by a key that proves nothing any more.
    """
    living = here.teams_of.get(here.code, frozenset()) - awaiting.teams()
    wanted = living if codes is None else living & set(codes)
    count = 0
    for team in Team.objects.filter(code__in=wanted & set(here.platform)).order_by("code"):
        said = _said(team.code)
        for kind, name, payload in content.payloads(team):
            last = said.pop(f"{team.code}:{name}", None)
            if (last == payload and not is_said_anew) or (last is None and _is_empty(kind, payload)):
                continue
            marking = Marking(LABELS[kind], team.code)
            publishing.publish(here, kind=kind, name=name, payload=payload, markings=[marking], team=team.code, now=now)
            count += 1
        for gone in said:  # parts of claims that the team has no more
            publishing.withdraw(here, gone, now)
    return count


def on_change(codes: Collection[str], now: datetime) -> None:
    """Where the keys cannot be read, or the node is held, the change goes later: everything is looked through again
    at every start, when a node is held no more, and every day."""
    try:
        here = rosters.here(settings.HOME, now=now)
    except TansiqError as error:
        alarms.raise_alarm("exchange.custody", "", {"code": error.code}, now)
        return
    if here is not None and not holding.is_held():
        publish_changes(here, codes, now)


def _said(team: str) -> dict[str, content.Payload]:
    """Object -> payload, of what the team last said in the directory's kinds and did not withdraw."""
    rows = SharedObject.objects.filter(owner=team, kind__in=LABELS, statement__isnull=False, withheld=False)
    return {row.object: statements.said(row.statement).payload for row in rows.select_related("statement__marking")}


def _is_empty(kind: str, payload: content.Payload) -> bool:
    """Nothing to say yet: a team without keys does not say that it has none."""
    keys = {PROFILE: "name", CONTACTS: "contacts", KEYS: "certificates", CLAIMS: "claims"}
    return not payload[keys[kind]]
