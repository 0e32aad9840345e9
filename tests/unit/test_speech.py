"""What the command line prints for programs."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tansiq.cli.speech import emit


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (datetime(2026, 11, 22, 23, 31, 13, 70_000, UTC), "2026-11-22T23:31:13.070Z"),
        (datetime(2026, 11, 23, 2, 31, 13, tzinfo=timezone(timedelta(hours=3))), "2026-11-22T23:31:13.000Z"),
        (date(2026, 11, 22), "2026-11-22"),
        (timedelta(milliseconds=-64), -64),
        (timedelta(minutes=2), 120_000),
        (Path("stick.zip"), "stick.zip"),
    ],
)
def test_moments_are_rfc_3339_and_spans_are_milliseconds(
    capsys: pytest.CaptureFixture[str], value: Any, said: Any
) -> None:
    emit({"value": [value]})

    assert json.loads(capsys.readouterr().out) == {"value": [said]}


def test_what_has_no_form_for_programs_is_not_printed_as_it_happens_to_look() -> None:
    with pytest.raises(TypeError):
        emit({"value": object()})
