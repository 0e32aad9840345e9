"""May this be done? One answer for the refusal and for the greyed-out button."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tansiq.core.errors import N_, TansiqError


class NotAllowed(TansiqError):
    """A rule refused. ``reason`` is the rule's stable code; front doors put it into words."""

    code = "not_allowed"
    message = N_("This is not allowed: {reason}.")
    exit_code = 5


@dataclass(frozen=True, slots=True)
class Decision:
    """Allowed or not, and the stable code of why, with the values involved.

    Attributes:
        allowed: the answer.
        reason: dotted code, ``case.close.not_owner``; empty only where nothing needs to be said.
        values: what fills the words that a front door has for the code; codes and numbers, never content.
    """

    allowed: bool
    reason: str = ""
    values: dict[str, Any] = field(default_factory=dict, hash=False)

    def __bool__(self) -> bool:
        return self.allowed

    def require(self) -> None:
        """Raises: NotAllowed, with the reason, unless allowed."""
        if not self.allowed:
            raise NotAllowed(reason=self.reason, **self.values)


YES = Decision(True)


def no(reason: str, **values: Any) -> Decision:
    return Decision(False, reason, values)
