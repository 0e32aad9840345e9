"""Asking the library: whatever it answers with, a panic included, becomes an error of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tansiq.core.errors import N_, TansiqError

T = TypeVar("T")


class Refused(TansiqError):
    code = "openpgp.refused"
    message = N_("The OpenPGP library refused it: {reason}.")
    remedy = N_("Export the key again with a present OpenPGP program and upload the file itself.")
    exit_code = 2


def asked(question: Callable[[], T]) -> T:
    """The answer of the library.

    Raises: Refused. The library speaks by ``RuntimeError`` with a stack trace below its first line; a panic inside it
        is a ``BaseException`` of no public name.
    """
    try:
        return question()
    except Exception as error:
        raise Refused(reason=_first_line(error)) from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise Refused(reason=_first_line(error)) from None


def answer(question: Callable[[], T], *, otherwise: T) -> T:
    """The answer of the library, or ``otherwise`` where it refuses one."""
    try:
        return asked(question)
    except Refused:
        return otherwise


def _first_line(error: BaseException) -> str:
    line = str(error).partition("\n")[0][:200].rstrip(". ")
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in line)
