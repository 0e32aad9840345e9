"""``tansiq doctor``: says in words what is wrong with this installation. It looks, and changes nothing."""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from tansiq.cli import node
from tansiq.cli.checks import database, ground, links, mailway, services
from tansiq.cli.checks.finding import Finding, Severity, warn
from tansiq.cli.speech import emit, harmless, say
from tansiq.core.errors import N_
from tansiq.core.home import Home
from tansiq.core.language import _, ngettext

SOMETHING_BAD = 1


def doctor(json: Annotated[bool, typer.Option("--json", help=_("One JSON object a finding."))] = False) -> None:
    home = node.home()
    total = worst = 0
    for finding in findings(home, datetime.now(UTC)):
        total += 1
        worst += finding.severity is Severity.BAD
        said = worded(finding)
        if json:
            emit(said)
        else:
            mark = _("Wrong:") if finding.severity is Severity.BAD else _("To see to:")
            typer.echo(harmless(f"{mark} {said['what']} {said['remedy']}"))
    if not json:
        say(conclusion(total, worst))
    if worst:
        raise typer.Exit(SOMETHING_BAD)


def findings(home: Home, now: datetime) -> Iterator[Finding]:
    """The ground first: what stands on bad ground is not looked at."""
    yield from ground.clock(now)
    if not home.path.is_dir():
        yield warn("home.none", N_("There is no node in {folder} yet."), N_("`tansiq up` makes one."), folder=home.path)
        return
    yield from ground.disks(home)
    yield from ground.keys(home)
    yield from services.address()
    yield from of_database(home, now)
    yield from services.lake(home)
    yield from services.address_table(home, now)
    yield from services.backups(home)


def of_database(home: Home, now: datetime) -> Iterator[Finding]:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tansiq.settings")
    django.setup()
    atexit.register(node.leave_the_database)
    trouble = list(database.reachable()) or list(database.migrated())
    yield from trouble
    if not trouble:
        yield from database.not_from_the_future(now)
        yield from database.factors_readable()
        yield from services.processes(home)
        yield from services.worker(home, now)
        yield from services.mail(now)
        yield from links.of_exchange(now)
        yield from links.of_exchange_keys(home)
        yield from mailway.of_exchange_mail()


def worded(finding: Finding) -> dict[str, Any]:
    """As the scripts' contract has it: a stable code and severity, the rest in the reader's language."""
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "what": _(finding.what).format(**finding.values),
        "remedy": _(finding.remedy).format(**finding.values),
    }


def conclusion(total: int, worst: int) -> str:
    if not total:
        return _("Nothing is wrong.")
    if not worst:
        return _("Nothing is wrong that keeps this node from working.")
    return ngettext("{count} thing is wrong.", "{count} things are wrong.", worst).format(count=worst)
