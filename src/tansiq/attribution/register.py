"""Verdicts and timelines by number, as the flat table stores them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tansiq.attribution.folder import CHANGING
from tansiq.attribution.verdicts import (
    NO_CLAIM,
    NO_SUBJECT,
    NOBODY,
    UNKNOWN_ADDRESS,
    WAYS,
    Timeline,
    Verdict,
    timeline,
)
from tansiq.core.claims import Claim, Kind

Numbers = NDArray[np.uint32]


class Register:
    """Gives numbers to verdicts and timelines, the same one to equals.

    A timeline that never changes has the number of its verdict, so that nearly every key needs no search by time.
    The first three are those of ``folder.NO_CLAIM_ROW`` and following.
    """

    def __init__(self) -> None:
        self._verdicts: dict[Verdict, int] = {}
        self._changing: dict[tuple[tuple[int, int], ...], int] = {}
        self._teams: dict[str, int] = {"": 0}
        for verdict in (NO_CLAIM, UNKNOWN_ADDRESS, NO_SUBJECT):
            self.number(verdict)

    def number(self, verdict: Verdict) -> int:
        self._teams.setdefault(verdict.team, len(self._teams))
        return self._verdicts.setdefault(verdict, len(self._verdicts))

    def number_of(self, line: Timeline) -> int:
        # What stands may change without the verdict: such turns matter to the keys inside only.
        turns: list[tuple[int, int]] = []
        for turn in line:
            number = self.number(turn.verdict)
            if not turns or turns[-1][1] != number:
                turns.append((turn.at, number))
        if len(turns) == 1:
            return turns[0][1]
        return CHANGING | self._changing.setdefault(tuple(turns), len(self._changing))

    def timelines_of(self, kind: Kind, values: Sequence[str], claims: Mapping[str, Sequence[Claim]]) -> Numbers:
        """The timelines of keys that do not enclose one another; 0 for a value that nobody claims."""
        found = [
            self.number_of(timeline(kind, value, claims[value], NOBODY)) if value in claims else 0 for value in values
        ]
        return np.array(found, np.uint32)

    @property
    def teams(self) -> list[str]:
        return list(self._teams)

    def columns(self) -> dict[str, NDArray[Any]]:
        """The columns ``verdict_*``, ``timeline_turns`` and ``turn_*``. Ask last: twins by feed get numbers here."""
        by_feed = [self.number(verdict.by_feed()) for verdict in list(self._verdicts)]
        by_feed += range(len(by_feed), len(self._verdicts))
        turns = [turn for line in self._changing for turn in line]
        return {
            "verdict_way": np.array([WAYS.index(verdict.attributed_by) for verdict in self._verdicts]),
            "verdict_team": np.array([self._teams[verdict.team] for verdict in self._verdicts]),
            "verdict_percent": np.array([verdict.confidence_percent for verdict in self._verdicts]),
            "verdict_by_feed": np.array(by_feed),
            "timeline_turns": np.cumsum([0, *(len(line) for line in self._changing)]),
            "turn_at": np.array([at for at, _number in turns], np.int64),
            "turn_verdict": np.array([number for _at, number in turns], np.uint32),
        }

    def reasons(self) -> pl.Series:
        return pl.Series([verdict.reason for verdict in self._verdicts], dtype=pl.String)
