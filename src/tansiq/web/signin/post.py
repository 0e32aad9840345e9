"""Mail of the sign-in desk."""

from __future__ import annotations

from datetime import datetime

from django.core.mail import send_mail


def send(to: str, subject: str, text: str, *, now: datetime) -> None:
    send_mail(subject, text, None, [to])
