"""The cast's node with a link in every state, for the browser tests. Run in a process of its own, as seed.py is."""

from __future__ import annotations

import seed

from factories import links, signin
from tansiq.cli import node

if __name__ == "__main__":
    seed.seed()
    links.filled(signin.now(), links.drawn(node.home()))
    links.asked_for(signin.now())
