"""``tansiq work``: the loops that send, remind and tidy. ``tansiq up`` starts it as one of its parts."""

from __future__ import annotations

from tansiq.cli import exchange_work, node


def work() -> None:
    node.opened(sessions=True)
    from tansiq import settings
    from tansiq.workers.jobs import jobs
    from tansiq.workers.loop import loop
    from tansiq.workers.waiting import signals

    with signals() as heard:
        loop(jobs(settings.SMTP, settings.MAIL_FROM, settings.ADDRESS, settings.HOME, exchange_work.closed()), heard)
