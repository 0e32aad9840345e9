"""What the verbs of ``tansiq exchange`` share: whose node this is, its peers, and its operator."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from tansiq.cli import node
from tansiq.core.errors import N_, TansiqError
from tansiq.core.language import _

if TYPE_CHECKING:
    from tansiq.exchange.node.here import Here
    from tansiq.exchange.node.looking import Look

AsJson = Annotated[bool, typer.Option("--json", help=_("JSON on standard output."))]
NodeCode = Annotated[str, typer.Argument(metavar="NODE", help=_("Code of a node, as `status` lists them."))]


class NoRoster(TansiqError):
    code = "exchange.no_roster"
    message = N_("This node belongs to no federation yet: it has no roster that names it.")
    remedy = N_("Hand over the file of `tansiq roster request`, and take the roster with `tansiq roster accept`.")
    exit_code = 2


class NodeRemoved(TansiqError):
    code = "exchange.node_removed"
    message = N_("{node} was removed from the federation in epoch {epoch}: it has no links any more.")
    remedy = N_("Take its recalls with `tansiq exchange import`, and answer them with `tansiq exchange export`.")
    exit_code = 2


class WithOthers(TansiqError):
    """A file for several would bring it rosters that it may not have."""

    code = "exchange.export.with_others"
    message = N_("{node} was removed from the federation: a file for it is for it alone.")
    remedy = N_("Write two files: one with `--to {node}` and nothing else, and one for the others.")
    exit_code = 2


def here_or_complain(now: datetime) -> Here:
    """This node under its roster. Raises: NoRoster, NodeRemoved, and what is wrong with its keys."""
    here = present_or_complain(now)
    if here.team:
        return here
    if epoch := _removed_in(here.code):
        raise NodeRemoved(node=here.code, epoch=epoch)
    raise NoRoster


def _removed_in(code: str) -> int:
    """The epoch whose roster removed the node; 0: none did."""
    from tansiq.exchange.node import rosters

    roster = rosters.current()
    former = roster.former if roster else ()
    return max((one.epoch for one in former if one.what == "node" and one.code == code), default=0)


def present_or_complain(now: datetime) -> Here:
    """The same, also of a node that the roster has removed: it still has to take its recalls, and to answer them."""
    home = node.opened()
    from tansiq.exchange.node import rosters

    here = rosters.here(home, now=now)
    if here is None or not here.secrets:
        raise NoRoster
    return here


def peer_or_complain(here: Here, code: str) -> str:
    """As the roster writes it. Raises: NoSuchPeer."""
    from tansiq.exchange.node.checking import NoSuchPeer

    if code.upper() not in here.peers:
        raise NoSuchPeer(node=code[:40])
    return code.upper()


def peers_or_complain(here: Here, codes: Sequence[str] | None) -> list[str]:
    """All peers where none is named. Raises: NoSuchPeer."""
    return sorted({peer_or_complain(here, code) for code in codes or here.peers})


def carried_to(here: Here, codes: Sequence[str] | None) -> list[str]:
    """For whom a file is: peers, or one that was removed lately, alone. Raises: NoSuchPeer, WithOthers."""
    gone = sorted({code.upper() for code in codes or ()} & here.removed.keys())
    if not gone:
        return peers_or_complain(here, codes)
    if {code.upper() for code in codes or ()} != {gone[0]}:
        raise WithOthers(node=gone[0])
    return gone


def look(now: datetime) -> Look:
    """The operator of this machine looks at its links: as the node's home team, never as a guest. Raises: NoRoster."""
    here_or_complain(now)
    from tansiq.exchange.node.looking import look as looked
    from tansiq.members.viewers import operator

    return looked(operator(now=now), now=now)
