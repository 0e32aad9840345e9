"""What IMAP servers answer, taken apart, and names of folders as commands have them. No connection here."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

_STARTS = re.compile(rb"[0-9]+ \(")
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"')
_UID, _SIZE = re.compile(rb"\bUID ([0-9]+)"), re.compile(rb"\bRFC822\.SIZE ([0-9]+)")
_FLAGS = re.compile(rb"\bFLAGS \(([^)]*)\)")


class Listed(NamedTuple):
    """A mail as a server lists it. ``text``: what was asked of it, a field or all of it."""

    uid: int
    size_bytes: int
    flags: bytes
    text: bytes


def listed_in(data: Sequence[Any]) -> Iterator[Listed]:
    """Mails of a server's answer. What it says besides, such as of flags that others changed, is passed over."""
    for attributes, text in apart(data):
        uid, size = _UID.search(attributes), _SIZE.search(attributes)
        if uid and size:
            flags = _FLAGS.search(attributes)
            yield Listed(int(uid[1]), int(size[1]), flags[1] if flags else b"", text)


def apart(data: Sequence[Any]) -> Iterator[tuple[bytes, bytes]]:
    """Of each mail what the server says of it, without anything that its sender wrote, and the text that was asked."""
    attributes, text = b"", b""
    for item in data:
        head, literal = item if isinstance(item, tuple) else (item or b"", b"")
        if _STARTS.match(head):
            if attributes:
                yield attributes, text
            attributes, text = b"", b""
        in_quotes = _QUOTED.search(head)
        text = text or literal or (in_quotes[1] if in_quotes else b"")
        attributes += _QUOTED.sub(b'""', head)
    if attributes:
        yield attributes, text


def quoted(folder: str) -> str:
    """A folder's name as a command has it: modified UTF-7 (RFC 3501 section 5.1.3), in quotes."""
    pieces = [_shifted(piece) if index % 2 else piece.replace("&", "&-")
              for index, piece in enumerate(re.split(r"([^\x20-\x7e]+)", folder))]  # fmt: skip
    return '"' + "".join(pieces).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _shifted(piece: str) -> str:
    return f"&{base64.b64encode(piece.encode('utf-16-be')).decode('ascii').rstrip('=').replace('/', ',')}-"
