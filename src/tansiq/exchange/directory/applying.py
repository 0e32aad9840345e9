"""What a team of another node says of itself, written into this node's register, and taken out when it is recalled.

A team's claims have effect only where the roster has verified them (section 15). So what attribution reads is made from
three things: what the roster says of the team, what the register here says already, and the team's own words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from django.db.models import Q

from tansiq.core.claims import Claim
from tansiq.core.errors import TansiqError
from tansiq.core.viewer import Role, Viewer
from tansiq.exchange.directory import content, kinds
from tansiq.exchange.kinds import Said, owner_of
from tansiq.members import claiming
from tansiq.members.actions import numbering
from tansiq.members.actions.certificates import upload_certificate, withdraw_certificate
from tansiq.members.actions.directory import state_contacts, state_teams
from tansiq.members.models import Claim as ClaimRow
from tansiq.members.models import Contact, PublishedProfile, Team, TeamCertificate
from tansiq.members.queries.directory import CLAIM_COLUMNS
from tansiq.members.statement import StatedTeam

BY, ROSTER = "exchange", claiming.BY_ROSTER


def apply(said: Said, now: datetime) -> None:
    """Make the register say of the team what the team says. In the caller's transaction.

    Raises: TansiqError, for a certificate that cannot be kept: the object is quarantined then.
    """
    stated = content.read(said.kind, said.payload)
    stated.source = f"{BY}:{said.object}"
    table = numbering.locked()
    team = _team(stated, renamed=said.kind == kinds.PROFILE)
    match said.kind:
        case kinds.PROFILE:
            _profile(team, said.payload["published"], now)
        case kinds.CONTACTS:
            state_contacts([stated], {team.code: team})
        case kinds.KEYS:
            _keys(team, stated, now)
        case kinds.CLAIMS:
            _claims(team, said, stated, now)
    numbering.count_up(table)


def withdraw(object_id: str, now: datetime) -> None:
    """The team's words may no longer be here. What the register's own keeper has said of the team stays."""
    team = Team.objects.filter(code=owner_of(object_id)).first()
    if team is None:
        return
    table = numbering.locked()
    match object_id.partition(":")[2].partition(".")[0]:
        case "contacts":
            Contact.objects.filter(team=team).delete()
        case "keys":
            TeamCertificate.objects.filter(team=team, withdrawn_at=None).update(withdrawn_at=now)
        case "profile":
            PublishedProfile.objects.filter(team=team).delete()
        case "claims":
            rows = ClaimRow.objects.filter(team=team, withdrawn_at=None, verified=False)
            rows.filter(source=f"{BY}:{object_id}").update(withdrawn_at=now)
    numbering.count_up(table)


def verified_by_roster(claims: Mapping[str, Sequence[Claim]], *, epoch: int, now: datetime) -> frozenset[str]:
    """Make the verified claims of these teams those of a roster: team -> its claims. In the caller's transaction.

    Returns: codes of teams of which claims end that were verified here, and neither by a roster nor by the shipped
        directory.
    """
    by_team = {
        code: [replace(claim, verified=True, source=f"{ROSTER}{epoch}") for claim in said]
        for code, said in claims.items()
    }
    teams = {team.code: team for team in Team.objects.filter(code__in=by_team)}
    table = numbering.locked()
    own, here = _unverified(teams.values()), _verified_here(teams.values(), now)
    gave_way = {code for code in teams if _beside(by_team[code], here.get(code, []))}
    wanted = [
        _stated(team, [*by_team[code], *_beside(by_team[code], own.get(code, []))]) for code, team in teams.items()
    ]
    if claiming.state(wanted, teams, now=now, shipped=False).teams:
        numbering.count_up(table)
    return frozenset(gave_way)


def _team(stated: StatedTeam, *, renamed: bool) -> Team:
    """A team that was unknown until now, or whose name changed, is known from here on."""
    known = Team.objects.filter(code=stated.code).first()
    return known if known is not None and not renamed else state_teams([stated])[stated.code]


def _profile(team: Team, published: dict[str, object] | None, now: datetime) -> None:
    if published is None:
        return
    number = content.profile(published, team.code).number
    PublishedProfile.objects.filter(team=team, number__gt=number).delete()  # restored from a backup, it counts anew
    PublishedProfile.objects.update_or_create(
        team=team, number=number, defaults={"published_at": now, "published_by": BY, "content": published}
    )


def _keys(team: Team, stated: StatedTeam, now: datetime) -> None:
    keeper = Viewer(team=team.code, roles=frozenset({Role.KEEPER}), reason=BY)
    kept = {
        upload_certificate(armored.encode(), team=team, by=keeper, now=now).fingerprint
        for armored in stated.certificates or ()
    }
    for row in TeamCertificate.objects.filter(team=team, withdrawn_at=None).exclude(fingerprint__in=kept):
        withdraw_certificate(row, by=keeper, now=now)


def _claims(team: Team, said: Said, stated: StatedTeam, now: datetime) -> None:
    """The team's words of one part, beside those of its other parts, and beside what is verified here."""
    rows = ClaimRow.objects.filter(team=team, withdrawn_at=None)
    others = Q(verified=True) | (~Q(source=stated.source) & Q(source__startswith=f"{BY}:"))
    beyond = [f"{BY}:{team.code}:claims.{number}" for number in _parts_beyond(said)]
    present = _read(rows.filter(others).exclude(verified=False, source__in=beyond))
    mine = [replace(claim, verified=False, source=stated.source) for claim in stated.claims]
    claiming.state([_stated(team, [*present, *_beside(present, mine)])], {team.code: team}, now=now, shipped=False)


def _parts_beyond(said: Said) -> Sequence[int]:
    """Numbers of parts that the team has no more: it says less than it did."""
    last = content.parts(said.payload)
    return range(last + 1, content.MOST_PARTS + 1)


def _unverified(teams: Iterable[Team]) -> dict[str, list[Claim]]:
    return _by_team(ClaimRow.objects.filter(team__in=list(teams), withdrawn_at=None, verified=False))


def _verified_here(teams: Iterable[Team], now: datetime) -> dict[str, list[Claim]]:
    """Those that have effect, or will, by the word of this register itself."""
    rows = ClaimRow.objects.filter(team__in=list(teams), withdrawn_at=None, verified=True, shipped=False)
    return _by_team(rows.exclude(source__startswith=ROSTER).exclude(valid_until__lte=now))


def _by_team(rows: object) -> dict[str, list[Claim]]:
    found: dict[str, list[Claim]] = {}
    for claim in _read(rows):
        found.setdefault(claim.team, []).append(claim)
    return found


def _read(rows: object) -> list[Claim]:
    return [Claim(*row) for row in rows.values_list(*CLAIM_COLUMNS)]  # type: ignore[attr-defined]


def _beside(first: Sequence[Claim], second: Iterable[Claim]) -> list[Claim]:
    """Those of ``second`` whose subject ``first`` does not speak of."""
    known = {(claim.kind, claim.value) for claim in first}
    return [claim for claim in second if (claim.kind, claim.value) not in known]


def _stated(team: Team, claims: list[Claim]) -> StatedTeam:
    return StatedTeam(team.code, team.names, team.country, team.kind, team.source, claims=claims)


__all__ = ["BY", "TansiqError", "apply", "verified_by_roster", "withdraw"]
