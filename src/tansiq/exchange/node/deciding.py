"""May a node have this now? Decided once for each set of markings and node, however many objects have it (1.6, 8.3)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from tansiq.core.marking import Marking
from tansiq.exchange import markings, recall
from tansiq.exchange.body import Version
from tansiq.exchange.models import MarkingSet, SharedObject, Statement
from tansiq.exchange.node.here import Here

_AT_ONCE = 500


class Going(NamedTuple):
    """A version that somebody is to have. ``marking`` is the key of its set."""

    statement: int
    object: str
    kind: str
    marking: str


def going_of(statement: Statement) -> Going:
    return Going(statement.pk, statement.object, statement.kind, statement.marking_id)


class Deciding:
    """The decisions of one moment, under one roster; made anew for each transaction."""

    def __init__(self, here: Here, now: datetime) -> None:
        self.here, self.now = here, now
        self._texts: dict[str, str] = {}
        self._known: dict[tuple[str, str], bool] = {}

    def peers(self, marked: Sequence[Marking]) -> frozenset[str]:
        """The nodes that may have what is marked so."""
        return frozenset(peer for peer in self.here.peers if self.here.may_have(peer, marked, self.now))

    def may_have(self, peer: str, key: str) -> bool:
        """``key``: of a set of markings that ``learn`` was given."""
        if (peer, key) not in self._known:
            marked = markings.read(self._texts[key])
            self._known[peer, key] = peer in self.here.peers and bool(self.here.may_have(peer, marked, self.now))
        return self._known[peer, key]

    def learn(self, keys: Iterable[str]) -> None:
        """Fetch the texts of sets of markings: one query for those not known yet."""
        missing = set(keys) - self._texts.keys()
        if missing:
            self._texts |= dict(MarkingSet.objects.filter(key__in=missing).values_list("key", "text"))

    def may_go(self, peer: str, going: Sequence[Going]) -> set[int]:
        """Of these statements those that ``peer`` may get now: both as they are marked and as their object is marked by
        now. A recall goes to whoever is a member or was one lately."""
        return self.may_go_each({peer: going})[peer]

    def may_go_each(self, going: Mapping[str, Sequence[Going]]) -> dict[str, set[int]]:
        """The same for several peers: peer -> what it may get of what is to go to it."""
        others = {one for some in going.values() for one in some if one.kind != recall.KIND}
        latest = self.latest({one.object for one in others})
        self.learn({one.marking for one in others} | set(latest.values()))
        return {peer: self._of_these(peer, some, latest) for peer, some in going.items()}

    def _of_these(self, peer: str, going: Sequence[Going], latest: Mapping[str, str]) -> set[int]:
        is_reached = peer in self.here.peers or peer in self.here.facts.former
        return {
            one.statement
            for one in going
            if (is_reached if one.kind == recall.KIND else self._may_now(peer, one, latest.get(one.object)))
        }

    def _may_now(self, peer: str, one: Going, latest: str | None) -> bool:
        return latest is not None and self.may_have(peer, latest) and self.may_have(peer, one.marking)

    def latest(self, objects: Collection[str]) -> Mapping[str, str]:
        """Object -> key of the set of markings that decides about it now; without those that nobody may have.

        Of an object of this node's own that is what was published last; of another's the latest that its owner has
        proven to have set, be it applied here or not (section 12).
        """
        found: dict[str, str] = {}
        wanted = sorted(objects)
        for start in range(0, len(wanted), _AT_ONCE):
            rows = SharedObject.objects.filter(
                object__in=wanted[start : start + _AT_ONCE], statement__isnull=False, withheld=False
            ).values_list(
                "object",
                "owner",
                "statement__term",
                "statement__n",
                "statement__marking_id",
                "proven__term",
                "proven__n",
                "proven__marking_id",
            )
            for identifier, owner, term, n, live, proven_term, proven_n, proven in rows:
                is_later = proven is not None and Version(proven_term, proven_n) > Version(term, n)
                found[identifier] = proven if is_later and not self.here.lives_here(owner) else live
        return found
