"""Many small files of rejected lines become one a day, in one transaction, while readers and writers go on."""

from __future__ import annotations

import os
import shutil
import uuid
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tansiq.core.columns import REJECTED, SCHEMA_VERSION
from tansiq.lake.catalogue import Catalogue, Cursor, quoted, statement
from tansiq.lake.compaction import COMPRESSION_LEVEL, MANY_FILES, SMALL_BYTES, paths
from tansiq.lake.files import ROW_GROUP, StagedFile, move_in, place, room, sync
from tansiq.lake.known import span_of
from tansiq.lake.reading import reading


def pack_rejects(catalogue: Catalogue) -> int:
    """Merge the small files of every day that has many of them; how many days that were. Raises: DiskFull."""
    with reading(catalogue) as cursor:
        asked = statement("small_files").format(table="rejects", small=SMALL_BYTES)
        files = [row[0] for row in cursor.execute(asked).fetchall()]
    spans = [span for span, number in Counter(map(span_of, files)).items() if number > MANY_FILES]
    return sum(pack(catalogue, span, [file for file in files if span_of(file) == span]) for span in spans)


def pack(catalogue: Catalogue, span: str, files: Sequence[str]) -> bool:
    """Replace the files of a span by one. False if somebody else has replaced one of them meanwhile."""
    batch_id = uuid.uuid4().hex
    folder = catalogue.home.staging / batch_id
    lake = catalogue.home.lake
    with room(folder):
        folder.mkdir()
        path = folder / "0.parquet"
        write(catalogue, files, path)
        sync(folder)
    new = StagedFile(path, place("rejects", span, batch_id, 0), "rejects")
    move_in([new], lake)
    swapped = catalogue.write(lambda cursor: swap(cursor, files, f"{lake}/{new.place}"))
    if not swapped:
        (lake / new.place).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    return swapped


def write(catalogue: Catalogue, files: Sequence[str], path: Path) -> None:
    text = statement("pack_rejects").format(
        columns=", ".join(REJECTED),
        files=paths(files),
        path=quoted(str(path)),
        level=COMPRESSION_LEVEL,
        row_group=ROW_GROUP,
        version=SCHEMA_VERSION,
    )
    with reading(catalogue) as cursor:
        cursor.execute(text)
    with path.open("rb") as handle:
        os.fsync(handle.fileno())


def swap(cursor: Cursor, files: Sequence[str], new: str) -> bool:
    """Within a transaction: the new file for the old ones. False if one of these is gone."""
    live = {row[0] for row in cursor.execute("SELECT data_file FROM ducklake_list_files('lake', 'rejects')").fetchall()}
    if not live.issuperset(files):
        return False
    cursor.execute(statement("drop_files").format(table="rejects", files=paths(files)))
    cursor.execute(f"CALL ducklake_add_data_files('lake', 'rejects', {quoted(new)}, hive_partitioning => false)")
    return True
