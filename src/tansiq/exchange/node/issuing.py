"""Rosters made on the machine of a signer, and what a node hands over to be in one (sections 10.6 and 10.7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from tansiq.core.claims import Claim
from tansiq.core.errors import N_, TansiqError
from tansiq.core.home import Home
from tansiq.core.viewer import Viewer
from tansiq.exchange import custody, join, nkey, roster_change, signed_once
from tansiq.exchange.join import JoinRequest
from tansiq.exchange.node import rosters
from tansiq.exchange.roster import MOST_SIGNERS, Roster, Standing
from tansiq.exchange.roster_change import TeamWords
from tansiq.exchange.roster_reading import fingerprints
from tansiq.exchange.roster_signing import Accepted, SignedRoster, signed
from tansiq.members.models import Node, Team
from tansiq.members.queries.directory import claims, claims_version
from tansiq.members.queries.periods import memberships_of

_OF_PEOPLE = ("P-", "key:")
"""How a claim's source begins that names a person or a key of this node: no other node is told."""


class NotSetUp(TansiqError):
    code = "exchange.roster.node_not_set_up"
    message = N_("This node has no code and no team yet.")
    remedy = N_("Start it once: `tansiq up --code XA-CERT --name … --language en`.")
    exit_code = 2


class NoRoster(TansiqError):
    code = "exchange.roster.none"
    message = N_("This node has no roster yet.")
    remedy = N_(
        "Accept the federation's with `tansiq roster accept FILE --digest …`, or begin one: `tansiq roster found`."
    )
    exit_code = 2


class FoundedAlready(TansiqError):
    code = "exchange.roster.founded_already"
    message = N_("This node has a roster already, of epoch {epoch}.")
    remedy = N_("Make the next one with `tansiq roster issue`; `tansiq roster show --out FILE` writes this one's file.")
    exit_code = 5


class NotASigner(TansiqError):
    code = "exchange.roster.not_a_signer"
    message = N_("No key on this machine may sign the roster after epoch {epoch}.")
    remedy = N_("Have it issued where a signer's key is: `tansiq roster show` lists the signers.")
    exit_code = 5


class TeamNotRegistered(TansiqError):
    code = "exchange.roster.team_not_registered"
    message = N_("The register does not know team {team}.")
    remedy = N_("Record it first, with its names and its membership: `tansiq members import FILE.toml`.")
    exit_code = 2


class NothingToChange(TansiqError):
    code = "exchange.roster.nothing_to_change"
    message = N_("The next roster would say what this one says.")
    remedy = N_("Say what is to change: `tansiq roster issue --help`.")
    exit_code = 2


class NotTaken(TansiqError):
    """What was just issued is not accepted here: too few signatures, or a clock."""

    code = "exchange.roster.not_taken"
    message = N_("The roster that was made is not accepted here ({reason}).")
    remedy = N_("Nothing was changed. Run `tansiq doctor`, then issue it again.")


class BadSigners(TansiqError):
    code = "exchange.roster.signers"
    message = N_("There would be {count} signers, and a roster would need {threshold} of them.")
    remedy = N_("Let there be 1 to {most} signers, and give a --threshold from 1 to their number.")
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Changes:
    """What the next roster changes, in this order.

    Attributes:
        admit, rotate, move: requests, read and proven.
        remove, suspend, reinstate: codes of nodes or teams.
        revoke: fingerprints of node certificates; ``strike``: of platform keys.
        forward, keep_own: nodes that may forward from now on, and that may no longer.
        signers: certificates of those who may sign as well from then on; ``dismiss``: fingerprints of who may no more;
            ``threshold``: how many of them must. The next roster is still signed by those of this one.
        register: names, countries, categories and verified claims as the register here has them now.
    """

    admit: Sequence[JoinRequest] = ()
    rotate: Sequence[JoinRequest] = ()
    move: Sequence[JoinRequest] = ()
    remove: Sequence[str] = ()
    suspend: Sequence[str] = ()
    reinstate: Sequence[str] = ()
    revoke: Sequence[str] = ()
    strike: Sequence[str] = ()
    forward: Sequence[str] = ()
    keep_own: Sequence[str] = ()
    signers: Sequence[bytes] = ()
    dismiss: Sequence[str] = ()
    threshold: int | None = None
    register: bool = False


def request(
    home: Home, *, realm: str = "", team: str = "", mail: str = "", rotate: bool = False
) -> tuple[JoinRequest, bytes]:
    """What this node hands to a signer, and the file of it; keys that are missing are drawn.

    Args:
        realm: the roster's, or ``live``, unless one is given.
        team: the home team unless another is named.
        mail: as the roster has it unless one is given.
        rotate: with new keys of node and team, where the roster knows those that are here.
    """
    node, roster = this_node(), rosters.current()
    realm, team = realm or (roster.realm if roster else "live"), team or home_team(node)
    known = fingerprints(roster) if roster else set()
    draw = {"code": node.code, "team": team, "realm": realm}
    keys = custody.rotate(home, **draw, in_roster=known) if rotate else custody.draw(home, **draw)
    shown = keys if rotate or roster is None else custody.in_force(keys, roster, here=node.code)
    platform = shown.platform.get(team, keys.platform[team])[0]
    in_roster = roster.node(node.code) if roster else None
    asked = JoinRequest(
        realm=realm,
        node=node.code,
        team=team,
        node_certificate=shown.node[0].certificate,
        platform_certificate=platform.certificate,
        nkey=nkey.public(keys.seed),
        mail=mail or (in_roster.mail if in_roster else ""),
    )
    return asked, join.signed(asked, node=shown.node[0], platform=platform, seed=keys.seed)


def found(home: Home, *, realm: str, mail: str, by: Viewer, now: datetime) -> SignedRoster:
    """The first roster of a federation: this node and its team, the register's claims, and a signer's key drawn here.

    Raises: FoundedAlready, NotSetUp, TeamNotRegistered, NotTaken, SignedAnother, SignedLater.
    """
    if (known := rosters.current()) is not None:
        raise FoundedAlready(epoch=known.epoch)
    asked, _file = request(home, realm=realm, mail=mail)
    signer = custody.draw_signer(home, realm=realm)
    signers = roster_change.signers_of(signer.certificate)
    draft = roster_change.founded(realm=realm, signers=signers, now=now)
    draft = roster_change.admit(draft, asked, _words(asked.team, now))
    draft = roster_change.set_claims(draft, _claims(), number=claims_version())
    made = signed(draft, signer)
    with transaction.atomic():
        rosters.made_of_register(draft, now)
        taken(made, rosters.accept_signed([made], by=by, now=now, realm=realm, anchor=made.digest))
        signed_once.keep(home, draft, by=[signer.fingerprint])
    return made


def drafted(changes: Changes, *, now: datetime) -> Roster:
    """The next roster, unsigned. Raises: NoRoster, NothingToChange, TeamNotRegistered, and what a change raises."""
    if (known := rosters.current()) is None:
        raise NoRoster()
    begun = draft = roster_change.begin(known, now=now)
    for asked in changes.admit:
        draft = roster_change.admit(draft, asked, _words(asked.team, now))
    for change, operands in _simple(changes):
        for operand in operands:
            draft = change(draft, operand)
    if changes.signers or changes.dismiss or changes.threshold is not None:
        draft = _with_signers(draft, changes)
    if changes.register:
        found = {team.code: _told(team, now) for team in Team.objects.filter(code__in=[t.code for t in draft.teams])}
        draft = roster_change.set_words(draft, found)
        draft = roster_change.set_claims(draft, _claims(), number=claims_version())
    if draft == begun:
        raise NothingToChange()
    return draft


def issue(home: Home, changes: Changes, *, by: Viewer, now: datetime) -> SignedRoster:
    """The next roster made, signed with the signers' keys on this machine, and accepted here. Where more have to, it
    is a proposal until they have (``proposing``), and nothing here is changed.

    Raises: what ``drafted`` does; NotASigner, NotTaken, SignedAnother, SignedLater.
    """
    draft = drafted(changes, now=now)
    known = rosters.current()
    may = known.signers.certificates if known else {}
    mine = [one for one in custody.signers(home) if one.fingerprint in may]
    if not mine:
        raise NotASigner(epoch=draft.epoch - 1)
    made, keys = signed(draft, *mine), [one.fingerprint for one in mine]
    with transaction.atomic():  # what cannot be accepted was never signed
        rosters.made_of_register(draft, now)
        if known is None or len(mine) >= known.signers.threshold:
            taken(made, rosters.accept_signed([made], by=by, now=now))
        signed_once.keep(home, draft, by=keys)
    return made


def _with_signers(draft: Roster, changes: Changes) -> Roster:
    now = draft.signers
    for key in changes.dismiss:
        if key not in now.certificates:
            raise roster_change.NoSuchKey(fingerprint=key)
    kept = [one for key, one in now.certificates.items() if key not in changes.dismiss]
    threshold = now.threshold if changes.threshold is None else changes.threshold
    found = roster_change.signers_of(*kept, *changes.signers, threshold=threshold)
    if not 1 <= threshold <= len(found.certificates) <= MOST_SIGNERS:
        raise BadSigners(count=len(found.certificates), threshold=threshold, most=MOST_SIGNERS)
    return replace(draft, signers=found)


def this_node() -> Node:
    """Raises: NotSetUp."""
    if (node := Node.objects.select_related("team").first()) is None:
        raise NotSetUp()
    return node


def home_team(node: Node) -> str:
    """Raises: NotSetUp."""
    if node.team is None:
        raise NotSetUp()
    return node.team.code


def file_of_request(team: str) -> str:
    """What it is called where nobody says: a guest's does not take the place of the node's own. Raises: NotSetUp."""
    node = this_node()
    is_guest = team and team != home_team(node)
    return f"join-{node.code}-{team}.json" if is_guest else f"join-{node.code}.json"


def is_registered(team: str) -> bool:
    return Team.objects.filter(code=team).exists()


def _simple(changes: Changes) -> Iterable[tuple[Callable[..., Roster], Sequence[object]]]:
    return (
        (roster_change.rotate, changes.rotate),
        (roster_change.move, changes.move),
        (roster_change.revoke, changes.revoke),
        (roster_change.strike, changes.strike),
        (roster_change.remove, changes.remove),
        (lambda draft, code: roster_change.set_standing(draft, code, Standing.SUSPENDED), changes.suspend),
        (lambda draft, code: roster_change.set_standing(draft, code, Standing.ACTIVE), changes.reinstate),
        (lambda draft, code: roster_change.set_forwarding(draft, code, forwards=True), changes.forward),
        (lambda draft, code: roster_change.set_forwarding(draft, code, forwards=False), changes.keep_own),
    )


def _words(code: str, now: datetime) -> TeamWords:
    team = Team.objects.filter(code=code).first()
    if team is None:
        raise TeamNotRegistered(team=code)
    return _told(team, now)


def without_membership(teams: Iterable[str], *, now: datetime) -> list[str]:
    """Those of ``teams`` that the register has in no category and not in the community: TLP:GREEN names none of them
    (section 10.5)."""
    return [code for code in teams if not any(memberships_of(code, day=now.date()))]


def _told(team: Team, now: datetime) -> TeamWords:
    categories, community = memberships_of(team.code, day=now.date())
    return TeamWords(names=team.names, country=team.country, categories=tuple(sorted(categories)), community=community)


def _claims() -> list[Claim]:
    """Those that are verified; without the name of whoever of this node stated them."""
    return [
        replace(claim, source="") if claim.source.startswith(_OF_PEOPLE) else claim
        for claim in claims()
        if claim.verified
    ]


def taken(made: SignedRoster, outcome: object) -> SignedRoster:
    if not isinstance(outcome, Accepted):
        raise NotTaken(reason=getattr(outcome, "reason", type(outcome).__name__.lower()))
    return made
