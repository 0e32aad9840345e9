"""One digest a team and period: read from the lake once, told in the team's language, put in place whole."""

from __future__ import annotations

import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from tansiq.core.claims import TeamCard
from tansiq.core.columns import STORED
from tansiq.core.errors import N_, TansiqError
from tansiq.core.text import Text
from tansiq.notices import attachments, render
from tansiq.notices.folder import FolderNotWritten, replacing
from tansiq.notices.languages import language_of
from tansiq.notices.page import Contents
from tansiq.notices.period import Period
from tansiq.notices.summary import summarise
from tansiq.notices.triage import Dispute, disputes, involving
from tansiq.notices.words import Words

if TYPE_CHECKING:
    import polars as pl

    from tansiq.lake import Filter, Lake

TRIAGE = "_triage"
"""The operator's folder; no team's code begins with an underscore."""

THREADS = 2
"""That write digests: while one waits for the disk or for a single stage of the column engine, the other goes on."""


class UnknownTeam(TansiqError):
    code = "notices.team.unknown"
    message = N_("There is no team {team} in the directory.")
    remedy = N_("`tansiq members list` shows the teams; codes are written in capitals.")
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Written:
    """A digest that is in its place. ``team`` is None for the operator's; ``triage`` counts events not decided."""

    team: str | None
    language: str
    folder: Path
    files: tuple[str, ...]
    events: int
    sightings: int
    addresses: int
    triage: int
    unattributed: int = 0


@dataclass(frozen=True, slots=True)
class Undecided:
    """The period's events that stopped at a tie or a contested claim, and how many nobody claims at all."""

    events: pl.LazyFrame
    disputes: tuple[Dispute, ...]
    unattributed: int


@dataclass(frozen=True, slots=True)
class Digester:
    """Writes the digests of one period.

    Attributes:
        teams: the directory by code.
        into: digests go to ``into/<period>/<team>/``.
        language: the operator's, for the triage digest.
        now: when the digests are written; events received later are the next digest's.
    """

    lake: Lake
    period: Period
    teams: Mapping[str, TeamCard]
    into: Path
    language: str
    now: datetime

    def write(self, only: Sequence[str] = ()) -> Iterator[Written]:
        """Yield each digest once it is in place: the teams in order, the operator's last.

        Without ``only``, every team for which something was received or is in dispute, and the operator; with it,
        those teams alone, also when there is nothing to tell.

        Raises: UnknownTeam: before anything is written. FolderNotWritten: digests yielded before stay in place.
        """
        for code in only:
            if code not in self.teams:
                raise UnknownTeam(team=code)
        with spooling(self.into) as spool, attachments.small_chunks():
            # Few teams are asked of the lake one by one, which it answers from few files. For all of them the period
            # is read once, into a folder a team: where it has to be folded that is the costly part.
            whole = None if only else spool / "period"
            if whole is not None:
                self.lake.export_by_team(self.received(), str(whole))
            undecided = self.undecided(whole, spool)
            codes = only or self.concerned(undecided)

            def one(code: str) -> Written:
                events = self.spooled(self.received(team=code), spool / code) if whole is None else of_team(whole, code)
                return self.team(code, events, undecided)

            yield from side_by_side([partial(one, code) for code in codes])
            if not only:
                yield self.operator(undecided)

    def concerned(self, undecided: Undecided) -> list[str]:
        """Teams with events in the period, or involved in a dispute."""
        counted = self.lake.count(self.received(), by=("team",))
        teams = {team for team in counted["team"].to_list() if team}
        return sorted(teams | {team for dispute in undecided.disputes for team in dispute.teams})

    def received(self, *, team: str | None = None, unattributed: bool = False) -> Filter:
        from tansiq.lake import Filter

        since, until = self.period.since, self.period.until
        return Filter(team=team, unattributed=unattributed, received_since=since, received_until=until)

    def undecided(self, whole: Path | None, spool: Path) -> Undecided:
        """Events that nobody claims may be many: they are only counted, unless there are disputes to spool."""
        import polars as pl

        asked = self.received(unattributed=True)
        counted = self.lake.count(asked, by=("attributed_by", "reason"))
        stopped = pl.col("attributed_by").is_in(["tie", "contested"])
        found = disputes(counted.filter(stopped))
        if whole is not None:
            unclaimed = of_team(whole, NO_TEAM)
        else:
            unclaimed = self.spooled(asked, spool / TRIAGE) if found else pl.LazyFrame(schema=STORED)
        return Undecided(unclaimed.filter(stopped), found, int(counted.filter(~stopped)["events"].sum()))

    def spooled(self, asked: Filter, path: Path) -> pl.LazyFrame:
        """The events in a file of their own: a digest reads them several times, the lake is asked once."""
        import polars as pl

        self.lake.export(asked, str(path), "parquet")
        return pl.scan_parquet(path)

    def team(self, code: str, events: pl.LazyFrame, undecided: Undecided) -> Written:
        import polars as pl

        card = self.teams.get(code) or TeamCard(code, {}, "")
        language = language_of(card.country)
        mine = involving(code, undecided.disputes)
        reasons = [dispute.reason for dispute in mine]
        disputed = undecided.events.filter(pl.col("reason").is_in(reasons)) if mine else None
        name, name_language = Text.of(card.names).within(language)
        return self.put(code, events, disputed, mine, Words(language), name=name, name_language=name_language)

    def operator(self, undecided: Undecided) -> Written:
        words = Words(self.language)
        return self.put(None, undecided.events, None, undecided.disputes, words, unattributed=undecided.unattributed)

    def put(
        self,
        team: str | None,
        events: pl.LazyFrame,
        disputed: pl.LazyFrame | None,
        told_disputes: Sequence[Dispute],
        words: Words,
        *,
        name: str = "",
        name_language: str = "",
        unattributed: int = 0,
    ) -> Written:
        attached = ("events.csv", "events.json", *(("triage.csv",) if disputed is not None else ()))
        told = Contents(
            team=team,
            name=name,
            name_language=name_language or words.language,
            period=self.period,
            written_at=self.now,
            summary=summarise(events),
            disputes=told_disputes,
            files=attached,
            unattributed=unattributed,
        )
        folder = self.into / self.period.label / (team or TRIAGE)
        with replacing(folder) as fresh:
            (fresh / "digest.txt").write_text(render.text(told, words), encoding="utf-8")
            (fresh / "digest.html").write_text(render.html(told, words), encoding="utf-8")
            attachments.write_csv(events, fresh / "events.csv")
            attachments.write_json(events, fresh / "events.json")
            if disputed is not None:
                attachments.write_csv(disputed, fresh / "triage.csv")
        return written(told, folder, words.language)


def side_by_side(works: Iterable[Callable[[], Written]]) -> Iterator[Written]:
    """Do them in THREADS threads, yield what they give in their order. One that fails ends all that have not begun."""
    works = iter(works)
    with ThreadPoolExecutor(THREADS, "digest") as workers:
        try:
            coming = deque(workers.submit(work) for work in islice(works, THREADS + 1))
            while coming:
                yield coming.popleft().result()
                coming.extend(workers.submit(work) for work in islice(works, 1))
        finally:
            workers.shutdown(wait=False, cancel_futures=True)


NO_TEAM = "__HIVE_DEFAULT_PARTITION__"


def of_team(period: Path, code: str) -> pl.LazyFrame:
    """The events of one team in the folder that ``Lake.export_by_team`` wrote."""
    import polars as pl

    files = sorted((period / f"team={code}").glob("*.parquet"))
    return pl.scan_parquet(files, hive_partitioning=False) if files else pl.LazyFrame(schema=STORED)


def written(told: Contents, folder: Path, language: str) -> Written:
    summary = told.summary
    return Written(
        team=told.team,
        language=language,
        folder=folder,
        files=("digest.txt", "digest.html", *told.files),
        events=summary.events,
        sightings=summary.sightings,
        addresses=summary.addresses,
        triage=sum(dispute.events for dispute in told.disputes),
        unattributed=told.unattributed,
    )


@contextmanager
def spooling(into: Path) -> Iterator[Path]:
    """A private folder on the digests' disk for what is read from the lake, removed at the end.

    Raises: FolderNotWritten.
    """
    try:
        into.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".spool.", dir=into))
    except OSError as failure:
        raise FolderNotWritten(folder=into, why=failure.strerror or str(failure)) from failure
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
