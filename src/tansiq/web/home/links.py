"""What of the node's links needs those who operate it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tansiq.core.viewer import Viewer
from tansiq.exchange.node.looking import look
from tansiq.exchange.node.standing import Urgent
from tansiq.exchange.node.status import urgent
from tansiq.exchange.rules import WATCHING

Found = tuple[Literal["bad", "warn"], str, str]


def of_links(viewer: Viewer, now: datetime) -> Iterator[Found]:
    """How pressing, in a sentence, and where it is done."""
    if not viewer.team or not viewer.holds(*WATCHING):
        return
    looking = look(viewer, now=now)
    if looking.here is None or not looking.may or not looking.is_whole:
        return
    yield from _said(urgent(looking.here))


def _said(found: Urgent) -> Iterator[Found]:
    if found.is_held:
        yield "bad", _("This node is held: it sends nothing until its peers have answered."), reverse("exchange")
    for peer in found.frozen:
        sentence = _("The link to {peer} is frozen: two machines speak under one name.").format(peer=peer)
        yield "bad", sentence, reverse("exchange-link", args=[peer])
    if found.alarms:
        sentence = ngettext(
            "{count} alarm of the links to other nodes waits for you.",
            "{count} alarms of the links to other nodes wait for you.",
            found.alarms,
        )
        yield "bad", sentence.format(count=found.alarms), reverse("exchange")
    if found.quarantined:
        sentence = ngettext(
            "{count} object of another node is quarantined.",
            "{count} objects of other nodes are quarantined.",
            found.quarantined,
        )
        yield "warn", sentence.format(count=found.quarantined), reverse("exchange-waiting") + "?state=quarantined"
