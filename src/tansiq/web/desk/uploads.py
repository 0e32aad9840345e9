"""No upload is larger than any page takes: what is, is not read at all."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler

LIMIT_BYTES = 8 << 20
"""Of a whole request with files. Up to here a page says in words what is too large for it."""


class Bounded(FileUploadHandler):
    """Stands before the handlers that keep files, and refuses by the length that the request names."""

    def handle_raw_input(
        self, input_data: Any, META: dict[str, Any], content_length: int, boundary: bytes, encoding: str | None = None
    ) -> None:
        if content_length > LIMIT_BYTES:
            raise RequestDataTooBig(f"an upload of {content_length} bytes")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
