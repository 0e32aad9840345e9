"""The mails of the exchange: whether the settings, the roster and the mail servers agree that they go and come."""

from __future__ import annotations

from collections.abc import Iterator

from tansiq.cli.checks.finding import Finding, bad, warn
from tansiq.core.errors import N_, TansiqError


def of_exchange_mail() -> Iterator[Finding]:
    """Nothing where the node has no roster, or where neither it nor the settings know of such mails."""
    from tansiq.exchange.node import rosters
    from tansiq.members.models import Node

    node, roster = Node.objects.first(), rosters.current()
    known = roster.node(node.code) if node and roster else None
    if known is not None:
        yield from _coming(known.mail)
        yield from _going(known.mail)


def _coming(address: str) -> Iterator[Finding]:
    from tansiq import settings

    if address and settings.EXCHANGE_IMAP is None:
        yield bad(
            "exchange.mail.not_fetched",
            N_("Other nodes send mails for this one to {address}, as the roster says, and nobody fetches them."),
            N_("Set TANSIQ_EXCHANGE_IMAP_URL (imaps://user:password@host/INBOX), and start the node again."),
            address=address,
        )
    if settings.EXCHANGE_IMAP is None:
        return
    if not address:
        yield warn(
            "exchange.mail.unknown",
            N_("Mails of other nodes are fetched, but the roster has no address of this node: nobody sends any."),
            N_(
                "Write a request with `tansiq roster request --rotate --mail ADDRESS` and have a roster issued with it."
            ),
        )
    from tansiq.exchange.imap import Mailbox

    try:
        with Mailbox(settings.EXCHANGE_IMAP).session() as session:
            session.enter()
    except TansiqError as error:
        yield bad(error.code, error.message, error.remedy, **error.values)


def _going(address: str) -> Iterator[Finding]:
    from tansiq import settings
    from tansiq.notices.submission import NotSent, Submission

    ours = settings.EXCHANGE_MAIL
    if not (ours or address or settings.EXCHANGE_IMAP):
        return
    if missing := _missing():
        yield bad(
            "exchange.mail.not_sent",
            N_(
                "This node sends no mails to other nodes, since these are not set: {settings}. "
                "It does not even send receipts."
            ),
            N_(
                "Set them, and start the node again. Until then what comes by mail alone is sent to this node for ever."
            ),
            settings=", ".join(missing),
        )
        return
    if address and ours != address:
        yield warn(
            "exchange.mail.other_address",
            N_("This node sends its mails from {ours}, and the roster says that it is at {address}."),
            N_("Correct TANSIQ_EXCHANGE_MAIL, or have a roster issued with the other address."),
            ours=ours,
            address=address,
        )
    assert settings.SMTP is not None
    try:
        Submission(settings.SMTP).close()
    except NotSent as error:
        yield bad(
            "exchange.mail.refused",
            N_("The mail server {host} does not let this node in, so no mails go to other nodes: {why}"),
            N_("Correct TANSIQ_SMTP_URL, or ask whoever runs that server. What waits is tried again by itself."),
            host=settings.SMTP.host,
            why=str(error),
        )


def _missing() -> list[str]:
    from tansiq import settings

    wanted = {"TANSIQ_EXCHANGE_MAIL": settings.EXCHANGE_MAIL, "TANSIQ_SMTP_URL": settings.SMTP}
    return [name for name, value in wanted.items() if not value]
