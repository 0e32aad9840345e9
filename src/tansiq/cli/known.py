"""Names that nothing is known by: a question that cannot find anything says so, with the nearest name that could."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from tansiq.cli import node
from tansiq.cli.speech import say
from tansiq.core.errors import N_, TansiqError
from tansiq.core.language import _

if TYPE_CHECKING:
    from tansiq.lake import Filter, Lake


class UnknownName(TansiqError):
    code = "events.filter.unknown"
    message = N_("There is no {value} for --{option}.")
    remedy = N_("Did you mean {near}?")
    exit_code = 2


class UnknownFeedAsked(UnknownName):
    message = N_("There is no feed {value}.")
    remedy = N_("Did you mean {near}? `tansiq feeds list` shows all feeds.")


class UnknownKind(UnknownName):
    message = N_("There is no RSIT class or type {value}.")
    remedy = N_("Did you mean {near}? Give one of: {wanted}.")


class UnknownCountry(UnknownName):
    message = N_("There is no country {value}.")
    remedy = N_("Did you mean {near}? Give the two letters of ISO 3166-1, for example MA.")


def nearest(value: str, names: Iterable[str]) -> str:
    """The name most like ``value``, however far."""
    of_name = {name.casefold(): name for name in names}
    found = difflib.get_close_matches(value.casefold(), of_name, n=1, cutoff=0.0)
    return of_name[found[0]] if found else ""


def require_known(lake: Lake, asked: Filter) -> None:
    """Refuse feeds and countries that neither the program nor the lake knows; of an unknown team only warn, since it
    may have left the directory and its events not the lake.

    Raises: UnknownFeedAsked, UnknownCountry.
    """
    if asked.feed is not None:
        require_feed(lake, asked.feed)
    if asked.country is not None:
        require_country(lake, asked.country)
    if asked.team is not None and (teams := directory()) and asked.team not in teams:
        words = _("There is no team {team} in the directory. Did you mean {near}?")
        say(words.format(team=asked.team, near=nearest(asked.team, teams)))


def require_feed(lake: Lake, feed: str) -> None:
    from tansiq.feeds.catalogue import FEEDS

    codes = {one.code for one in FEEDS.values()}
    if feed not in codes and feed not in (held := lake.feeds()):
        raise UnknownFeedAsked(value=feed, near=nearest(feed, codes | held))


def require_country(lake: Lake, country: str) -> None:
    from tansiq.lake import Filter
    from tansiq.members import values

    try:
        values.country(country)
    except values.BadCountry:
        if lake.count(Filter(country=country))["events"][0] == 0:  # tables name regions, such as EU, that are no state
            raise UnknownCountry(value=country, near=nearest_country(country)) from None


def nearest_country(value: str) -> str:
    """The code of the country whose name in one of our languages, or whose code, is most like ``value``."""
    from babel import Locale

    from tansiq.core.text import LANGUAGES
    from tansiq.members.values import COUNTRIES

    codes = {name.casefold(): code for language in LANGUAGES for code, name in Locale(language).territories.items()}
    codes |= {code.casefold(): code for code in COUNTRIES} | {"uk": "GB"}
    return codes[nearest(value, [name for name, code in codes.items() if code in COUNTRIES])]


def directory() -> Collection[str]:
    """Codes of the teams, as the compiled table has them; none before it is first compiled."""
    from tansiq.attribution.folder import Pointer

    folder = Pointer(node.home().tables).open()
    return {card["code"] for card in folder.about["cards"]} if folder else ()
