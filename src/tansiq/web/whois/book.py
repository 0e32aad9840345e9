"""The compiled attribution table, held open between requests and opened anew when another is published."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.conf import settings

from tansiq.attribution.folder import Pointer
from tansiq.attribution.whois import Whois
from tansiq.core.claims import TeamCard
from tansiq.core.errors import N_, TansiqError


class NothingCompiled(TansiqError):
    code = "whois.nothing_compiled"
    message = N_("This node has no table yet to answer from.")
    remedy = N_("Ask again in a minute; if it stays so, the node's administrator runs `tansiq doctor`.")
    exit_code = 1
    transient = True


def book() -> tuple[Whois, dict[str, TeamCard], dict[str, Any]]:
    """The table, the teams in it by code, and what it was made from (``claims_version``, ``addresses_as_of``).

    Raises: NothingCompiled: the node's workers have not made the first one yet.
    """
    said = Pointer(settings.HOME.tables).read()
    opened = _opened(repr(sorted(said.items()))) if said else None
    if opened is None:
        raise NothingCompiled()
    return *opened, said


@lru_cache(maxsize=2)
def _opened(_said: str) -> tuple[Whois, dict[str, TeamCard]] | None:
    folder = Pointer(settings.HOME.tables).open()
    if folder is None:
        return None
    return Whois(folder), {card["code"]: TeamCard(**card) for card in folder.about["cards"]}
