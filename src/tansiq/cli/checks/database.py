"""The relational database: there, whole, of this version, and not from the future."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from tansiq.cli.checks.finding import Finding, bad
from tansiq.cli.trouble import why
from tansiq.core.errors import N_

AHEAD = timedelta(minutes=5)


def reachable() -> Iterator[Finding]:
    from django.db import DatabaseError, connection

    try:
        connection.ensure_connection()
        yield from whole()
    except DatabaseError as error:
        yield bad(
            "database.unreachable",
            N_("The database cannot be used: {why}."),
            N_("See that it runs, that the disk has room, and that this user may write there."),
            why=why(error),
        )


def whole() -> Iterator[Finding]:
    """SQLite's own check of its pages; PostgreSQL checks its own."""
    from django.db import connection

    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        said = [row[0] for row in cursor.execute("PRAGMA quick_check(3)").fetchall()]
    if said != ["ok"]:
        yield bad(
            "database.damaged",
            N_("The database is damaged: {why}."),
            N_("Stop the node, keep a copy of its folder, and put the database back from a backup."),
            why="; ".join(map(str, said)),
        )


def migrated() -> Iterator[Finding]:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        yield bad(
            "database.older",
            N_("The database is older than this program: changes of its tables are missing ({count})."),
            N_("Stop the node and start it again with `tansiq up`, which makes them."),
            count=len(waiting),
        )
    unknown = set(executor.loader.applied_migrations) - set(executor.loader.graph.nodes) - replaced(executor)
    if ours := sorted(name for app, name in unknown if app in executor.loader.migrated_apps):
        yield bad(
            "database.newer",
            N_("The database was changed by a newer version of this program ({name})."),
            N_("Install that version again, or put back the backup from before."),
            name=ours[-1],
        )


def replaced(executor: object) -> set[tuple[str, str]]:
    """Migrations that others stand for by now."""
    return {old for new in executor.loader.replacements.values() for old in new.replaces}  # type: ignore[attr-defined]


def factors_readable() -> Iterator[Finding]:
    from tansiq.web.signin.stored import unreadable

    if count := unreadable():
        yield bad(
            "factors.unreadable",
            N_("The keys of second factors are sealed with another secret than this node has (people: {count})."),
            N_(
                "They cannot sign in with codes. Put `secrets/session.key` of the node's folder, or TANSIQ_SECRET_KEY, "
                "back from the backup that the database is of."
            ),
            count=count,
        )


def not_from_the_future(now: datetime) -> Iterator[Finding]:

    from tansiq.audit.models import Entry
    from tansiq.notices.models import JobRun

    newest = Entry.objects.order_by("-number").values_list("at", flat=True).first()
    started = (
        JobRun.objects.exclude(started_at=None).order_by("-started_at").values_list("started_at", flat=True).first()
    )
    latest = max((at for at in (newest, started) if at), default=now)
    if latest > now + AHEAD:
        yield bad(
            "clock.went_back",
            N_("The database has rows of {latest}, and the clock says {now}: it was set back, or was wrong before."),
            N_("Set the clock right before anybody works here: what happened when is part of the record."),
            latest=f"{latest:%Y-%m-%d %H:%M} UTC",
            now=f"{now:%Y-%m-%d %H:%M} UTC",
        )
