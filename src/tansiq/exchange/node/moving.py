"""A guest team moves to a node of its own: its data leaves its host sealed, and is said anew under its new key there.

The roster moves the team: from its epoch on the host's key for it is struck, and the host cannot speak for it. What
the team signed before proves nothing any more (section 4), so the new node publishes each of its objects again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from tansiq.audit import actions as audit
from tansiq.core.errors import N_, TansiqError
from tansiq.core.viewer import Viewer
from tansiq.exchange import markings, move
from tansiq.exchange.directory import content
from tansiq.exchange.directory.kinds import LABELS
from tansiq.exchange.directory.publishing import publish_changes
from tansiq.exchange.kinds import owner_of
from tansiq.exchange.models import Recipient, SharedObject, Statement
from tansiq.exchange.move import Moved, MovedObject, Moving
from tansiq.exchange.node import awaiting, life, publishing, statements, uses
from tansiq.exchange.node.here import Here
from tansiq.exchange.opener import Opener
from tansiq.exchange.own_kinds import UNCOMPARED
from tansiq.exchange.seal import Sealed, Unsealed, seal_written
from tansiq.exchange.values import Unfit
from tansiq.members import queries
from tansiq.members import statement as files
from tansiq.members.actions.directory import import_statement
from tansiq.members.models import PublishedProfile, Team
from tansiq.members.written import written


class NotThere(TansiqError):
    code = "exchange.move.not_there"
    message = N_("Team {team} does not live on node {node}.")
    remedy = N_("See `tansiq roster show`: first the roster moves the team, then its data is taken in where it lives.")
    exit_code = 2


class NotMovedThere(TansiqError):
    code = "exchange.move.not_moved"
    message = N_("By the roster here, of epoch {epoch}, team {team} does not live on node {node}.")
    remedy = N_("See `tansiq roster show`: first the roster moves the team, then its data is written for its new node.")
    exit_code = 2


class NotAwaited(TansiqError):
    code = "exchange.move.not_awaited"
    message = N_("No data of team {team} is awaited here.")
    remedy = N_("`tansiq exchange status` names the teams whose data is to be taken in.")
    exit_code = 2


class NoSuchNode(TansiqError):
    code = "exchange.move.no_such_node"
    message = N_("The roster here has no node {node} to which anything could be sealed.")
    remedy = N_("Have the node admitted first: `tansiq roster issue --admit FILE`.")
    exit_code = 2


class NotOurFile(TansiqError):
    code = "exchange.move.file"
    message = N_("This file is not the whole data of team {team} from node {sender}, sealed for this node ({field}).")
    remedy = N_("Have the team's former host write it anew: `tansiq members move {team} --to NODE --out FILE`.")
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a team: objects said anew, versions kept as history, profiles."""

    objects: int
    versions: int
    profiles: int


# ---- at the host


def packed(here: Here, team: str, to: str, *, by: Viewer, now: datetime) -> Iterator[bytes]:
    """All that this node keeps of ``team``, sealed for the node ``to``, in parts.

    Raises: NotMovedThere, NoSuchNode; NotAllowed.
    """
    certificate = here.certificates.get(to)
    if certificate is None or to == here.code:
        raise NoSuchNode(node=to)
    if here.facts.homes.get(team) != to:
        raise NotMovedThere(team=team, node=to, epoch=here.epoch)
    document = _document(here, team, by=by, now=now).written()
    for part in move.parts(Moving(here.realm, team, here.code, to), document):
        yield seal_written(part, by=here.secrets[0], to=certificate).data


def _document(here: Here, team: str, *, by: Viewer, now: datetime) -> Moved:
    profiles = PublishedProfile.objects.filter(team__code=team).order_by("number").values_list("content", flat=True)
    return Moved(
        register=written(queries.export(by, now=now, team=team)),
        profiles=tuple(profiles),
        objects=tuple(_objects(team)),
    )


def _objects(team: str) -> Iterator[MovedObject]:
    """Recalls and checks speak for a node and stay with it."""
    for row in SharedObject.objects.filter(owner=team).exclude(kind__in=UNCOMPARED).order_by("object").iterator():
        said = Statement.objects.filter(object=row.object, team=team).order_by("term", "n", "pk")
        reached = Recipient.objects.filter(object=row.object, attempted_at__isnull=False).order_by("peer")
        yield MovedObject(
            object=row.object,
            kind=row.kind,
            versions=tuple(bytes(text).decode() for text in said.values_list("content", flat=True)),
            is_live=row.statement_id is not None,
            reached=tuple(reached.values_list("peer", flat=True)),
        )


# ---- at the new node


def taken(here: Here, team: str, sender: str, sealed: Iterable[bytes], *, by: Viewer, now: datetime) -> Taken:
    """Take in the data of ``team``, which the roster has moved here, as its former host ``sender`` packed it. Once: the
    same file again changes nothing but versions.

    Raises: NotThere, NotOurFile; what an import of the register refuses.
    """
    if not here.lives_here(team) or team not in here.platform:
        raise NotThere(team=team, node=here.code)
    moving = Moving(here.realm, team, sender, here.code)
    try:
        moved = move.joined(moving, _opened(here, sender, sealed))
    except Unfit as unfit:
        raise NotOurFile(team=team, sender=sender, field=str(unfit.values["field"])) from None
    with transaction.atomic():
        life.locked(now)
        awaiting.ended(team, now)
        import_statement(files.read(moved.register), now=now, by=by)
        profiles = _keep_profiles(team, moved, now)
        versions = sum(_keep_history(here, one, sender, now) for one in moved.objects if owner_of(one.object) == team)
        live = frozenset(one.object for one in moved.objects if one.is_live)
        objects = _say_anew(here, team, live, now) + publish_changes(here, [team], now, is_said_anew=True)
        life.to_compare(here.peers, now)
    return Taken(objects, versions, profiles)


@transaction.atomic
def waived(here: Here, team: str, *, by: Viewer, reason: str, now: datetime) -> Taken:
    """Await the data of ``team`` no longer: what this node knows of it is all there is. It is said anew, and what peers
    have besides is recalled when the two are compared.

    Raises: NotThere; NotAwaited.
    """
    if not here.lives_here(team) or team not in here.platform:
        raise NotThere(team=team, node=here.code)
    life.locked(now)
    if not awaiting.ended(team, now):
        raise NotAwaited(team=team)
    audit.record("exchange.not_awaited", ("team", team), by=by, now=now, why=reason)
    objects = _say_anew(here, team, None, now) + publish_changes(here, [team], now, is_said_anew=True)
    life.to_compare(here.peers, now)
    return Taken(objects, 0, 0)


def _opened(here: Here, sender: str, sealed: Iterable[bytes]) -> Iterator[bytes]:
    """Raises: Unfit, for a part that is not sealed to this node by that one."""
    with Opener(here.secrets, here.facts.believed_certificates()) as opener:
        for data in sealed:
            outcome = opener.open(Sealed(data))
            if not isinstance(outcome, Unsealed) or here.facts.node_keys[outcome.signer].node != sender:
                raise Unfit(field="seal", expected=f"of {sender} for {here.code}")
            yield outcome.content


def _keep_profiles(team: str, moved: Moved, now: datetime) -> int:
    row = Team.objects.get(code=team)
    known = set(PublishedProfile.objects.filter(team=row).values_list("number", flat=True))
    new = [one for one in moved.profiles if one.get("number") not in known]
    rows = [
        PublishedProfile(
            team=row, number=content.profile(one, team).number, published_at=now, published_by="move", content=one
        )
        for one in new
    ]
    return len(PublishedProfile.objects.bulk_create(rows))


def _keep_history(here: Here, one: MovedObject, sender: str, now: datetime) -> int:
    """What the team said before, as it was signed: kept, and proven to nobody any more."""
    rows = [row for text in one.versions if (row := _row(here, text, sender, now)).object == one.object]
    if not rows:
        return 0
    statements.keep_markings({json.loads(text)["marking"] for text in one.versions})
    Statement.objects.bulk_create(rows, ignore_conflicts=True)
    last = Statement.objects.filter(object=one.object).order_by("-term", "-n", "-pk").first()
    shared, _is_new = SharedObject.objects.get_or_create(
        object=one.object, defaults={"owner": owner_of(one.object), "kind": one.kind}
    )
    if shared.statement is None or (shared.statement.term, shared.statement.n) < (last.term, last.n):
        shared.kind, shared.statement, shared.epoch, shared.known = one.kind, last, here.epoch, True
        shared.save(update_fields=["kind", "statement", "epoch", "known"])
        uses.note_statements([last], now)
    reached = set(one.reached) | {sender}
    for peer in sorted(reached - {here.code}):
        Recipient.objects.update_or_create(object=one.object, peer=peer, defaults={"attempted_at": now})
    return len(rows)


def _row(here: Here, text: str, sender: str, now: datetime) -> Statement:
    said = json.loads(text)
    return Statement(
        object=said["object"],
        term=said["version"]["term"],
        n=said["version"]["n"],
        leaf=statements.leaf_of(said, here.realm),
        kind=said["kind"],
        team=said["author"]["team"],
        marking_id=statements.marking_key(said["marking"]),
        content=text.encode(),
        came_from=sender,
        made_at=now,
    )


def _say_anew(here: Here, team: str, live: frozenset[str] | None, now: datetime) -> int:
    """Each live object with the team's new key, one version later; its desk keeps it here from now on. The directory's
    kinds are said by the register itself. What the team had withdrawn stays withdrawn.

    Args:
        live: of the team; None: nobody knows, so what is here.
    """
    count = 0
    rows = SharedObject.objects.filter(Q(owner=team), statement__isnull=False).exclude(kind__in=[*LABELS, *UNCOMPARED])
    for row in rows.select_related("statement__marking").order_by("object"):
        if live is not None and row.object not in live:
            publishing.withdraw(here, row.object, now)
            continue
        said = statements.said(row.statement)
        if (kind := here.kinds.get(row.kind)) is None:
            continue
        kind.apply(said, now)
        publishing.publish(
            here,
            kind=row.kind,
            name=row.object.partition(":")[2],
            payload=said.payload,
            markings=markings.read(said.marking),
            team=team,
            person=said.person,
            blobs=said.blobs,
            now=now,
        )
        count += 1
    return count
