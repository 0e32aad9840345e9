from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from factories.lake import START, no_rejects, part, sighting, sightings
from tansiq.lake import files
from tansiq.lake.known import days_of_span, span_name
from tansiq.lake.values import check


def test_files_of_days_with_few_events_share_one() -> None:
    assert files.files_of_days([1, 2, 3]) == [0, 0, 0]


def test_files_of_days_with_many_events_have_one_each() -> None:
    many = files.ROWS_OF_A_DAY

    assert files.files_of_days([5, many, 5, many + 1, many, 1]) == [0, 1, 2, 3, 4, 5]


def test_stage_of_a_batch_over_years_writes_few_files(tmp_path: Path) -> None:
    rows = [sighting(n, line=n + 1, observed_at=START - timedelta(days=n)) for n in range(900)]

    staged = files.stage(tmp_path, sightings(rows), no_rejects(), [part("r", 1, 900)])

    assert len(staged.files) == 1
    assert staged.days.height == 900


def test_stage_writes_rows_sorted_by_team_and_time_with_the_schema_version(tmp_path: Path) -> None:
    teams = ["XF-CERT", "XA-CERT", "XE-CERT", "XA-CERT"]
    rows = [
        sighting(n, line=n + 1, team=team, observed_at=START - timedelta(minutes=n)) for n, team in enumerate(teams)
    ]

    staged = files.stage(tmp_path, sightings(rows), no_rejects(), [part("r", 1, 4)])

    frame = pl.read_parquet(staged.files[0].staged)
    assert frame["team"].to_list() == sorted(teams)
    assert frame.select("team", "observed_at").equals(frame.select("team", "observed_at").sort("team", "observed_at"))
    assert pl.read_parquet_metadata(staged.files[0].staged)["tansiq.schema_version"] == "1"


def test_stage_without_room_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    program = """
        import resource, signal, sys
        from pathlib import Path
        from factories.lake import no_rejects, part, sighting, sightings
        from tansiq.lake import DiskFull, files
        batch = sightings(sighting(n, line=n + 1) for n in range(5000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
        try:
            files.stage(Path(sys.argv[1]), batch, no_rejects(), [part("r", 1, 5000)])
        except DiskFull as error:
            sys.exit(40 + error.exit_code)
    """
    there = os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])

    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(tmp_path)],
        check=False,
        env=os.environ | {"PYTHONPATH": there},
    )

    assert done.returncode == 44
    assert list(tmp_path.iterdir()) == []


def test_remove_orphans_takes_the_old_and_leaves_the_young(tmp_path: Path) -> None:
    old, young = tmp_path / ("a" * 32), tmp_path / ("b" * 32)
    for folder in (old, young, tmp_path / "spill"):
        folder.mkdir()
        (folder / "0.parquet").touch()
    now = young.stat().st_mtime
    os.utime(old, (now - 8 * 86_400,) * 2)
    os.utime(tmp_path / "spill", (now - 8 * 86_400,) * 2)

    removed = files.remove_orphans(tmp_path, now=now)

    assert removed == 1
    assert sorted(path.name[0] for path in tmp_path.iterdir()) == ["b", "s"]


def test_span_name_reads_back() -> None:
    one, other = date(2026, 1, 2), date(2026, 3, 4)

    assert days_of_span(span_name(one, one)) == (one, one)
    assert days_of_span(span_name(one, other)) == (one, other)


def test_check_of_slices_that_do_not_add_up_refuses() -> None:
    good = part("r", 1, 3, bad=1)

    check([good])
    with pytest.raises(ValueError, match="at most one slice"):
        check([good, good])
    with pytest.raises(ValueError, match="counted from 1"):
        check([part("r", 0, 3)])
