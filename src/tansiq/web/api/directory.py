"""Teams, the map, and what is proposed for the register."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Path, Query, Router, Status

from tansiq.core.viewer import Scope
from tansiq.members.actions.claims import propose_claim
from tansiq.members.models import Claim, Team
from tansiq.members.queries import certificates_of, pages
from tansiq.members.queries.certificates import CertificateEntry
from tansiq.web.api.entry import everybody, teams_only
from tansiq.web.api.responses import refused_with
from tansiq.web.api.shapes import (
    Category,
    Certificate,
    Certificates,
    Contacts,
    Countries,
    Proposal,
    Proposed,
    Teams,
)
from tansiq.web.directory.facts import (
    TeamFacts,
    certificate_facts,
    contact_facts,
    entry_facts,
    map_facts,
    moment,
    team_facts,
)

Code = Annotated[str, Path(pattern=r"^[A-Z0-9-]{2,32}$", description="A team's code, for instance XA-CERT.")]
Search = Annotated[str, Query(max_length=200, description="Words of the code, the names or the country's names.")]
CategoryWish = Annotated[Category | None, Query(description="In force; `none`: teams that are no members.")]
Country = Annotated[str, Query(pattern=r"^([A-Za-z]{2})?$", description="ISO 3166-1 alpha-2.")]
Limit = Annotated[int, Query(ge=1, le=500)]
Offset = Annotated[int, Query(ge=0, le=1_000_000)]

router = Router(tags=["directory"], auth=everybody(Scope.DIRECTORY_READ))


@router.get("/teams", response=refused_with(200, Teams), summary="The directory", operation_id="teams")
def teams(
    request: HttpRequest,
    search: Search = "",
    category: CategoryWish = None,
    country: Country = "",
    limit: Limit = 100,
    offset: Offset = 0,
) -> dict[str, Any]:
    """By country and code. Every wish narrows what the others leave."""
    wishes = {"search": search, "category": category or "", "country": country.upper()}
    found = pages.directory_entries(request.viewer, now=request.now, **wishes)
    shown = [entry_facts(entry) for entry in found[offset : offset + limit]]
    return {"teams": shown, "count": len(found), "limit": limit, "offset": offset}


@router.get("/teams/{code}", response=refused_with(200, TeamFacts, 404), summary="A team", operation_id="team")
def team(request: HttpRequest, code: Code) -> dict[str, Any]:
    """What the team's page shows the asker. That somebody read another team's contacts is recorded."""
    return team_facts(_page(request, code))


@router.get(
    "/teams/{code}/contacts",
    response=refused_with(200, Contacts, 404),
    summary="How a team is reached",
    operation_id="contacts",
)
def contacts(request: HttpRequest, code: Code) -> dict[str, Any]:
    """All for the community and the team itself, else those that the team publishes. Reading them is recorded."""
    return {"team": code, "contacts": [contact_facts(contact) for contact in _page(request, code).contacts]}


@router.get(
    "/teams/{code}/certificates",
    response=refused_with(200, Certificates, 404),
    summary="A team's OpenPGP certificates",
    operation_id="certificates",
)
def certificates(request: HttpRequest, code: Code) -> dict[str, Any]:
    """Public, as certificates are."""
    stored = get_object_or_404(Team, code=code)
    return {
        "team": code,
        "certificates": [_whole(held) for held in certificates_of(request.viewer, stored.code, now=request.now)],
    }


@router.get("/map", response=refused_with(200, Countries), summary="Every state and its status", operation_id="map")
def world(request: HttpRequest) -> dict[str, Any]:
    """The federation's states, and other countries that a team is of, with the memberships in force."""
    return {"countries": [map_facts(entry) for entry in pages.map_entries(request.viewer, now=request.now)]}


@router.post(
    "/teams/{code}/claims",
    auth=teams_only(Scope.DIRECTORY_WRITE, writing=True),
    response=refused_with(201, Proposed, 404, 413),
    summary="Propose a claim for the asker's own team",
    operation_id="propose_claim",
)
def propose(request: HttpRequest, code: Code, proposal: Proposal) -> Status[Proposed]:
    """It has no effect until the federation's keeper verifies it."""
    stored = get_object_or_404(Team, code=code)
    said = proposal.model_dump()
    kind, value = said.pop("kind"), said.pop("value")
    return Status(201, _proposed(propose_claim(stored, kind, value, by=request.viewer, now=request.now, **said)))


def _page(request: HttpRequest, code: str) -> pages.TeamPage:
    found = pages.team_page(request.viewer, code, now=request.now)
    if found is None:
        raise Http404
    return found


def _whole(held: CertificateEntry) -> Certificate:
    return certificate_facts(held) | {
        "version": held.version,
        "created_at": held.created_at.isoformat(),
        "expires_at": moment(held.expires_at),
        "usable": held.usable,
        "findings": [finding["code"] for finding in held.findings],
        "armored": held.armored,
    }


def _proposed(claim: Claim) -> Proposed:
    return {
        "id": claim.pk,
        "team": claim.team.code,
        "kind": claim.kind,
        "value": claim.value,
        "state": "proposed",
        "valid_from": moment(claim.valid_from),
        "valid_until": moment(claim.valid_until),
    }
