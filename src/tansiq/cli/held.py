"""That the node is held, said beside what a command shows of others (section 11.1 of the exchange protocol); and that
it waits for the data of teams."""

from __future__ import annotations

from datetime import datetime

from tansiq.cli.speech import say
from tansiq.core.language import _


def say_if_held() -> None:
    """On a node that is opened."""
    from tansiq.exchange.node import life

    say_held(life.held_since())


def say_if_awaited() -> None:
    """That data of teams which moved here is to be taken in (section 10.8). On a node that is opened."""
    from tansiq.exchange.node import awaiting

    if teams := ", ".join(sorted(awaiting.teams())):
        text = _(
            "Nothing is said for {teams} until the data from the former host was taken in: "
            "`tansiq members move --help`."
        )
        say(text.format(teams=teams))


def say_held(since: datetime | None) -> None:
    """Nothing, where there is no moment."""
    if since is not None:
        text = _(
            "This node is held since {moment}: what is said of other nodes' teams may be changed or recalled by now."
        )
        say(text.format(moment=f"{since:%Y-%m-%dT%H:%M:%SZ}"))
