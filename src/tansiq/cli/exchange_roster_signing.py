"""``tansiq roster signer`` and ``sign``: rosters that more than one machine has to sign."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tansiq.cli import exchange_roster_out as written
from tansiq.cli import node
from tansiq.cli.exchange_roster_files import AsJson, Out, digest_of, signed_in
from tansiq.cli.speech import emit, harmless, say
from tansiq.core.language import _

if TYPE_CHECKING:
    from tansiq.exchange.node.proposing import Proposal


def signer(
    realm: Annotated[str, typer.Option(metavar="REALM", help=_("`live`, or an exercise's id."))] = "live",
    out: Out = None,
    json: AsJson = False,
) -> None:
    from tansiq.cli import exchange_roster_words as words

    words.check_form(realm=realm)
    home = node.opened()
    from tansiq.exchange import custody

    out = out or Path("signer.pgp")
    with written.opened(out) as write:
        secret = custody.draw_signer(home, realm=realm)
        write(secret.certificate)
    if json:
        emit({"fingerprint": secret.fingerprint, "file": str(out)})
        return
    typer.echo(_("This machine's key for rosters: {fingerprint}").format(fingerprint=words.aloud(secret.fingerprint)))
    say(_("Written to {file}. Hand it to a signer, and read these out to each other by telephone.").format(file=out))


def sign(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help=_("Copies of one proposed roster."))],
    digest: Annotated[
        str, typer.Option(metavar="DIGEST", help=_("Of the proposal, as who made it read it out to you."))
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Say what it says, and sign nothing."))] = False,
    out: Out = None,
    json: AsJson = False,
) -> None:
    from tansiq.cli import exchange_roster_words as words

    compared = digest_of(digest) or ""
    parts = [signed_in(file) for file in files]
    home = node.opened()
    from tansiq.exchange.node import proposing
    from tansiq.members.viewers import operator

    if dry_run:
        draft = proposing.shown(parts, digest=compared)
        if json:
            emit(draft.fields() | {"dry_run": True})
        for line in words.roster_lines(draft) if not json else ():
            typer.echo(harmless(line))
        return
    out = out or Path(f"roster-{parts[0].epoch}.json")
    with written.opened(out) as write:
        found = proposing.sign(home, parts, digest=compared, by=operator(), now=datetime.now(UTC))
        tell(found, out, write, json=json)


def tell(found: Proposal, out: Path, write: written.Write, *, json: bool) -> None:
    """Write a proposal, and say who has signed it and what to do next."""
    from tansiq.cli import exchange_roster_words as words

    made = found.made
    write(made.written())
    row: dict[str, Any] = {"epoch": made.epoch, "digest": made.digest, "file": str(out)}
    row |= {"signed_by": sorted(found.signed_by), "threshold": found.threshold, "whole": found.is_whole}
    if json:
        emit(row)
        return
    typer.echo(_("Epoch {epoch}, digest {digest}").format(epoch=made.epoch, digest=words.aloud(made.digest)))
    count = len(found.signed_by)
    typer.echo(_("Signed by {count} of {threshold}.").format(count=count, threshold=found.threshold))
    if found.is_whole:
        text = _("Written to {file}. Give it back to who proposed it: `tansiq roster issue --signed {file}`.")
    else:
        text = _("Written to {file}, accepted nowhere yet. Have others sign it: `tansiq roster sign {file}`.")
    say(text.format(file=out))
