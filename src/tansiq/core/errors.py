"""Expected failures: what happened, which input, what to do."""

from __future__ import annotations

from typing import Any, ClassVar


def N_(text: str) -> str:
    """Mark an English source string for the catalogues; the front door translates it when it speaks."""
    return text


class TansiqError(Exception):
    """An expected failure with a stable code, the values involved, and a remedy.

    Subclasses live beside the function that raises them. ``message`` and ``remedy`` are English templates with
    named placeholders; only front doors (command line, pages) translate and fill them.

    Attributes:
        code: stable, dotted, for scripts and logs (``feeds.report.unreadable``).
        exit_code: what the command line exits with (docs/reference/exit-codes.md).
        transient: whether trying again later can help.
        values: what fills the placeholders; never content marked TLP:AMBER or stricter.
    """

    code: ClassVar[str] = "error"
    message: ClassVar[str] = N_("Something went wrong.")
    remedy: ClassVar[str] = ""
    exit_code: ClassVar[int] = 1
    transient: ClassVar[bool] = False

    def __init__(self, **values: Any) -> None:
        super().__init__(values)
        self.values = values

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self.values)

    def __str__(self) -> str:
        text = self.message.format(**self.values)
        return f"{text} {self.remedy.format(**self.values)}" if self.remedy else text


def _again(kind: type[TansiqError], values: dict[str, Any]) -> TansiqError:
    """The error in another process."""
    return kind(**values)
