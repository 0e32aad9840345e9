"""On which line of a TOML document each value stands; the standard library's reader does not say.

Walks a document that ``tomllib`` has accepted already, so it decides nothing about validity. Source: TOML 1.0.0.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import accumulate

Path = tuple[str | int, ...]
"""Keys and indices from the top: ``("team", 0, "claims", "asn", 2)``."""

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_STRING = re.compile(r'"""(?:\\.|[^\\])*?""""{0,2}|\'\'\'.*?\'\'\'\'{0,2}|"(?:\\.|[^"\\])*"|\'[^\']*\'', re.DOTALL)
_SCALAR = re.compile(r"[^,\]}\n#]+")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_DOT = re.compile(r"[ \t]*\.[ \t]*")
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_SHORT = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}


def rows(document: str) -> Mapping[Path, int]:
    """Path of every table, array and value -> the number of its line, from 1."""
    ends = list(accumulate((len(line) for line in document.split("\n")), lambda total, size: total + size + 1))
    return {path: bisect_right(ends, offset) + 1 for path, offset in _Walk(document).steps()}


def nearest(path: Path, known: Mapping[Path, int]) -> int | None:
    """The line of the value, or of the closest thing around it: a missing key stands nowhere itself."""
    return next((known[path[:depth]] for depth in range(len(path), 0, -1) if path[:depth] in known), None)


class _Walk:
    def __init__(self, document: str) -> None:
        self.text = document
        self.at = 0
        self.last: dict[Path, int] = {}  # array of tables -> index of its newest table

    def steps(self) -> Iterator[tuple[Path, int]]:
        table: Path = ()
        while self.peek():
            start = self.at
            if self.text.startswith("[[", start):
                self.at += 2
                table = self.another(self.keys())
                self.at += 2
                yield table, start
            elif self.text[start] == "[":
                self.at += 1
                table = self.resolved(self.keys())
                self.at += 1
                yield table, start
            else:
                yield from self.pair(table)

    def peek(self) -> str:
        """The next character that is neither space nor comment; empty at the end."""
        if match := _BLANK.match(self.text, self.at):
            self.at = match.end()
        return self.text[self.at : self.at + 1]

    def keys(self) -> list[str]:
        found = []
        while True:
            self.peek()
            if quoted := _STRING.match(self.text, self.at):
                self.at = quoted.end()
                found.append(_unquoted(quoted[0]))
            elif bare := _BARE_KEY.match(self.text, self.at):
                self.at = bare.end()
                found.append(bare[0])
            dot = _DOT.match(self.text, self.at)
            if not dot:
                self.peek()
                return found
            self.at = dot.end()

    def resolved(self, keys: list[str]) -> Path:
        path: Path = ()
        for key in keys:
            path = (*path, key)
            if path in self.last:
                path = (*path, self.last[path])
        return path

    def another(self, keys: list[str]) -> Path:
        path = (*self.resolved(keys[:-1]), keys[-1])
        self.last[path] = self.last.get(path, -1) + 1
        return (*path, self.last[path])

    def pair(self, table: Path) -> Iterator[tuple[Path, int]]:
        start = self.at
        path = (*table, *self.keys())
        self.at += 1  # the equals sign
        for depth in range(len(table) + 1, len(path)):
            yield path[:depth], start
        yield from self.value(path)

    def value(self, path: Path) -> Iterator[tuple[Path, int]]:
        opening = self.peek()
        yield path, self.at
        if opening == "[":
            yield from self.array(path)
        elif opening == "{":
            yield from self.inline_table(path)
        else:
            scalar = _STRING.match(self.text, self.at) or _SCALAR.match(self.text, self.at)
            self.at = scalar.end() if scalar else self.at + 1

    def array(self, path: Path) -> Iterator[tuple[Path, int]]:
        self.at += 1
        index = 0
        while (character := self.peek()) and character != "]":
            if character == ",":
                self.at += 1
                continue
            yield from self.value((*path, index))
            index += 1
        self.at += 1

    def inline_table(self, path: Path) -> Iterator[tuple[Path, int]]:
        self.at += 1
        while (character := self.peek()) and character != "}":
            if character == ",":
                self.at += 1
                continue
            yield from self.pair(path)
        self.at += 1


def _unquoted(key: str) -> str:
    if key[0] == "'":
        return key[1:-1]
    return _ESCAPE.sub(lambda m: chr(int(m[1] or m[2], 16)) if m[1] or m[2] else _SHORT.get(m[3], m[3]), key[1:-1])
