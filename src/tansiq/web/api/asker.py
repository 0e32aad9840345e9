"""Who am I to this node?"""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Router

from tansiq.core.viewer import Viewer
from tansiq.web.api.entry import teams_only
from tansiq.web.api.responses import refused_with
from tansiq.web.api.shapes import Asker

router = Router(tags=["asker"])


@router.get(
    "/me",
    auth=teams_only(),
    response=refused_with(200, Asker),
    summary="Who the node takes the asker for",
    operation_id="me",
)
def me(request: HttpRequest) -> Asker:
    """Any key may ask this, whatever its scopes."""
    viewer: Viewer = request.viewer
    return {
        "name": viewer.name,
        "team": viewer.team or None,
        "roles": sorted(viewer.roles),
        "seats": sorted(viewer.seats),
        "scopes": None if viewer.scopes is None else sorted(viewer.scopes),
        "categories": sorted(viewer.memberships),
        "community": viewer.community,
    }
