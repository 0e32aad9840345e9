"""Canonical JSON written (RFC 8785), and JSON of anybody read: sections 1.2 and 1.3.

What the reader refuses, in this order, before it takes more than a small multiple of the limit: too long, a byte order
mark, no UTF-8, an unclosed string or nesting deeper than 32; then, while parsing, a name twice in one object, a number
that is no whole number of at most 2^53 - 1, anything after the first value; then half of a surrogate pair.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from tansiq.exchange.values import LARGEST, Unfit

BODY_LIMIT_BYTES = 512 * 1024
DEEPEST = 32
_DIGITS = len(str(LARGEST))
_TOKENS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)  # possessive, so that no text takes quadratic time
_HALF = re.compile("[\ud800-\udfff]")
_HIGH = re.compile("[\ue000-\U0010ffff]")


def write(value: Any) -> str:
    """The one text of ``value``: objects with text names, lists, texts, whole numbers, true, false, null.

    Raises: ValueError or TypeError for anything that section 1.3 would refuse: the caller's own fault.
    """
    return _AS_IT_IS.encode(_ordered(value, 1))


def read(data: bytes, *, limit_bytes: int = BODY_LIMIT_BYTES) -> Any:
    """What a JSON text of anybody says. Takes at most some 64 times ``limit_bytes``.

    Raises: Unfit, and nothing else.
    """
    if len(data) > limit_bytes:
        raise Unfit(field="JSON", expected=f"at most {limit_bytes} bytes")
    if data.startswith(b"\xef\xbb\xbf"):
        raise Unfit(field="JSON", expected="without a byte order mark")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Unfit(field="JSON", expected="UTF-8") from None
    _check_depth(text)
    try:
        value = _DECODER.decode(text)
    except ValueError:
        raise Unfit(field="JSON", expected="JSON") from None
    if "\\u" in text:
        _check_characters(value)
    return value


def read_canonical(data: bytes, *, limit_bytes: int = BODY_LIMIT_BYTES) -> Any:
    """Like ``read``, and refuses a text that is not the canonical one of what it says.

    Raises: Unfit.
    """
    value = read(data, limit_bytes=limit_bytes)
    # Without characters from U+E000 on, the order of code points is that of UTF-16, and the value is known to be fit.
    plain = data.isascii() or not _HIGH.search(data.decode())
    text = _ENCODER.encode(value) if plain else write(value)
    if text.encode() != data:
        raise Unfit(field="JSON", expected="canonical")
    return value


def _ordered(value: Any, depth: int) -> Any:
    """``value`` with the names of objects in order of their UTF-16 code units (RFC 8785 section 3.2.3)."""
    kind = type(value)
    if kind is str:
        _check_text(value)
    elif kind is dict:
        _check_nesting(depth)
        return {name: _ordered(value[name], depth + 1) for name in _in_order(value)}
    elif kind is list or kind is tuple:
        _check_nesting(depth)
        return [_ordered(item, depth + 1) for item in value]
    elif kind is int:
        if abs(value) > LARGEST:
            raise ValueError(f"{value} is beyond 2^53 - 1")
    elif value is not None and kind is not bool:
        raise TypeError(f"a value of type {kind.__name__}")
    return value


def _in_order(names: dict[str, Any]) -> list[str]:
    """Raises: TypeError, for a name that is no text."""
    joined = "".join(names)
    if joined.isascii():
        return sorted(names)
    for name in names:
        _check_text(name)
    return sorted(names, key=_utf16)


def _utf16(name: str) -> bytes:
    return name.encode("utf-16-be")


def _check_text(text: str) -> None:
    if not text.isascii() and _HALF.search(text):
        raise ValueError("half of a surrogate pair")


def _check_nesting(depth: int) -> None:
    if depth > DEEPEST:
        raise ValueError(f"nested deeper than {DEEPEST}")


def _check_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= DEEPEST:
        return
    depth = 0
    for found in _TOKENS.finditer(text):
        token = found[0]
        if token in "[{":
            depth += 1
            if depth > DEEPEST:
                raise Unfit(field="JSON", expected=f"nested at most {DEEPEST} deep")
        elif token in "]}":
            depth -= 1
        elif len(token) == 1 or token[-1] != '"':
            raise Unfit(field="JSON", expected="JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    said = dict(pairs)
    if len(said) != len(pairs):
        raise ValueError("a name twice")
    return said


def _whole(digits: str) -> int:
    if len(digits.lstrip("-")) > _DIGITS or abs(number := int(digits)) > LARGEST:
        raise ValueError("a number beyond 2^53 - 1")
    return number


def _no_number(_text: str) -> NoReturn:
    raise ValueError("a fraction, an exponent or no number")


def _check_characters(value: Any) -> None:
    """Escapes can spell half of a surrogate pair, which is no character. Recursion is bounded by the depth."""
    if isinstance(value, str):
        if _HALF.search(value):
            raise Unfit(field="JSON", expected="text without halves of surrogate pairs")
    elif isinstance(value, dict):
        for name, item in value.items():
            _check_characters(name)
            _check_characters(item)
    elif isinstance(value, list):
        for item in value:
            _check_characters(item)


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)
_AS_IT_IS = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_whole, parse_float=_no_number, parse_constant=_no_number
)
