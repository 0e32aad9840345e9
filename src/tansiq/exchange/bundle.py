"""The file for a stick, read: by its local headers from the beginning, whatever it is (section 16, File).

No directory of the archive is believed, nothing is unpacked, no name becomes a path, and no more than one entry is in
memory. Every byte is read or passed over once, so that a hostile file costs what its size costs.
"""

from __future__ import annotations

import os
import re
import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple

from tansiq.core.errors import N_, TansiqError
from tansiq.exchange.body import Lane
from tansiq.exchange.parts import (
    HEADER_NAME,
    MOST_ENTRIES,
    MOST_NODES,
    Chunk,
    Fault,
    ForNode,
    Header,
    Name,
    Named,
    Part,
    read_header,
    read_name,
)
from tansiq.exchange.values import Unfit

_LOCAL = struct.Struct("<4s5H3L2H")  # APPNOTE 4.3.7
_LOCAL_MARK, _DIRECTORY_MARKS = b"PK\x03\x04", (b"PK\x01\x02", b"PK\x05\x06")
_LIKELY = re.compile(rb"PK\x03\x04..\x00[\x00\x08]\x00\x00", re.DOTALL)  # an entry as this file has them
_ENCRYPTED, _LENGTH_BEHIND, _STRONG = 0x1, 0x8, 0x40
_LENGTH_ELSEWHERE = 0xFFFFFFFF
_AES = 99
_LEAST_BLOCK, _BLOCK = 4096, 1024 * 1024
_MOST_FAULTS = 100


class UnreadableFile(TansiqError):
    code = "exchange.file.unreadable"
    message = N_("{path} cannot be read: {why}.")
    remedy = N_("Use the file that `tansiq exchange export` wrote, as it is: not unpacked, not packed anew.")
    exit_code = 3


class NoSuchFile(UnreadableFile):
    """Something else, or so damaged at its beginning that nobody can tell."""

    message = N_("{path} is no file of the exchange.")


class OtherRealm(TansiqError):
    code = "exchange.file.realm"
    message = N_("{path} is of realm {theirs}, and this node is of realm {ours}.")
    remedy = N_("Nothing was imported. Take the file to a node of its realm.")
    exit_code = 2


@dataclass(slots=True)
class Report:
    """What was in a file, complete when the last part was read.

    Attributes:
        sealed: for this node, by lane.
        others: sealed bodies for other nodes, by code.
        faults: the first 100 entries that were passed over; ``fault_count`` counts all.
        is_whole: the file's end was reached, and nothing before it was damaged.
    """

    sealed: Counter[Lane] = field(default_factory=Counter)
    rosters: int = 0
    chunks: int = 0
    others: Counter[str] = field(default_factory=Counter)
    faults: list[Named] = field(default_factory=list)
    fault_count: int = 0
    is_whole: bool = False

    def note(self, name: str, fault: Fault) -> None:
        """One more fault; beyond the first hundred they are but counted."""
        self.fault_count += 1
        if len(self.faults) < _MOST_FAULTS:
            self.faults.append(Named(name, fault))


class _Local(NamedTuple):
    """A local header. ``name`` is as it came, ``shown`` fit for a screen, ``starts`` where its data do."""

    name: bytes
    flags: int
    method: int
    crc: int
    packed_bytes: int
    size_bytes: int
    starts: int

    @property
    def shown(self) -> str:
        return self.name[:80].decode("ascii", "backslashreplace").encode("unicode_escape").decode("ascii")[:80]


class Bundle:
    """A file that was opened and has said for whom it is."""

    def __init__(self, file: BinaryIO, header: Header, ends: int) -> None:
        self.header = header
        self.report = Report()
        self._file = file
        self._ends = ends
        self._seen = 1
        self._names = {hash(HEADER_NAME)}

    def parts(self, *, here: str) -> Iterator[Part]:
        """What is to the node ``here``, the rosters and the chunks, in the file's order; ``report`` grows with it.

        Raises: UnreadableFile, where the medium fails.
        """
        file = self._file
        try:
            while (local := self._next()) is not None:
                after = local.starts + local.packed_bytes
                if (name := self._wanted(local, here)) is not None:
                    data = file.read(local.size_bytes)
                    if zlib.crc32(data) == local.crc:
                        yield self._counted(name.part(data))
                    else:
                        self.report.note(local.shown, Fault.DAMAGED)
                file.seek(after)
        except OSError as error:
            raise UnreadableFile(path=file.name, why=error.strerror or str(error)) from error

    def _next(self) -> _Local | None:
        """The next entry whose data are there; None at the end."""
        while True:
            at = self._file.tell()
            mark = self._file.read(4)
            if mark in _DIRECTORY_MARKS:
                self.report.is_whole = not self.report.fault_count
                return None
            local = _local(self._file, at) if mark == _LOCAL_MARK else None
            self._seen += 1
            if self._seen > MOST_ENTRIES:
                self.report.note("", Fault.COUNT)
                return None
            if local is not None and self._has_length(local) and local.starts + local.packed_bytes <= self._ends:
                return local
            if not self._found_again(max(at + 1, local.starts if local else 0)):
                self.report.note(local.shown if local else "", Fault.TRUNCATED)
                return None
            self.report.note(local.shown if local else "", Fault.DAMAGED)

    @staticmethod
    def _has_length(local: _Local) -> bool:
        return not local.flags & _LENGTH_BEHIND and local.packed_bytes != _LENGTH_ELSEWHERE

    def _found_again(self, at: int) -> bool:
        """Stand at the next entry from ``at`` on whose name is one of ours."""
        length = _LEAST_BLOCK
        while at < self._ends:
            self._file.seek(at)
            block = self._file.read(length)
            length = min(2 * length, _BLOCK)
            for likely in _LIKELY.finditer(block):
                local = self._at(at + likely.start())
                if local is not None and read_name(local.name.decode("ascii", "replace")) is not None:
                    self._file.seek(at + likely.start())
                    return True
                self._seen += 1
                if self._seen > MOST_ENTRIES:
                    return False
            at += max(len(block) - _LOCAL.size, 1)
        return False

    def _at(self, place: int) -> _Local | None:
        self._file.seek(place + 4)
        return _local(self._file, place)

    def _wanted(self, local: _Local, here: str) -> Name | None:
        """The name of an entry that is to be read; None where it is passed over, which the report says."""
        name = read_name(local.name.decode("ascii", "replace"))
        fault = self._fault(local, name)
        if fault is not None:
            self.report.note(local.shown, fault)
            return None
        assert name is not None
        if name.kind is ForNode and not name.prefix.startswith(f"{here}/"):
            code = name.prefix.partition("/")[0]
            if code in self.report.others or len(self.report.others) < MOST_NODES:
                self.report.others[code] += 1
            return None
        return name

    def _fault(self, local: _Local, name: Name | None) -> Fault | None:
        if local.flags & (_ENCRYPTED | _STRONG) or local.method == _AES:
            return Fault.ENCRYPTED
        if local.method or local.packed_bytes != local.size_bytes:
            return Fault.COMPRESSED
        if name is None:
            return Fault.NAME
        if hash(name.text) in self._names:
            return Fault.REPEATED
        self._names.add(hash(name.text))
        return Fault.SIZE if local.size_bytes > name.limit_bytes else None

    def _counted(self, part: Part) -> Part:
        if isinstance(part, ForNode):
            self.report.sealed[part.lane] += 1
        elif isinstance(part, Chunk):
            self.report.chunks += 1
        else:
            self.report.rosters += 1
        return part


@contextmanager
def opened(path: Path, *, realm: str) -> Iterator[Bundle]:
    """A file of anybody, at the first entry behind its header.

    Raises: UnreadableFile; OtherRealm.
    """
    try:
        if path.exists() and not path.is_file():
            raise NoSuchFile(path=path)
        file = path.open("rb")
    except OSError as error:
        raise UnreadableFile(path=path, why=error.strerror or str(error)) from error
    with file:
        try:
            header = _header(file)
            ends = os.fstat(file.fileno()).st_size
        except OSError as error:
            raise UnreadableFile(path=path, why=error.strerror or str(error)) from error
        except Unfit as error:
            raise NoSuchFile(path=path) from error
        if header.realm != realm:
            raise OtherRealm(path=path, theirs=header.realm, ours=realm)
        yield Bundle(file, header, ends)


def _header(file: BinaryIO) -> Header:
    """What the first entry says. Raises: Unfit, OSError."""
    local = _local(file, 0) if file.read(4) == _LOCAL_MARK else None
    name = read_name(local.name.decode("ascii", "replace")) if local else None
    if local is None or name is None or name.kind is not Header or local.method or local.flags & _LENGTH_BEHIND:
        raise Unfit(field="archive", expected=f"begun by {HEADER_NAME}")
    data = file.read(min(local.size_bytes, name.limit_bytes + 1))
    if len(data) <= name.limit_bytes and zlib.crc32(data) != local.crc:
        raise Unfit(field=HEADER_NAME, expected="whole")
    return read_header(data)


def _local(file: BinaryIO, at: int) -> _Local | None:
    """The local header at ``at``, of which the mark was read; None where the file ends in it."""
    fixed = file.read(_LOCAL.size - 4)
    if len(fixed) < _LOCAL.size - 4:
        return None
    _, _, flags, method, _, _, crc, packed, size, name_bytes, extra_bytes = _LOCAL.unpack(_LOCAL_MARK + fixed)
    name = file.read(name_bytes)
    starts = at + _LOCAL.size + name_bytes + extra_bytes
    file.seek(starts)
    return _Local(name, flags, method, crc, packed, size, starts) if len(name) == name_bytes else None
