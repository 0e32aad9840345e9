"""What this node has of another node's objects: the latest version of each, be it applied, parked, quarantined or
refused (sections 11.1 and 13)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db.models import F, Q, QuerySet

from tansiq.exchange.body import Version
from tansiq.exchange.models import SharedObject, Waiting
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.tombstones import BLOCKED, recall_of
from tansiq.exchange.own_kinds import UNCOMPARED

PAGE = 5_000


@dataclass(frozen=True, slots=True)
class Possessed:
    """A version that is here. ``statement`` or ``waiting``: the row that has its content."""

    object: str
    kind: str
    version: Version
    leaf: str
    statement: int | None = None
    waiting: int | None = None


def of_teams(teams: Iterable[str], *, column: str = "object") -> Q:
    """Objects whose ids begin with one of the teams' codes and a colon; for an index on the ids."""
    found = Q(pk__in=[])
    for team in teams:
        found |= Q(**{f"{column}__gte": f"{team}:", f"{column}__lt": f"{team};"})  # ";" follows ":" in ASCII
    return found


def latest(here: Here, peer: str, objects: Iterable[str]) -> dict[str, Possessed]:
    """Of these objects of ``peer``'s teams the latest version here, what waits for a gap to close among it."""
    wanted = list(objects)
    live = SharedObject.objects.filter(object__in=wanted)
    return _joined(_live(live), _waiting(here, peer, Waiting.objects.filter(object__in=wanted), with_gaps=True))


def compared(here: Here, peer: str) -> Iterator[Possessed]:
    """Of all objects of ``peer``'s teams what counts as held in a comparison (section 13), in no order."""
    teams = here.teams_of.get(peer, frozenset())
    waiting = _joined((), _waiting(here, peer, Waiting.objects.filter(of_teams(teams)), with_gaps=False))
    for one in _live(SharedObject.objects.filter(owner__in=teams)):
        other = waiting.pop(one.object, None)
        yield one if other is None or other.version <= one.version else other
    yield from waiting.values()


def _live(rows: QuerySet[SharedObject]) -> Iterator[Possessed]:
    chosen = rows.filter(statement__isnull=False).exclude(BLOCKED).exclude(kind__in=UNCOMPARED)
    columns = chosen.order_by().values_list(
        "object", "kind", "statement__term", "statement__n", "statement__leaf", "statement_id"
    )
    for object_id, kind, term, n, leaf, pk in columns.iterator(chunk_size=PAGE):
        yield Possessed(object_id, kind, Version(term, n), leaf, statement=pk)


def _waiting(here: Here, peer: str, rows: QuerySet[Waiting], *, with_gaps: bool) -> Iterator[Possessed]:
    """What is not applied. What nobody has proven to have said counts only if the owner's own node sent it: another
    could otherwise keep two nodes from ever being equal."""
    rows = rows.exclude(kind__in=UNCOMPARED | {""}).filter(Q(proven=True) | Q(channel__peer=peer))
    if not with_gaps:
        rows = rows.exclude(
            Q(unfit="", refused="", self_contained=False, channel__closed=False) & Q(seq__gt=F("channel__through"))
        )
    columns = rows.values_list("object", "kind", "term", "n", "leaf", "epoch", "pk")
    columns = columns.order_by("object", "-proven", "pk")  # of one version what its author has said comes first
    page: list[tuple[str, str, int, int, str, int, int]] = []
    for row in columns.iterator(chunk_size=PAGE):
        page.append(row)
        if len(page) == 500:
            yield from _unblocked(page)
            page = []
    yield from _unblocked(page)


def _unblocked(page: list[tuple[str, str, int, int, str, int, int]]) -> Iterator[Possessed]:
    """Without what a recall forbids: its sender would recall it again for ever."""
    tombstones = SharedObject.objects.in_bulk({row[0] for row in page})
    for object_id, kind, term, n, leaf, epoch, pk in page:
        version = Version(term, n)
        if not recall_of(tombstones.get(object_id)).blocks(version, epoch=epoch):
            yield Possessed(object_id, kind, version, leaf, waiting=pk)


def _joined(live: Iterable[Possessed], waiting: Iterable[Possessed]) -> dict[str, Possessed]:
    found = {one.object: one for one in live}
    for one in waiting:
        before = found.get(one.object)
        if before is None or before.version < one.version:
            found[one.object] = one
    return found
