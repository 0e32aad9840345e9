"""What the exchange's codes are called on the command line: the words of the pages, in the language spoken here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tansiq.core.language import spoken

if TYPE_CHECKING:
    from tansiq.exchange.node.standing import AlarmState


def word(table: str, code: str) -> str:
    """Of ``code`` in a table of ``web.exchange.words``, called by its name there; the bare code where it has none."""
    from tansiq.web.exchange import words

    with _spoken():
        return str(getattr(words, table).get(code, code))


def alarm_said(alarm: AlarmState) -> str:
    """What happened and what to do."""
    from tansiq.web.exchange import words

    with _spoken():
        return " ".join(filter(None, words.alarm(alarm.code, alarm.peer, alarm.values)))


@contextmanager
def _spoken() -> Iterator[None]:
    """The pages choose their language for each request; a command has one."""
    from django.utils import translation

    with translation.override(spoken()):
        yield
