"""How ``make messages`` and its test find the words of the pages' templates."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any, BinaryIO

from babel.messages.extract import extract_python
from django.utils.translation.template import templatize


def template_messages(file: BinaryIO, keywords: Any, comment_tags: Any, options: Any) -> Iterator[Any]:
    """A Babel extraction method: the template is made into calls of gettext, and those are read as Python.

    What surrounds the calls is no Python: lines lose their indentation, which would not fit together.
    """
    calls = templatize(file.read().decode())
    flat = "\n".join(line.strip() for line in calls.splitlines())
    yield from extract_python(BytesIO(flat.encode()), keywords, comment_tags, options)
