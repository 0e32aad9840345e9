"""What an operation may answer, for its description."""

from __future__ import annotations

from typing import Any

from tansiq.web.api.shapes import Error

EVERYWHERE = (400, 401, 403, 429)


def refused_with(status: int, shape: Any, *more: int) -> dict[int, Any]:
    """``shape`` when all is well; refusals, all of one shape, else."""
    return {status: shape} | dict.fromkeys(sorted({*EVERYWHERE, *more}), Error)
