"""How this node's links stand."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Router

from tansiq.core.viewer import Scope
from tansiq.exchange.node.looking import look
from tansiq.exchange.node.status import of_team, status
from tansiq.web.api.entry import teams_only
from tansiq.web.api.responses import refused_with
from tansiq.web.exchange.facts import LinksFacts, alone_facts, links_facts, own_facts

router = Router(tags=["exchange"], auth=teams_only(Scope.EXCHANGE_READ))


@router.get(
    "/exchange/links",
    response=refused_with(200, LinksFacts),
    summary="How the node's links stand",
    operation_id="links",
)
def links(request: HttpRequest) -> LinksFacts:
    """All of it for the team that operates the node; for a team that lives on it what is held up of its own objects.
    Codes, sizes and moments, never content. Before the node has a roster its epoch is 0."""
    looking = look(request.viewer, now=request.now)
    looking.may.require()
    if looking.here is None:
        return alone_facts()
    if looking.is_whole:
        return links_facts(status(looking.here, now=request.now), request.now)
    return own_facts(looking.here, of_team(looking.here, looking.team, now=request.now))
