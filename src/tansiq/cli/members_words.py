"""What the desk of members says: codes and counts in the reader's words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tansiq.attribution import reasons
from tansiq.core.claims import TeamCard
from tansiq.core.errors import N_
from tansiq.core.language import _, ngettext, spoken
from tansiq.core.text import Text

if TYPE_CHECKING:
    from tansiq.members.actions import Counts, LocatedOverlap
    from tansiq.members.queries import TeamEntry

KINDS = {
    "cidr": N_("prefix"),
    "domain": N_("domain"),
    "asn": N_("AS number"),
    "country": N_("country"),
}
CONTACTS = {
    "email": N_("e-mail"),
    "phone": N_("telephone"),
    "fax": N_("fax"),
    "web": N_("web"),
    "post": N_("post"),
}
HOURS = {"24x7": N_("day and night"), "office": N_("office hours")}


def card(answer: dict[str, Any], team: TeamCard | None) -> str:
    """One look-up for a person: who, why, how sure, where it is announced, and how to reach the team."""
    lines = [defanged(answer["target"])]
    lines.append(_line(_("Team"), named(team) if team else _("nobody")))
    lines.append(_line(_("Why"), reason(answer["reason"])))
    if answer["team"]:
        lines.append(_line(_("Confidence"), f"{answer['confidence_percent']} %"))
    lines.extend(_line(_("Network"), where) for where in [network(answer)] if where)
    lines.extend(_line(_("Contact"), contact(known)) for known in answer["contacts"])
    if answer["team"] and not answer["contacts"]:
        lines.append(_line(_("Contact"), _("none known; `tansiq members import` takes contacts")))
    return "\n".join(lines)


def _line(label: str, text: str) -> str:
    return f"  {label + ':':<12} {text}"


def named(team: TeamCard) -> str:
    name, language = Text.of(team.names).within(spoken())
    if not name or name == team.code:
        return team.code
    return f"{team.code}, {name}" if language == spoken() else f"{team.code}, {name} [{language}]"


def network(answer: dict[str, Any]) -> str:
    asn = f"AS{answer['asn']}" if answer["asn"] else None
    system = " ".join(filter(None, (asn, answer["as_name"])))
    return ", ".join(filter(None, (answer["prefix"], system, answer["country"])))


def contact(known: dict[str, str]) -> str:
    kind = _(CONTACTS[known["kind"]]) if known["kind"] in CONTACTS else known["kind"]
    hours = known.get("hours", "")
    return ", ".join(
        filter(None, (f"{kind} {known['value']}", known.get("role"), _(HOURS[hours]) if hours in HOURS else ""))
    )


def reason(stored: str) -> str:
    """The stored reason in words; one that this program does not know yet is shown as it is."""
    known = reasons.read(stored)
    said = _(known.sentence).format(**known.values)
    return _(reasons.PARTS).format(reason=said, others=known.others) if known.others else said


def defanged(target: str) -> str:
    """Nothing that a terminal makes into a link; addresses and AS numbers stay as they are."""
    text = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in target)
    if not re.search(r"[A-Za-z]", text) or (":" in text and "//" not in text):
        return text
    return re.sub(r"^http", "hxxp", text, flags=re.IGNORECASE).replace(".", "[.]")


def overlap_row(located: LocatedOverlap) -> dict[str, Any]:
    overlap = located.overlap
    others = sorted({other.team for other in overlap.others})
    around = sorted({other.value for other in overlap.others})
    values = {
        "team": overlap.claim.team,
        "value": overlap.claim.value,
        "kind": _(KINDS[overlap.claim.kind]),
        "others": ", ".join(others),
        "around": ", ".join(around[:3]),
    }
    if overlap.effect == "tie":
        message = _("{team} and {others} both claim the {kind} {value}: a tie, and nobody is told.")
        remedy = _("Agree whose it is and take it out of the other's claims, or give the two different times.")
    else:
        message = _("{team} claims the {kind} {value} inside {around} of {others}: contested, and without effect.")
        remedy = _("If they agree, give the claim a `decision` that says so; otherwise take it out.")
    return {
        "row": located.row,
        "kind": overlap.claim.kind,
        "value": overlap.claim.value,
        "team": overlap.claim.team,
        "others": others,
        "effect": overlap.effect,
        "message": message.format(**values),
        "remedy": remedy,
    }


def summary(counts: Counts, *, dry_run: bool) -> Iterator[str]:
    teams, stated = sum(counts.teams.values()), sum(counts.claims.values())
    yield (
        ngettext("{count} team:", "{count} teams:", teams).format(count=teams)
        + " "
        + _("{new} new, {changed} changed, {unchanged} unchanged.").format(**counts.teams)
    )
    yield (
        ngettext("{count} claim:", "{count} claims:", stated).format(count=stated)
        + " "
        + _("{cidr} prefixes, {domain} domains, {asn} AS numbers, {country} countries.").format(**counts.claims)
        + " "
        + _("{new} new, {changed} changed, {ended} ended.").format(
            new=counts.claims_new, changed=counts.claims_changed, ended=counts.claims_ended
        )
    )
    yield ngettext("{count} contact.", "{count} contacts.", counts.contacts).format(count=counts.contacts)
    if counts.superseded:
        gone = ", ".join(f"{claim.value} ({claim.team})" for claim in counts.superseded)
        yield _("Shipped country claims that gave way to yours: {claims}.").format(claims=gone)
    if counts.of_roster:
        gone = ", ".join(f"{claim.value} ({claim.team}, {claim.source})" for claim in counts.of_roster)
        yield _("Claims that the federation's roster has verified and this file ended here: {claims}.").format(
            claims=gone
        )
    if dry_run:
        yield _("Nothing was changed: this was a dry run.")
    else:
        yield _("The claim table has number {number}.").format(number=counts.claims_version)


def entry_row(entry: TeamEntry) -> dict[str, Any]:
    return {
        "code": entry.card.code,
        "names": entry.card.names,
        "country": entry.card.country,
        "kind": entry.kind,
        "shipped": entry.shipped,
        "claims": entry.claims,
        "categories": entry.categories,
        "suspended": entry.suspended,
        "memberships": entry.memberships,
        "contacts": entry.card.contacts,
    }


def entry_lines(entries: Sequence[TeamEntry]) -> Iterator[str]:
    width = max((len(entry.card.code) for entry in entries), default=0)
    for entry in entries:
        name, _language = Text.of(entry.card.names).within(spoken())
        claims = ", ".join(f"{_(KINDS[kind])} {count}" for kind, count in entry.claims.items())
        yield f"{entry.card.code:<{width}}  {entry.card.country or '--'}  {name}" + (f"  ({claims})" if claims else "")
    yield ngettext("{count} team.", "{count} teams.", len(entries)).format(count=len(entries))
