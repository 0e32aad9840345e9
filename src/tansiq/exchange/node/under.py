"""This node under a roster, as everything that works on its database is told of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from tansiq.exchange import roster_facts
from tansiq.exchange.custody import Keys
from tansiq.exchange.node.here import Here, no_blob
from tansiq.exchange.roster import Roster
from tansiq.members.in_force import current
from tansiq.members.models import Appointment

NO_KEYS = Keys((), {}, "")


def under(
    roster: Roster,
    *,
    code: str,
    now: datetime,
    keys: Keys = NO_KEYS,
    has_blob: Callable[[str], bool] = no_blob,
) -> Here:
    """The node ``code`` under ``roster``.

    Args:
        keys: in force, as ``custody.in_force`` gives them; without any the node can decide, not speak.
        has_blob: as ``Here`` has it.
    """
    facts = roster_facts.facts_of(roster, here=code, now=now)
    operators = roster_facts.operators(roster)
    return Here(
        code=code,
        realm=roster.realm,
        team=operators.get(code, ""),
        facts=facts,
        members=frozenset(facts.senders),
        community=roster_facts.community(roster),
        persons=_persons(now),
        secrets=keys.node,
        platform={team: secrets[0] for team, secrets in keys.platform.items()},
        certificates={node.code: node.present.certificate for node in roster.nodes if node.present},
        operators=operators,
        mail=roster_facts.addresses(roster),
        suspended=roster_facts.suspended(roster),
        has_blob=has_blob,
    )


def alone(here: Here) -> Here:
    """Before there was any roster: of no epoch, with no peers and no teams."""
    facts = replace(
        here.facts,
        epoch=0,
        node_keys={},
        senders=frozenset(),
        platform_keys={},
        homes={},
        former=frozenset(),
        forwarders=frozenset(),
    )
    return replace(
        here,
        facts=facts,
        members=frozenset(),
        community=frozenset(),
        certificates={},
        operators={},
        mail={},
        suspended=frozenset(),
    )


def _persons(now: datetime) -> Mapping[str, str]:
    """Person -> team, of those who act for one here. Of several the first counts."""
    held = Appointment.objects.filter(current(now), team__isnull=False, person__is_active=True)
    pairs = held.order_by("-team__code").values_list("person__code", "team__code")
    return dict(pairs)
