from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks


class SigninConfig(AppConfig):
    name = "tansiq.web.signin"
    label = "signin"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        checks.register(second_factor, checks.Tags.security)


def second_factor(**_named: Any) -> list[checks.CheckMessage]:
    """Said by every command of the framework, and an error before anything is deployed."""
    if settings.SECOND_FACTOR_REQUIRED:
        return []
    said = "TANSIQ_SECOND_FACTOR is optional: whoever steals a password is let in."
    return [checks.Warning(said, hint="Unset TANSIQ_SECOND_FACTOR.", id="signin.W001")]
