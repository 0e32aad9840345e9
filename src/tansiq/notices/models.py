"""Mail that waits to be sent, and what the node's own jobs last did."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from tansiq.core.text import LANGUAGES


class Stage(models.TextChoices):
    """Where a mail is. The moves: waiting -> sending -> sent, failed, or waiting again."""

    WAITING = "waiting"
    SENDING = "sending"  # claimed by a worker
    SENT = "sent"  # the submission server has taken it over
    FAILED = "failed"  # refused for good, or tried for too long


class Mail(models.Model):
    """One message to one address. Its words are erased thirty days after it was sent or given up."""

    to = models.CharField(max_length=254)
    subject = models.CharField(max_length=300, blank=True)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    language = models.CharField(max_length=2)
    message_id = models.CharField(max_length=100, unique=True)  # the same in every attempt, so that repeats show
    stage = models.CharField(max_length=8, choices=Stage.choices, default=Stage.WAITING)
    queued_at = models.DateTimeField()
    next_try_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    uncertain = models.PositiveSmallIntegerField(default=0)  # attempts of which nobody knows whether they arrived
    claim = models.CharField(max_length=32, blank=True)  # of the worker that is sending it
    claimed_at = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=200, blank=True)  # the last attempt's, as the server put it
    ended_at = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="mail_stage_known", condition=Q(stage__in=Stage.values)),
            models.CheckConstraint(name="mail_language_known", condition=Q(language__in=LANGUAGES)),
            models.CheckConstraint(
                name="mail_claimed_while_sending",
                condition=Q(stage="sending", claimed_at__isnull=False) | (~Q(stage="sending") & Q(claimed_at=None)),
            ),
            models.CheckConstraint(
                name="mail_ended_has_time",
                condition=Q(stage__in=["sent", "failed"], ended_at__isnull=False)
                | Q(stage__in=["waiting", "sending"], ended_at=None),
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="mail_due", fields=["next_try_at"], condition=Q(stage="waiting")),
            models.Index(name="mail_claimed", fields=["claimed_at"], condition=Q(stage="sending")),
            models.Index(name="mail_to_erase", fields=["ended_at"], condition=Q(erased_at=None)),
        ]

    def __str__(self) -> str:
        return self.message_id


class JobRun(models.Model):
    """What one of the node's jobs last did, and when it is due. Whoever moves ``due_at`` forward runs it."""

    name = models.CharField(max_length=40, primary_key=True)
    due_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=8, blank=True)  # done, failed
    count = models.PositiveIntegerField(default=0)  # of what it did: mails sent, rows erased
    trouble = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="job_outcome_known", condition=Q(outcome__in=["", "done", "failed"])),
        ]

    def __str__(self) -> str:
        return self.name
