"""How ``tansiq roster`` says what a roster is, and why one is not taken over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tansiq.core.errors import N_, TansiqError
from tansiq.core.language import _, ngettext
from tansiq.exchange import values
from tansiq.exchange.join import JoinRequest
from tansiq.exchange.join import grouped as aloud
from tansiq.exchange.roster import MAIL, Roster, RosterNode, RosterTeam
from tansiq.exchange.roster_signing import NotAccepted, NotTheOne, Split, Why

__all__ = [
    "accepted_row",
    "aloud",
    "check_form",
    "draft_lines",
    "outside_line",
    "plain",
    "refusal",
    "request_lines",
    "request_row",
    "roster_lines",
]

SPLIT_EXIT = 1


class BadField(TansiqError):
    code = "exchange.roster.field"
    message = N_("{value} cannot be used for --{option}.")
    remedy = N_("Write it like this: {example}.")
    exit_code = 2


class Malformed(TansiqError):
    code = "exchange.roster.malformed"
    message = N_("The roster of epoch {epoch} is signed, and its form is wrong: {detail}.")
    remedy = N_("Tell its signers; a newer program may be needed to read it.")
    exit_code = 2


class OtherRealm(TansiqError):
    code = "exchange.roster.realm"
    message = N_("The roster of epoch {epoch} is of the realm {detail}, not of this node's.")
    remedy = N_("An exercise has rosters and nodes of its own.")
    exit_code = 2


class NotCompared(TansiqError):
    code = "exchange.roster.not_compared"
    message = N_("The first roster is accepted by its digest alone, and that of the file is {detail}.")
    remedy = N_("Have a signer read the digest out to you by telephone. If it is this one, give it with --digest.")
    exit_code = 2


class NotSigned(TansiqError):
    code = "exchange.roster.not_signed"
    message = N_("The roster of epoch {epoch} is not signed by those who may sign it.")
    remedy = N_("Do not use it, and tell the Secretariat who gave it to you.")
    exit_code = 2


class WrongClock(TansiqError):
    code = "exchange.roster.clock"
    message = N_("The roster of epoch {epoch} was signed later than it is here: one of two clocks is wrong.")
    remedy = N_("See what `tansiq doctor` says of this machine's clock, then run it again.")
    transient = True


class Missing(TansiqError):
    code = "exchange.roster.missing"
    message = N_("The roster of epoch {epoch} does not follow the one here directly.")
    remedy = N_("Give the rosters between them as well, in any order: `tansiq roster history` says what is here.")
    exit_code = 2


class NothingGiven(TansiqError):
    code = "exchange.roster.nothing_given"
    message = N_("No roster was given.")
    remedy = N_("Name the files that hold them.")
    exit_code = 2


class SplitFound(TansiqError):
    code = "exchange.roster.split"
    message = N_("There are two rosters of epoch {epoch}, both signed: {here} here, {there} elsewhere.")
    remedy = N_("Accept neither further. Tell the Secretariat at once: a signer's key may be in other hands.")
    exit_code = SPLIT_EXIT


_REFUSALS: dict[Why, type[TansiqError]] = {
    Why.FORM: Malformed,
    Why.REALM: OtherRealm,
    Why.SIGNATURES: NotSigned,
    Why.CLOCK: WrongClock,
    Why.MISSING: Missing,
    Why.NOTHING: NothingGiven,
}


def refusal(outcome: NotAccepted | Split, *, given: str | None = None) -> TansiqError:
    """``given``: the digest of the first roster, as whoever accepts it gave it."""
    if isinstance(outcome, Split):
        return SplitFound(epoch=outcome.epoch, here=aloud(outcome.here), there=aloud(outcome.there))
    if outcome.reason is Why.ANCHOR:
        theirs = aloud(outcome.detail)
        return NotTheOne(given=aloud(given), digest=theirs) if given else NotCompared(detail=theirs)
    return _REFUSALS[outcome.reason](epoch=outcome.epoch, detail=outcome.detail)


def check_form(*, mail: str = "", realm: str = "", team: str = "") -> None:
    """Raises: BadField."""
    for option, value, form, example in (
        ("mail", mail, MAIL, "exchange@cert.example"),
        ("realm", realm, values.REALM, "live"),
        ("team", team, values.CODE, "XA-CERT"),
    ):
        if value and not form.fullmatch(value):
            raise BadField(option=option, value=value[:80], example=example)


def plain(fingerprint: str) -> str:
    """A fingerprint as people write it, as rosters do."""
    return "".join(fingerprint.split()).upper()


def request_row(asked: JoinRequest) -> dict[str, Any]:
    return {
        "realm": asked.realm,
        "node": asked.node,
        "team": asked.team,
        "mail": asked.mail,
        "node_fingerprint": asked.node_fingerprint,
        "platform_fingerprint": asked.platform_fingerprint,
        "nkey": asked.nkey,
    }


def request_lines(asked: JoinRequest) -> Iterator[str]:
    yield _("Node {node} for team {team}, realm {realm}").format(node=asked.node, team=asked.team, realm=asked.realm)
    yield _("Certificate of the node: {fingerprint}").format(fingerprint=aloud(asked.node_fingerprint))
    yield _("Key of the team here: {fingerprint}").format(fingerprint=aloud(asked.platform_fingerprint))
    yield _("Key for the backbone: {key}").format(key=aloud(asked.nkey))
    if asked.mail:
        yield _("Mail address: {address}").format(address=asked.mail)


def accepted_row(roster: Roster, epochs: list[int]) -> dict[str, Any]:
    return {"epoch": roster.epoch, "realm": roster.realm, "digest": roster.digest, "accepted": epochs}


def outside_line(team: str) -> str:
    text = _("{team} has no membership in the register: TLP:GREEN, such as the teams' contacts, does not reach it. "
             "Add its `periods` with `tansiq members import`, then `tansiq roster issue --claims`.")  # fmt: skip
    return text.format(team=team)


def roster_lines(roster: Roster) -> Iterator[str]:
    yield _("Realm {realm}, epoch {epoch}, issued {at}").format(
        realm=roster.realm, epoch=roster.epoch, at=f"{roster.issued_at:%Y-%m-%dT%H:%M:%SZ}"
    )
    yield _("Digest {digest}").format(digest=aloud(roster.digest))
    yield from _content_lines(roster)


def draft_lines(draft: Roster) -> Iterator[str]:
    """Without a digest: the roster that is signed is issued at another moment, and has another."""
    yield _("Realm {realm}, epoch {epoch}").format(realm=draft.realm, epoch=draft.epoch)
    yield from _content_lines(draft)


def _content_lines(roster: Roster) -> Iterator[str]:
    yield _("Signers of the next: {threshold} of {count}").format(
        threshold=roster.signers.threshold, count=len(roster.signers.certificates)
    )
    for fingerprint in sorted(roster.signers.certificates):
        yield f"  {aloud(fingerprint)}"
    count = len(roster.claims)
    yield ngettext("{count} verified claim, table {number}", "{count} verified claims, table {number}", count).format(
        count=count, number=roster.claims_number
    )
    for node in roster.nodes:
        yield _node_line(node)
        yield from (f"  {_team_line(team)}" for team in roster.teams if team.node == node.code)
    homeless = [team for team in roster.teams if not team.node]
    if homeless:
        yield _("On no node:")
        yield from (f"  {_team_line(team)}" for team in homeless)
    for gone in roster.former:
        yield _("Removed in epoch {epoch}: {code}").format(epoch=gone.epoch, code=gone.code)


def _node_line(node: RosterNode) -> str:
    present = node.present
    said = [node.code, present.fingerprint if present else "-", node.mail, *_marks(node.state.value)]
    return "  ".join(filter(None, [*said, _("forwards") if node.forwards else ""]))


def _team_line(team: RosterTeam) -> str:
    present = team.present
    said = [team.code, ",".join(team.categories), present.fingerprint if present else "-", *_marks(team.state.value)]
    return "  ".join(filter(None, said))


def _marks(state: str) -> list[str]:
    return [_("suspended")] if state == "suspended" else []
