"""Does the record still say what was recorded? Every row recomputed, from the first to the head."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import connection

from tansiq.audit import chain, guards
from tansiq.core.errors import N_, TansiqError

BATCH_ROWS = 2000
BEFORE_ALL = -(2**63)
ERASED = "audit.reason-erased"
ENTRY_KIND = "entry"
_HASH = re.compile(r"[0-9a-f]{64}")


class Fault(StrEnum):
    """What is wrong with the first broken row."""

    MISSING = "missing"  # there is no row of this number, and there was
    CHANGED = "changed"  # its hash is not that of its fields and the row before
    REASON_MISSING = "reason-missing"  # it was given a reason, which is gone without an erasure on record
    REASON_CHANGED = "reason-changed"  # the reason is not the one that was given
    HEAD = "head"  # the head names another hash for it, or there is no head
    BEYOND = "beyond"  # it comes after the last row that the head names
    NOTED = "noted"  # the chain holds, but this is not the hash that somebody noted: rows were made anew


@dataclass(frozen=True, slots=True)
class Broken:
    number: int
    fault: Fault


@dataclass(frozen=True, slots=True)
class Noted:
    """Number and hash of a row as somebody noted them elsewhere (``tansiq audit head``)."""

    number: int
    hash: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    Attributes:
        rows: how many were found good, from the first on.
        number, hash: the head's.
        broken: the first broken row, or None.
        guarded: the database refuses changes of rows (triggers); losing that is no break, but should be known.
    """

    rows: int
    number: int
    hash: str
    broken: Broken | None
    guarded: bool


class BadNote(TansiqError):
    code = "audit.note.bad"
    message = N_("A noted row is a number and a hash of 64 hexadecimal digits, and this is not: {number} {hash}.")
    remedy = N_("Give both --number and --head as `tansiq audit head` printed them.")
    exit_code = 2


def noted(number: int | None, hash: str | None) -> Noted | None:
    """Both as given, or neither. Raises: BadNote."""
    if number is None and hash is None:
        return None
    if number is None or hash is None or number < 0 or not _HASH.fullmatch(hash.lower()):
        raise BadNote(number="-" if number is None else number, hash=(hash or "-")[:80])
    return Noted(number, hash.lower())


def verify(*, against: Noted | None = None, batch_rows: int = BATCH_ROWS) -> Verdict:
    """Recompute the chain up to the head of this moment, and compare it with the row noted, if any.

    Rows are read in batches by number: memory does not grow with them, and appenders are not held up. What is
    appended meanwhile is for the next time.
    """
    number, digest, last = _ends()
    good, broken = _walk(number or 0, against, batch_rows)
    if broken is None:
        broken = _at_the_end(good, number, digest, last, against)
    return Verdict(good.number, number or 0, digest or chain.GENESIS, broken, guards.present())


def _walk(number: int, against: Noted | None, batch_rows: int) -> tuple[Noted, Broken | None]:
    """The last good row, and the first that is not."""
    good = Noted(0, chain.GENESIS)
    if against and against.number == 0 and against.hash != good.hash:
        return good, Broken(0, Fault.NOTED)
    for row in _rows(number, batch_rows):
        if fault := _fault(row, good):
            return good, fault
        good = Noted(row[0], row[9].decode())
        if against and against.number == good.number and against.hash != good.hash:
            return good, Broken(good.number, Fault.NOTED)
    return good, None


def _at_the_end(
    good: Noted, number: int | None, digest: str | None, last: int | None, against: Noted | None
) -> Broken | None:
    if number is None:
        return Broken(last or 0, Fault.HEAD)
    if good.number < number:
        return Broken(good.number + 1, Fault.MISSING)
    if good.hash != digest:
        return Broken(number, Fault.HEAD)
    if (last or 0) > number:
        return Broken(number + 1, Fault.BEYOND)
    if against and against.number > number:
        return Broken(number + 1, Fault.MISSING)
    return None


def _fault(row: tuple[Any, ...], before: Noted) -> Broken | None:
    number, digest = row[0], row[9]
    if number > before.number + 1:
        return Broken(before.number + 1, Fault.MISSING)
    sealed = chain.Sealed(str(number).encode(), *row[1:9])
    if number <= before.number or chain.hash_of(sealed, previous=before.hash).encode() != digest:
        return Broken(number, Fault.CHANGED)
    fault = _fault_of_reason(number, row[8], row[10:])
    return Broken(number, fault) if fault else None


def _fault_of_reason(number: int, digest: bytes, beside: tuple[Any, ...]) -> Fault | None:
    owner, text, salt, erased_by, *erasure = beside
    if not digest:
        return None if owner is None else Fault.REASON_CHANGED
    if owner is None:
        return Fault.REASON_MISSING
    if erased_by is not None:
        rightly = erasure == [ERASED.encode(), ENTRY_KIND.encode(), str(number).encode()] and not text and not salt
        return None if rightly else Fault.REASON_MISSING
    try:
        key = bytes.fromhex(salt.decode())
    except ValueError:
        return Fault.REASON_CHANGED
    same = key.hex().encode() == salt and chain.reason_digest(text, salt=key).encode() == digest
    return None if same else Fault.REASON_CHANGED


def _ends() -> tuple[int | None, str | None, int | None]:
    """Number and hash of the head, and the highest number there is: one statement, so of one moment."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT number, hash, last FROM (SELECT MAX(number) AS last FROM audit_entry) AS entries"
            " LEFT JOIN audit_head ON audit_head.id = 1"
        )
        return cursor.fetchone()


def _rows(number: int, batch_rows: int) -> Iterator[tuple[Any, ...]]:
    """Rows up to ``number`` with the reason beside each; texts as the bytes that are stored, whatever they are."""
    as_bytes = "convert_to({}, 'UTF8')" if connection.vendor == "postgresql" else "CAST({} AS BLOB)"
    fields = ("at", "who", "team", "verb", "item_kind", "item_id", "facts", "reason_digest", "hash")
    chosen = [
        "e.number",
        *(as_bytes.format(f"e.{field}") for field in fields),
        "r.entry_id",
        *(as_bytes.format(field) for field in ("r.text", "r.salt")),
        "r.erased_by_id",
        *(as_bytes.format(f"x.{field}") for field in ("verb", "item_kind", "item_id")),
    ]
    query = (
        f"SELECT {', '.join(chosen)} FROM audit_entry e LEFT JOIN audit_reason r ON r.entry_id = e.number"
        " LEFT JOIN audit_entry x ON x.number = r.erased_by_id"
        " WHERE e.number > %s AND e.number <= %s ORDER BY e.number LIMIT %s"
    )
    after = BEFORE_ALL
    while True:
        with connection.cursor() as cursor:
            cursor.execute(query, [after, number, batch_rows])
            batch = cursor.fetchall()
        yield from batch
        if len(batch) < batch_rows:
            return
        after = batch[-1][0]
