"""``tansiq exchange export`` and ``import``: files on a stick, for nodes that no network reaches."""

from __future__ import annotations

import secrets
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tansiq.cli import node
from tansiq.cli.exchange_here import AsJson, carried_to, present_or_complain
from tansiq.cli.exchange_work import Progress
from tansiq.cli.speech import emit, say, worded
from tansiq.core.errors import TansiqError
from tansiq.core.language import _, ngettext

if TYPE_CHECKING:
    from tansiq.exchange.bundle import Report
    from tansiq.exchange.node.exporting import Exported, Exporting
    from tansiq.exchange.node.importing import Imported

STANDSTILL_SECONDS = 15.0
"""Where a service runs it gives positions. The export waits for it until so long nothing more has got one: longer than
a process that was killed keeps a channel to itself."""
LOOK_SECONDS = 0.2


def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help=_("Where to write it; replaced when it is whole."))],
    to: Annotated[
        list[str] | None, typer.Option("--to", metavar="NODE", help=_("For whom; again for several. Default: all."))
    ] = None,
    json: AsJson = False,
) -> None:
    home = node.opened()
    now = datetime.now(UTC)
    here = present_or_complain(now)
    peers = carried_to(here, to)
    from tansiq.exchange import file as files
    from tansiq.exchange.blobs import BlobStore
    from tansiq.exchange.node.exporting import Exporting
    from tansiq.exchange.parts import Header

    worker = f"export {secrets.token_hex(4)}"
    exporting = Exporting(here, peers, store=BlobStore(home.blobs), worker=worker, now=datetime.now(UTC))
    header = Header.of(realm=here.realm, sender=here.code, made_at=now, to=peers)
    with Progress(shown=not json) as progress:
        _wait_until_sealed(exporting, progress)
        parts = _shown(exporting.parts(), progress, exporting.exported)
        written = files.write(file, header, parts)
    row = _written_row(str(file), peers, exporting.exported, written.size_bytes)
    if json:
        emit(row)
    else:
        _tell_written(row)


def _wait_until_sealed(exporting: Exporting, progress: Progress) -> None:
    """As long as another process seals what is to go into the file, and gets on with it."""
    from tansiq.exchange.node.exporting import is_sealed_elsewhere

    least, ends = sys.maxsize, 0.0
    while (count := exporting.seal(datetime.now(UTC))) and is_sealed_elsewhere(exporting.peers, datetime.now(UTC)):
        if count < least:
            least, ends = count, time.monotonic() + STANDSTILL_SECONDS
        elif time.monotonic() > ends:
            return
        progress.show(_("{count} bodies wait for the service to give them their positions").format(count=count))
        time.sleep(LOOK_SECONDS)


def _shown(parts: Any, progress: Progress, exported: Exported) -> Any:
    for part in parts:
        progress.show(_("{bodies} bodies").format(bodies=sum(exported.bodies.values())))
        yield part


def _written_row(file: str, peers: list[str], exported: Exported, size_bytes: int) -> dict[str, Any]:
    return {
        "file": file,
        "size_bytes": size_bytes,
        "to": {
            peer: {
                "bodies": exported.bodies[peer],
                "receipts": exported.receipts[peer],
                "left_out": exported.left[peer],
            }
            for peer in peers
        },
        "rosters": exported.rosters,
        "chunks": exported.chunks,
        "files_left_out": exported.blobs_left,
        "full": exported.is_full,
        "whole": exported.is_whole,
    }


def _tell_written(row: dict[str, Any]) -> None:
    say(_("{file}: {size_bytes} bytes.").format_map(row))
    for peer, counts in row["to"].items():
        said = ngettext(
            "{peer}: {bodies} body that it has not acknowledged, and {receipts} receipts.",
            "{peer}: {bodies} bodies that it has not acknowledged, and {receipts} receipts.",
            counts["bodies"],
        )
        say(said.format(peer=peer, **counts))
    if not row["whole"]:
        _tell_left(row)


def _tell_left(row: dict[str, Any]) -> None:
    say(_("The file is not whole."))
    for peer, counts in row["to"].items():
        if counts["left_out"]:
            said = ngettext(
                "{peer}: {left_out} body is left out.", "{peer}: {left_out} bodies are left out.", counts["left_out"]
            )
            say(said.format(peer=peer, **counts))
    if row["files_left_out"]:
        said = ngettext(
            "Of {files_left_out} file that belongs to them something is left out.",
            "Of {files_left_out} files that belong to them something is left out.",
            row["files_left_out"],
        )
        say(said.format_map(row))
    if row["full"]:
        say(_("The file is full. Export again when its receipts have come back: the rest goes into the next one."))
    else:
        say(_("Export again in a while: the service gives bodies their positions and fetches files. If no less is left "
              "out then, `tansiq exchange status` says what stands still."))  # fmt: skip


# ---- import


def import_files(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help=_("Files that `export` wrote on other nodes."))],
    json: AsJson = False,
) -> None:
    node.opened()
    present_or_complain(datetime.now(UTC))
    codes = []
    for file in files:
        try:
            row = _imported(file, shown=not json)
        except TansiqError as error:
            codes.append(error.exit_code)
            _tell({"file": str(file), "error": worded(error)}, json=json)
            continue
        _tell(row, json=json)
        codes += [3] * (not row["whole"]) + [1] * bool(row["held"])
    if codes:
        raise typer.Exit(max(codes))


def _imported(file: Path, *, shown: bool) -> dict[str, Any]:
    """Raises: UnreadableFile, OtherRealm, NoRoster."""
    home = node.opened()
    from tansiq.exchange import bundle
    from tansiq.exchange.blobs import BlobStore
    from tansiq.exchange.node.importing import Importing

    def present() -> Any:
        return present_or_complain(datetime.now(UTC))

    importing = Importing(present, store=BlobStore(home.blobs), clock=lambda: datetime.now(UTC))
    with (
        Progress(shown=shown) as progress,
        importing,
        bundle.opened(file, realm=importing.here.realm) as opened,
    ):
        importing.take(
            opened.parts(here=importing.here.code),
            told=lambda done: progress.show(_("{bodies} bodies").format(bodies=sum(done.became.values()))),
        )
    header = {"from": opened.header.sender, "made_at": opened.header.made_at, "to": list(opened.header.to)}
    return {"file": str(file)} | header | _taken(importing.imported, opened.report)


def _taken(imported: Imported, report: Report) -> dict[str, Any]:
    became = imported.became
    return {
        "taken": became["taken"],
        "repeats": became["repeat"] + became["skipped"],
        "parked": became["parked"],
        "refused": became["refused"],
        "frozen": became["frozen"],
        "full": became["full"],
        "held": became["held"],
        "receipts": imported.receipts,
        "junk": imported.junk,
        "rosters": imported.rosters,
        "epoch": imported.epoch,
        "chunks": imported.chunks,
        "chunks_unknown": imported.chunks_unknown,
        "others": dict(sorted(report.others.items())),
        "passed_over": [{"name": one.name, "fault": one.fault.value} for one in report.faults],
        "passed_over_count": report.fault_count,
        "whole": report.is_whole,
    }


def _tell(row: dict[str, Any], *, json: bool) -> None:
    if json:
        emit(row)
        return
    if "error" in row:
        say(" ".join(filter(None, (row["error"]["message"], row["error"]["remedy"]))))
        return
    told = _("{file} from {sender}: {taken} taken, {repeats} known already, {parked} parked, {refused} refused, "
             "{receipts} receipts, {chunks} chunks; roster of epoch {epoch}.")  # fmt: skip
    say(told.format(sender=row["from"], **row))
    if row["held"]:
        say(_("{held} were not taken, since this node is held. Import the file again when it is not.").format_map(row))
    if row["full"]:
        say(
            _("{full} were not taken for want of room behind a gap. Import the file that fills it first.").format_map(
                row
            )
        )
    if row["junk"]:
        say(_("{junk} could not be opened here, or were sealed by nobody known.").format_map(row))
    if others := [code for code in row["to"] if code in row["others"]]:
        say(_("The file is for others, too. Take it on to: {nodes}.").format(nodes=", ".join(others)))
    if not row["whole"]:
        say(_("The file is damaged or cut off; {count} entries were passed over. What is whole was taken. Have it "
              "written again.").format(count=row["passed_over_count"]))  # fmt: skip
