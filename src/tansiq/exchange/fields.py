"""The fields of one object of another node's JSON, taken one by one, each by its form (section 1.1)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from re import Pattern
from typing import Any, TypeVar

from tansiq.exchange import values
from tansiq.exchange.body import Version
from tansiq.exchange.values import LARGEST, Unfit

_LONGEST_TEXT = 512 * 1024

Choice = TypeVar("Choice", bound=StrEnum)
Item = TypeVar("Item")


class Fields:
    """The fields of one object, each taken once; what is left in the end is not known here.

    Raises: Unfit, from every method, with the field's name.
    """

    def __init__(self, said: Any, what: str) -> None:
        if type(said) is not dict:
            raise Unfit(field=what, expected="an object")
        self._left = dict(said)
        self._what = what

    def left(self) -> dict[str, Any]:
        """What nobody has taken."""
        return self._left

    def any(self, name: str) -> Any:
        """Whatever JSON has there."""
        if name not in self._left:
            raise Unfit(field=f"{self._what}.{name}", expected="there")
        return self._left.pop(name)

    def text(self, name: str, *, longest: int = _LONGEST_TEXT) -> str:
        """At most ``longest`` characters."""
        value = self.any(name)
        if type(value) is not str or len(value) > longest:
            raise Unfit(field=f"{self._what}.{name}", expected="a text")
        return value

    def form(self, name: str, form: Pattern[str]) -> str:
        """A text of at most 512 characters that has this form as a whole."""
        text = self.text(name, longest=512)
        if not form.fullmatch(text):
            raise Unfit(field=f"{self._what}.{name}", expected=form.pattern)
        return text

    def whole(self, name: str, *, least: int, most: int = LARGEST) -> int:
        """A whole number from ``least`` to ``most``; true and false are none."""
        value = self.any(name)
        if type(value) is not int or not least <= value <= most:
            raise Unfit(field=f"{self._what}.{name}", expected=f"a whole number from {least} to {most}")
        return value

    def moment(self, name: str) -> datetime:
        """A time by section 1.1, in UTC."""
        return values.read_time(self.text(name, longest=32))

    def bytes(self, name: str, *, longest: int) -> bytes:
        """At most ``longest`` bytes, as canonical base64url says them (section 1.1)."""
        data = values.read_bytes(self.text(name, longest=longest * 2))
        if len(data) > longest:
            raise Unfit(field=f"{self._what}.{name}", expected=f"at most {longest} bytes")
        return data

    def truth(self, name: str) -> bool:
        """True or false."""
        value = self.any(name)
        if type(value) is not bool:
            raise Unfit(field=f"{self._what}.{name}", expected="true or false")
        return value

    def one_of(self, name: str, kind: type[Choice]) -> Choice:
        """A member of an enumeration, by its value."""
        text = self.text(name, longest=64)
        try:
            return kind(text)
        except ValueError:
            raise Unfit(field=f"{self._what}.{name}", expected=" or ".join(kind)) from None

    def version(self, name: str) -> Version:
        """Term and number, and nothing else."""
        said = Fields(self.any(name), f"{self._what}.{name}")
        version = Version(said.whole("term", least=0), said.whole("n", least=0))
        if said.left():
            raise Unfit(field=f"{self._what}.{name}", expected="a term and a number")
        return version

    def items(self, name: str, read: Callable[[Any], Item], *, most: int) -> tuple[Item, ...]:
        """A list of at most ``most``, each as ``read`` gives it."""
        value = self.any(name)
        if type(value) is not list or len(value) > most:
            raise Unfit(field=f"{self._what}.{name}", expected=f"a list of at most {most}")
        return tuple(read(item) for item in value)
