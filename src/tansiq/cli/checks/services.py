"""What runs, and what it works on: portal, worker, mail, message server, lake, address table."""

from __future__ import annotations

import fcntl
import socket
from collections.abc import Iterator
from datetime import datetime, timedelta

from tansiq.cli import backbone
from tansiq.cli.checks.finding import Finding, bad, warn
from tansiq.core.errors import N_, TansiqError
from tansiq.core.home import Home

SILENT_AFTER = timedelta(minutes=5)
MAIL_STUCK_AFTER = timedelta(hours=1)
TABLE_OLD_AFTER_DAYS = 35


def is_up(home: Home) -> bool:
    """Whether ``tansiq up`` runs on this folder."""
    try:
        with home.running.open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def processes(home: Home) -> Iterator[Finding]:
    from tansiq import settings
    from tansiq.cli.up import answers, port_of

    if not is_up(home):
        yield from port_free(settings.BIND, settings.PORT)
        return
    port = port_of(home)
    if not answers(port):
        yield bad(
            "web.silent",
            N_("`tansiq up` runs, but the portal does not answer at port {port}."),
            N_("Read what `tansiq up` says on its standard error, or stop it and start it again."),
            port=port,
        )
    if (not settings.BACKBONE_URL or settings.BACKBONE_LISTEN) and not backbone.answers(home):
        yield bad(
            "backbone.silent",
            N_("The message server does not answer at port {port}."),
            N_("Read {file}, or stop the node and start it again."),
            port=backbone.known_port(home),
            file=home.backbone / "server.log",
        )


def port_free(host: str, port: int) -> Iterator[Finding]:
    """A node that is down is no fault; a port that it will not get is one."""
    from tansiq.cli.web import must_be_free

    try:
        must_be_free(host, port)
    except (TansiqError, socket.gaierror) as error:
        if isinstance(error, TansiqError):
            yield bad(error.code, error.message, error.remedy, **error.values)


def address() -> Iterator[Finding]:
    from tansiq import settings

    if settings.BIND not in settings.LOOPBACK and settings.HOST in settings.LOOPBACK:
        yield bad(
            "address.loopback",
            N_("The portal listens at {bind}, but calls itself {address}: nobody can sign in from elsewhere."),
            N_("Set TANSIQ_ADDRESS to what people type, such as https://portal.example, and encrypt before it."),
            bind=settings.BIND,
            address=settings.ADDRESS,
        )


def worker(home: Home, now: datetime) -> Iterator[Finding]:
    from tansiq.notices.models import JobRun
    from tansiq.workers.jobs import SIGN_OF_LIFE

    last = JobRun.objects.filter(name=SIGN_OF_LIFE).values_list("ended_at", flat=True).first()
    if is_up(home) and (last is None or last < now - SILENT_AFTER):
        yield bad(
            "worker.silent",
            N_("The worker has not been heard of for five minutes: no mail is sent, nobody is reminded."),
            N_("Read what `tansiq up` says on its standard error, or stop it and start it again."),
        )
    for name, trouble in JobRun.objects.filter(outcome="failed").order_by("name").values_list("name", "trouble"):
        yield bad(
            "worker.job_failed",
            N_("The job {name} failed the last time: {trouble}"),
            N_("It is tried again by itself. If the trouble stays, correct what it names."),
            name=name,
            trouble=trouble,
        )


def mail(now: datetime) -> Iterator[Finding]:
    from tansiq import settings
    from tansiq.notices.models import Mail, Stage

    waiting = Mail.objects.filter(stage=Stage.WAITING)
    if settings.SMTP is None:
        yield warn(
            "mail.not_configured",
            N_("No mail server is named, so mails wait: {count} by now."),
            N_("Set TANSIQ_SMTP_URL (smtp://user:password@host:587) and TANSIQ_MAIL_FROM, and start the node again."),
            count=waiting.count(),
        )
    elif stuck := waiting.filter(queued_at__lt=now - MAIL_STUCK_AFTER).count():
        last = waiting.exclude(trouble="").order_by("-pk").values_list("trouble", flat=True).first()
        yield bad(
            "mail.stuck",
            N_("Mails have waited for more than an hour ({count}); the mail server said: {trouble}"),
            N_("Correct TANSIQ_SMTP_URL, or ask whoever runs that server. The mails wait, and are tried again."),
            count=stuck,
            trouble=last or "-",
        )
    if failed := Mail.objects.filter(stage=Stage.FAILED, erased_at=None).count():
        yield warn(
            "mail.failed",
            N_("Mails of the last thirty days could not be delivered ({count})."),
            N_("Correct the addresses of those people in the portal."),
            count=failed,
        )


def lake(home: Home) -> Iterator[Finding]:
    from tansiq.lake import Lake

    try:
        with Lake.open(home, create=False):
            pass
    except TansiqError as error:
        if error.code != "lake.missing":  # nothing was ingested yet
            yield bad(error.code, error.message, error.remedy, **error.values)


def address_table(home: Home, now: datetime) -> Iterator[Finding]:
    from tansiq.addresses.table import AddressTable

    try:
        table = AddressTable.current(home.tables)
    except TansiqError as error:
        yield bad(error.code, error.message, error.remedy, **error.values)
        return
    if table is None:
        yield warn(
            "addresses.none",
            N_("There is no address table, so reports cannot be attributed by country."),
            N_("`tansiq geo update`, or without network `tansiq geo update --bundled`."),
        )
    elif (now.date() - table.as_of).days > TABLE_OLD_AFTER_DAYS:
        yield warn(
            "addresses.old",
            N_("The address table is of {day}: networks have changed hands since."),
            N_("`tansiq geo update`, best once a week."),
            day=table.as_of,
        )


def backups(home: Home) -> Iterator[Finding]:
    yield warn(
        "backup.none",
        N_("This program makes no backups yet, and knows of none."),
        N_("Copy {folder} to another machine regularly, while the node is stopped."),
        folder=home.path,
    )
