"""A person of several teams acts for one at a time, and changes over from any page."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tansiq.members.viewers import teams_of
from tansiq.web.account.signed_in import signed_in
from tansiq.web.front_door import TEAM_KEY
from tansiq.web.languages import see_other, way_back


@require_POST
@signed_in
def change(request: HttpRequest) -> HttpResponse:
    wish = request.POST.get("team", "")
    if wish not in teams_of(request.user, now=request.now):
        raise BadRequest("team")
    request.session[TEAM_KEY] = wish
    messages.success(request, _("You now act for {team}.").format(team=wish))
    return see_other(way_back(request))
