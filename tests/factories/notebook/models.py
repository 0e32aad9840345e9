from __future__ import annotations

from django.db import models

from tansiq.core.viewer import Scope
from tansiq.sharing.models import Marked


class Note(Marked):
    key_scope = Scope.EVENTS_READ

    text = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.text
