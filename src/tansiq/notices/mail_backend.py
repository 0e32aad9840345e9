"""The framework's own mails, and those of its sign-in pages, go the same way as ours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import translation

from tansiq.core.text import LANGUAGES
from tansiq.notices import mail


class QueueBackend(BaseEmailBackend):
    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        now = datetime.now(UTC)
        spoken = (translation.get_language() or "en").partition("-")[0]
        language = spoken if spoken in LANGUAGES else "en"
        for message in email_messages:
            if message.attachments:
                raise ValueError("the mail queue carries no attachments")
            for to in message.recipients():
                mail.enqueue(to, message.subject, message.body, language=language, now=now, html=html_of(message))
        return len(email_messages)


def html_of(message: EmailMessage) -> str:
    return next((str(body) for body, kind in getattr(message, "alternatives", ()) if kind == "text/html"), "")
