"""``tansiq roster``: who is in the federation by whose word, and how a node comes to be in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tansiq.cli import exchange_roster_out as files
from tansiq.cli import node
from tansiq.cli.exchange_roster_files import AsJson, Out, digest_of, request_in, signed_in, signer_in
from tansiq.cli.exchange_roster_signing import sign, signer, tell
from tansiq.cli.held import say_if_awaited
from tansiq.cli.speech import emit, harmless, say
from tansiq.core.errors import N_, TansiqError
from tansiq.core.language import _, ngettext

if TYPE_CHECKING:
    from tansiq.core.home import Home
    from tansiq.exchange.join import JoinRequest
    from tansiq.exchange.roster import Roster
    from tansiq.exchange.roster_signing import SignedRoster

NAME = "roster"

SHOW, AGAIN = "tansiq roster show --out FILE", "tansiq roster issue --again --out FILE"
"""What writes a roster in force, or a proposal, once more."""

Files = list[Path] | None
Codes = list[str] | None


class NoSuchEpoch(TansiqError):
    code = "exchange.roster.no_such_epoch"
    message = N_("This node has no roster of epoch {epoch}.")
    remedy = N_("See `tansiq roster history`.")
    exit_code = 2


def app() -> typer.Typer:
    desk = typer.Typer(no_args_is_help=True, help=_("The federation's nodes, teams and keys, and the epochs of them."))
    example = _("Example: {command}")
    for name, verb, text, command in (
        (
            "show",
            show,
            _("Show the roster here: epoch, digest, signers, nodes and teams; or write its file once more."),
            "tansiq roster show --out roster.json",
        ),
        (
            "request",
            request,
            _("Write what this node hands to a signer to be admitted or to have its keys replaced."),
            "tansiq roster request --mail exchange@cert.example --out join.json",
        ),
        (
            "found",
            found,
            _("Begin a federation with this node: draw a signer's key and make the roster of epoch 1."),
            "tansiq roster found --out roster-1.json",
        ),
        (
            "issue",
            issue,
            _("Make, sign and accept the next roster. Compare a request's fingerprints by telephone first."),
            "tansiq roster issue --admit join.json --out roster-2.json",
        ),
        (
            "accept",
            accept,
            _("Take over rosters from files, whoever brought them. The first needs its digest, compared by telephone."),
            "tansiq roster accept roster-1.json --digest 3f9a…",
        ),
        (
            "signer",
            signer,
            _("Write the certificate of this machine's key for rosters, drawn if there is none."),
            "tansiq roster signer --out signer.pgp",
        ),
        (
            "sign",
            sign,
            _("Sign a roster that was proposed elsewhere, where more than one signer has to. Look at it first."),
            "tansiq roster sign roster-7.json --digest 3f9a…",
        ),
        ("history", history, _("Show every roster that was accepted here, the newest first."), "tansiq roster history"),
    ):
        desk.command(name, help=text + "\n\n" + example.format(command=command))(verb)
    return desk


def show(
    epoch: Annotated[int | None, typer.Option(metavar="N", help=_("Another epoch than the present one."))] = None,
    out: Out = None,
    json: AsJson = False,
) -> None:
    node.opened()
    from tansiq.cli import exchange_roster_words as words
    from tansiq.exchange.node import issuing, rosters

    roster = rosters.current() if epoch is None else rosters.at(epoch)
    if roster is None:
        raise issuing.NoRoster() if epoch is None else NoSuchEpoch(epoch=epoch)
    if out is not None and (made := rosters.signed_at(roster.epoch)) is not None:
        with files.opened(out) as write:
            _hand_out(made, out, write, json=json)
        return
    if json:
        emit(roster.fields() | {"digest": roster.digest})
        return
    for line in words.roster_lines(roster):
        typer.echo(harmless(line))


def request(
    team: Annotated[str, typer.Option(metavar="CODE", help=_("A guest of this node; otherwise its home team."))] = "",
    mail: Annotated[str, typer.Option(metavar="ADDRESS", help=_("The mail address of this node's exchange."))] = "",
    realm: Annotated[str, typer.Option(metavar="REALM", help=_("`live`, or an exercise's id."))] = "",
    rotate: Annotated[bool, typer.Option("--rotate", help=_("With new keys of the node and the team."))] = False,
    out: Out = None,
    json: AsJson = False,
) -> None:
    home = node.opened()
    from tansiq.cli import exchange_roster_words as words
    from tansiq.exchange.node import issuing

    team = team.upper()
    words.check_form(mail=mail, realm=realm, team=team)
    out = out or Path(issuing.file_of_request(team))
    with files.opened(out) as write:
        asked, file = issuing.request(home, realm=realm, team=team, mail=mail, rotate=rotate)
        write(file)
    if json:
        emit(words.request_row(asked) | {"file": str(out)})
        return
    for line in words.request_lines(asked):
        typer.echo(line)
    if not issuing.is_registered(asked.team):
        say(_("The register here does not know {team}: is the code right?").format(team=asked.team))
    say(_("Written to {file}. Hand it to a signer, and read these out to each other by telephone.").format(file=out))


def found(
    mail: Annotated[str, typer.Option(metavar="ADDRESS", help=_("The mail address of this node's exchange."))] = "",
    realm: Annotated[str, typer.Option(metavar="REALM", help=_("`live`, or an exercise's id."))] = "live",
    out: Out = None,
    json: AsJson = False,
) -> None:
    home = node.opened()
    from tansiq.cli import exchange_roster_words as words
    from tansiq.exchange.node import issuing
    from tansiq.members.viewers import operator

    words.check_form(mail=mail, realm=realm)
    out, now = out or Path("roster-1.json"), datetime.now(UTC)
    with files.opened(out) as write:
        made = issuing.found(home, realm=realm, mail=mail, by=operator(), now=now)
        with files.signed(1, out, again=SHOW):
            _hand_out(made, out, write, json=json)
    _warn([issuing.home_team(issuing.this_node())], now)


def issue(
    admit: Annotated[
        Files, typer.Option("--admit", metavar="FILE", help=_("Requests of nodes or guest teams to admit."))
    ] = None,
    rotate: Annotated[
        Files, typer.Option("--rotate", metavar="FILE", help=_("Requests by which keys are replaced."))
    ] = None,
    move: Annotated[
        Files, typer.Option("--move", metavar="FILE", help=_("Requests of the nodes to which a team moves."))
    ] = None,
    remove: Annotated[Codes, typer.Option(metavar="CODE", help=_("Nodes or teams that leave."))] = None,
    suspend: Annotated[Codes, typer.Option(metavar="CODE", help=_("Nodes or teams to suspend."))] = None,
    reinstate: Annotated[Codes, typer.Option(metavar="CODE", help=_("Nodes or teams to make active again."))] = None,
    revoke: Annotated[
        Codes, typer.Option(metavar="FINGERPRINT", help=_("Node certificates that are compromised."))
    ] = None,
    strike: Annotated[
        Codes, typer.Option(metavar="FINGERPRINT", help=_("Teams' platform keys that are compromised."))
    ] = None,
    forward: Annotated[Codes, typer.Option(metavar="CODE", help=_("Nodes that may forward from now on."))] = None,
    keep_own: Annotated[Codes, typer.Option(metavar="CODE", help=_("Nodes that may no longer forward."))] = None,
    claims: Annotated[
        bool, typer.Option("--claims", help=_("Names, categories and verified claims as the register has them now."))
    ] = False,
    add_signer: Annotated[
        Files, typer.Option("--signer", metavar="FILE", help=_("Certificates of who may sign as well from then on."))
    ] = None,
    dismiss: Annotated[
        Codes, typer.Option(metavar="FINGERPRINT", help=_("Signers who may sign no more from then on."))
    ] = None,
    threshold: Annotated[
        int | None, typer.Option(metavar="N", help=_("How many signers a roster needs from then on."))
    ] = None,
    signed: Annotated[
        Files, typer.Option("--signed", metavar="FILE", help=_("Accept what was proposed here and others have signed."))
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help=_("Write once more what was signed here as the next roster."))
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help=_("Say what it would be, sign and change nothing."))
    ] = False,
    out: Out = None,
    json: AsJson = False,
) -> None:
    home = node.opened()
    from tansiq.cli import exchange_roster_words as words
    from tansiq.exchange.node import issuing, proposing, rosters
    from tansiq.members.viewers import operator

    if again or signed:
        _gather(home, signed or (), again=again, out=out, json=json)
        return
    changes = issuing.Changes(
        admit=[request_in(file) for file in admit or ()],
        rotate=[request_in(file) for file in rotate or ()],
        move=[request_in(file) for file in move or ()],
        remove=_upper(remove),
        suspend=_upper(suspend),
        reinstate=_upper(reinstate),
        revoke=[words.plain(one) for one in revoke or ()],
        strike=[words.plain(one) for one in strike or ()],
        forward=_upper(forward),
        keep_own=_upper(keep_own),
        signers=[signer_in(file) for file in add_signer or ()],
        dismiss=[words.plain(one) for one in dismiss or ()],
        threshold=threshold,
        register=claims,
    )
    now = datetime.now(UTC)
    admitted = [asked.team for asked in changes.admit]
    if dry_run:
        _say(issuing.drafted(changes, now=now), [*changes.admit, *changes.rotate, *changes.move], json=json)
        _warn(admitted, now)
        return
    out = out or _usual()
    with files.opened(out) as write:
        made = issuing.issue(home, changes, by=operator(), now=now)
        if rosters.signed_at(made.epoch) is None:
            with files.signed(made.epoch, out, again=AGAIN):
                tell(proposing.proposal([made]), out, write, json=json)
        else:
            with files.signed(made.epoch, out, again=SHOW):
                _hand_out(made, out, write, json=json)
    _warn(admitted, now)


def _warn(admitted: Sequence[str], now: datetime) -> None:
    """Of teams that are in the roster and in no membership: nobody would notice before their people miss something."""
    from tansiq.cli import exchange_roster_words as words
    from tansiq.exchange.node import issuing

    for team in issuing.without_membership(admitted, now=now):
        say(words.outside_line(team))


def _gather(home: Home, signed: Sequence[Path], *, again: bool, out: Path | None, json: bool) -> None:
    """Accept what enough have signed; with ``again`` and too few write what was signed here once more."""
    from tansiq.exchange.node import proposing
    from tansiq.members.viewers import operator

    parts = [proposing.again(home).made] if again else []
    parts += [signed_in(file) for file in signed]
    out = out or _usual()
    with files.opened(out) as write:
        if again and not (found := proposing.proposal(parts)).is_whole:
            tell(found, out, write, json=json)
            return
        made = proposing.accept(parts, by=operator(), now=datetime.now(UTC))
        with files.signed(made.epoch, out, again=SHOW):
            _hand_out(made, out, write, json=json)


def _usual() -> Path:
    """Where the next roster goes if nothing else is said."""
    from tansiq.exchange.node import rosters

    known = rosters.current()
    return Path(f"roster-{known.epoch + 1 if known else 1}.json")


def _say(draft: Roster, asked: Sequence[JoinRequest], *, json: bool) -> None:
    """What the next roster would be; nothing is signed."""
    from tansiq.cli import exchange_roster_words as words

    if json:
        emit(draft.fields() | {"dry_run": True})
        return
    for line in [*(said for one in asked for said in words.request_lines(one)), *words.draft_lines(draft)]:
        typer.echo(harmless(line))


def accept(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help=_("Rosters, in any order."))],
    digest: Annotated[
        str, typer.Option(metavar="DIGEST", help=_("Of the first roster, as a signer read it out to you."))
    ] = "",
    realm: Annotated[str, typer.Option(metavar="REALM", help=_("`live`, or an exercise's id."))] = "live",
    json: AsJson = False,
) -> None:
    from tansiq.cli import exchange_roster_words as words

    words.check_form(realm=realm)
    anchor = digest_of(digest)
    chain = [signed_in(file) for file in files]
    node.opened()
    from tansiq.exchange.node import rosters
    from tansiq.exchange.roster_signing import Accepted, Behind
    from tansiq.members.viewers import operator

    outcome = rosters.accept_signed(chain, by=operator(), now=datetime.now(UTC), realm=realm, anchor=anchor)
    if isinstance(outcome, Accepted):
        epochs = [roster.epoch for roster, _signed in outcome.steps]
        rest = words.refusal(outcome.rest, given=anchor) if outcome.rest else None
        if json:
            emit(words.accepted_row(outcome.roster, epochs) | {"rest": rest.code if rest else None})
        else:
            text = ngettext("{count} roster accepted; this is epoch {epoch} now.",
                            "{count} rosters accepted; this is epoch {epoch} now.", len(epochs))  # fmt: skip
            typer.echo(text.format(count=len(epochs), epoch=outcome.roster.epoch))
            say_if_awaited()
        if rest:
            raise rest
    elif isinstance(outcome, Behind):
        if json:
            known = rosters.current()
            emit((words.accepted_row(known, []) | {"rest": None}) if known else {"accepted": []})
        else:
            typer.echo(_("Nothing new: this node has what was given, or what came after it."))
    else:
        raise words.refusal(outcome, given=anchor)


def history(json: AsJson = False) -> None:
    node.opened()
    from tansiq.exchange.node import rosters

    for entry in rosters.history():
        if json:
            emit(
                {
                    "epoch": entry.epoch,
                    "realm": entry.realm,
                    "digest": entry.digest,
                    "signed_by": list(entry.signed_by),
                    "accepted_at": entry.accepted_at,
                }
            )
        else:
            typer.echo(f"{entry.epoch:>6}  {entry.accepted_at:%Y-%m-%dT%H:%M:%SZ}  {entry.digest}")


def _hand_out(made: SignedRoster, out: Path, write: files.Write, *, json: bool) -> None:
    from tansiq.cli import exchange_roster_words as words

    write(made.written())
    if json:
        emit({"epoch": made.epoch, "digest": made.digest, "file": str(out)})
        return
    typer.echo(_("Epoch {epoch}, digest {digest}").format(epoch=made.epoch, digest=words.aloud(made.digest)))
    say(_("Written to {file}. It proves itself: give it to the nodes by any way.").format(file=out))


def _upper(codes: Codes) -> list[str]:
    return [code.upper() for code in codes or ()]
