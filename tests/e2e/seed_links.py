"""The cast's node with a link in every state, for the browser tests. Run in a process of its own, as seed.py is."""

from __future__ import annotations

import seed

from factories import links, signin
from tansiq.cli import node

REGISTER = ("exchange.register", "", {"epoch": 1, "teams": "XE-CERT, XM-CERT"})

if __name__ == "__main__":
    seed.seed()
    links.filled(signin.now(), links.drawn(node.home()))
    links.asked_for(signin.now())
    from tansiq.exchange.node import alarms

    alarms.raise_alarm(*REGISTER, signin.now())
