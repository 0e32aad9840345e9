"""``tansiq lab``: many real nodes on this machine, to try a federation, to load it and to break it."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tansiq.cli import backbone, reading
from tansiq.cli.speech import emit, harmless, say
from tansiq.core.errors import N_, TansiqError
from tansiq.core.language import _, ngettext

if TYPE_CHECKING:
    from tansiq.workers.lab.lab import Lab
    from tansiq.workers.lab.scenario import Scenario

NAME = "lab"
USUAL = Path("lab")
FEW, MOST = 5, 57
UP_SECONDS = 600.0
GLANCE_SECONDS = 0.2

Folder = Annotated[Path, typer.Option("--folder", metavar="FOLDER", help=_("Where the lab keeps what it has."))]
AsJson = Annotated[bool, typer.Option("--json", help=_("JSON on standard output."))]


class NotUp(TansiqError):
    code = "lab.not_up"
    message = N_("The lab in {folder} did not come up: {why}")
    remedy = N_("Read {log}, delete the folder, and try again.")


class OtherNumber(TansiqError):
    code = "lab.other_number"
    message = N_("The lab in {folder} has {count} nodes already.")
    remedy = N_("Start it again with `tansiq lab up`, or name a folder for another lab with `--folder`.")
    exit_code = 2


class NotProven(TansiqError):
    code = "lab.not_proven"
    message = N_("The nodes did not come to one state. {ways}")
    remedy = N_("The lab is kept in {folder}: the nodes' databases and logs are there.")
    exit_code = 1


def app() -> typer.Typer:
    desk = typer.Typer(no_args_is_help=True, help=_("Many real nodes on this machine, for drills, load and faults."))
    example = _("Example: {command}")
    for name, verb, text, command in (
        ("up", up, _("Set up and start nodes of a federation of their own."), "tansiq lab up --nodes 5"),
        ("status", status, _("Show processes, memory and traffic of the lab that runs."), "tansiq lab status --json"),
        ("down", down, _("End all processes of the lab; what they have stays."), "tansiq lab down"),
        (
            "run",
            run,
            _("Play a scenario in a lab of its own, and prove that all nodes come to one state."),
            "tansiq lab run tests/scenarios/quick.toml --json",
        ),
    ):
        desk.command(name, help=text + "\n\n" + example.format(command=command))(verb)
    return desk


def up(
    nodes: Annotated[
        int | None,
        typer.Option("--nodes", metavar="N", min=2, max=MOST, help=_("How many nodes."), show_default=str(FEW)),
    ] = None,
    folder: Folder = USUAL,
    json: AsJson = False,
) -> None:
    folder = folder.absolute()
    here = folder / "lab.json"
    is_new = not here.exists()
    begun = time.monotonic()
    _refuse_second(folder, nodes, is_new=is_new)
    count = nodes or FEW
    say(_("Setting {count} nodes up in {folder}.").format(count=count, folder=folder) if is_new else _("Starting."))
    load(folder)
    stand = _detached(folder, lambda: _kept(folder, count, is_new=is_new))
    if json:
        emit(stand)
        return
    seconds = time.monotonic() - begun
    count = len(stand["running"])
    typer.echo(
        ngettext("{count} node runs after {seconds:.1f} s.", "{count} nodes run after {seconds:.1f} s.", count).format(
            count=count, seconds=seconds
        )
    )
    _tell(stand)


def status(folder: Folder = USUAL, json: AsJson = False) -> None:
    from tansiq.workers.lab import control

    stand = control.ask(folder.absolute(), "status")
    if json:
        emit(stand)
    else:
        _tell(stand)


def down(folder: Folder = USUAL, json: AsJson = False) -> None:
    from tansiq.workers.lab import control

    answer = control.ask(folder.absolute(), "down")
    if json:
        emit(answer)
    else:
        typer.echo(_("The lab has ended; `tansiq lab up` starts it again."))


def run(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO.toml", help=_("What is to go wrong, and when."))],
    folder: Annotated[
        Path | None, typer.Option("--folder", metavar="FOLDER", help=_("Where to keep the lab; otherwise it goes."))
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", help=_("Another than the scenario's."))] = None,
    json: AsJson = False,
) -> None:
    from tansiq.workers.lab.scenario import read

    wanted = reading.read(scenario, read)
    where = (folder or Path(tempfile.mkdtemp(prefix="tansiq-lab-"))).absolute()
    load(where)
    figures = _played(wanted, where, seed)
    if folder is None:
        shutil.rmtree(where)
    if json:
        emit(figures)
        return
    typer.echo(_("All nodes are in one state: {title}").format(title=harmless(wanted.title)))
    for name, value in figures.items():
        typer.echo(f"{name}\t{value}")


def _played(wanted: Scenario, where: Path, seed: int | None) -> dict[str, Any]:
    """Raises: NotProven."""
    from dataclasses import replace

    from tansiq.workers.lab.lab import Lab
    from tansiq.workers.lab.place import codes
    from tansiq.workers.lab.proving import NotOne
    from tansiq.workers.lab.running import Run

    wanted = wanted if seed is None else replace(wanted, seed=seed)
    lab = Lab.up(where, codes(wanted.nodes), program=program(), seed=wanted.seed)
    try:
        return Run(lab, wanted, say, random.Random(wanted.seed)).go()
    except NotOne as ways:
        shown = "; ".join(map(str, ways.args[:20]))
        raise NotProven(folder=where, ways=f"{len(ways.args)}: {shown}") from None
    finally:
        lab.down()


def _kept(folder: Path, nodes: int, *, is_new: bool) -> None:
    from tansiq.workers.lab import keeping
    from tansiq.workers.lab.lab import Lab
    from tansiq.workers.lab.place import codes

    lab: Lab
    if is_new:
        lab = Lab.up(folder, codes(nodes), program=program())
    else:
        lab = Lab.again(folder, program=program())
    lab.start()
    keeping.keep(lab)


def program() -> Path:
    return backbone.program(os.environ.get("TANSIQ_NATS_SERVER", ""))


def _refuse_second(folder: Path, nodes: int | None, *, is_new: bool) -> None:
    """Raises: LabThere: it runs, or something else is there; OtherNumber."""
    from tansiq.workers.lab import control
    from tansiq.workers.lab.place import LabThere, NoLab, Place

    if is_new:
        if folder.exists() and any(folder.iterdir()):
            raise LabThere(folder=folder)
        return
    try:
        control.ask(folder, "status")
    except NoLab:
        count = len(Place(folder).read()["nodes"])
        if nodes not in (None, count):
            raise OtherNumber(folder=folder, count=count) from None
        return
    raise LabThere(folder=folder)


def load(folder: Path) -> None:
    """The program as every node of the lab has it: none of the settings of the node that may be on this machine."""
    for name in [name for name in os.environ if name.startswith("TANSIQ_") and name != "TANSIQ_LANGUAGE"]:
        if name != "TANSIQ_NATS_SERVER":
            del os.environ[name]
    os.environ["TANSIQ_HOME"] = str(folder / "template")
    os.environ["TANSIQ_SECRET_KEY"] = "of no session: a lab has no pages"
    os.environ["DJANGO_SETTINGS_MODULE"] = "tansiq.settings"
    os.umask(0o077)
    import django

    django.setup()
    from tansiq.members.document import document  # noqa: F401
    from tansiq.workers.lab import kind, running  # noqa: F401

    kind.register()


def _detached(folder: Path, keeper: Callable[[], None]) -> dict[str, Any]:
    """``keeper`` in a process of its own that goes on. Returns: how the lab stands. Raises: NotUp."""
    from tansiq.workers.lab import control
    from tansiq.workers.lab.place import NoLab

    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = folder.with_name(f"{folder.name}.log")
    sys.stdout.flush()
    if not (pid := os.fork()):
        _alone(log, keeper)
    until = time.monotonic() + UP_SECONDS
    try:
        while time.monotonic() < until:
            if os.waitpid(pid, os.WNOHANG)[0]:
                lines = log.read_text(errors="replace").strip().splitlines()
                raise NotUp(folder=folder, why=lines[-1] if lines else "-", log=log)
            try:
                return control.ask(folder, "status")
            except NoLab:
                time.sleep(GLANCE_SECONDS)
    except KeyboardInterrupt:
        _end(pid)
        raise
    _end(pid)
    raise NotUp(folder=folder, why=f"{UP_SECONDS:.0f} s", log=log)


def _end(pid: int) -> None:
    """The process that sets a lab up; whatever it has started ends with it."""
    with suppress(ProcessLookupError, ChildProcessError):
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)


def _alone(log: Path, keeper: Callable[[], None]) -> None:
    """Of no terminal, and with no output but the log."""
    code = 1
    try:
        os.setsid()
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(out, 1)
        os.dup2(out, 2)
        keeper()
        code = 0
    except TansiqError as error:
        sys.stderr.write(f"{error}\n")
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _tell(stand: dict[str, Any]) -> None:
    memory = stand["memory"]
    of_nodes, of_openers = (memory[what]["pss_bytes"] >> 20 for what in ("nodes", "openers"))
    typer.echo(
        _("{running} of {nodes} nodes run: {of_nodes} MB, and {of_openers} MB of the processes that open.").format(
            running=len(stand["running"]), nodes=stand["nodes"], of_nodes=of_nodes, of_openers=of_openers
        )
    )
    for name, code in stand["ended"].items():
        typer.echo(_("{node} ended by itself with {code}.").format(node=name, code=code))
