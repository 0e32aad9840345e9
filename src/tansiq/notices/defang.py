"""Writing addresses, host names and URLs so that no program makes a link of them, and a person still reads them."""

from __future__ import annotations

import re

SCHEME = re.compile(r"^(h)tt(ps?)(?=://)", re.IGNORECASE)
OTHER_SCHEME = re.compile(r"^([a-z][a-z0-9+.-]*)://", re.IGNORECASE)


def defang(text: str) -> str:
    """``https://gov.example/a`` becomes ``hxxps[:]//gov[.]example/a``; ``2001:db8::1``, ``2001[:]db8[:][:]1``.

    Every dot is taken, those of a path too: some mail programs make a link of anything that looks like a host name.
    Colons are taken where they start an authority and in IPv6 addresses; that of a port alone makes no link.
    Text that is already defanged stays as it is.
    """
    if "[.]" in text or "[:]" in text:
        return text
    text = SCHEME.sub(r"\1xx\2", text)
    if OTHER_SCHEME.match(text):
        text = text.replace("://", "[:]//", 1)
    elif text.count(":") >= 2:
        text = text.replace(":", "[:]")
    return text.replace(".", "[.]").replace("@", "[@]")
