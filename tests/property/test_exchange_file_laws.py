"""Laws of the file: each node reads what is to it, in order, and whatever comes is an outcome."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tansiq.exchange import bundle, file
from tansiq.exchange.body import Lane
from tansiq.exchange.bundle import UnreadableFile
from tansiq.exchange.parts import Chunk, ForNode, Header, Part, RosterText

NODES = ("XA", "XB", "XC")
HEADER = Header.of(realm="live", sender="XA", made_at=datetime(2026, 11, 22, tzinfo=UTC), to=NODES)
BYTES = st.binary(min_size=1, max_size=60) | st.just(b"PK\3\4\x14\0\0\0\0\0" + b"x" * 16 + b"\x0b\0\0\0XB/bulk/9.pgp")
SEALED = st.lists(st.builds(ForNode, st.sampled_from(NODES), st.sampled_from(Lane), BYTES), max_size=20)
ROSTERS = st.dictionaries(st.integers(1, 99), BYTES, max_size=3)
CHUNKS = st.dictionaries(st.tuples(st.sampled_from(["0" * 64, "f" * 64]), st.integers(0, 20)), BYTES, max_size=5)


@st.composite
def parts(draw: st.DrawFn) -> list[Part]:
    rosters = [RosterText(epoch, data) for epoch, data in sorted(draw(ROSTERS).items())]
    chunks = [Chunk(digest, index, data) for (digest, index), data in sorted(draw(CHUNKS).items())]
    return [*rosters, *draw(SEALED), *chunks]


def read(path: Path, here: str) -> list[Part]:
    with bundle.opened(path, realm="live") as opened:
        return list(opened.parts(here=here))


@given(parts())
def test_each_node_reads_what_is_to_it_in_order(given: list[Part]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stick.zip"
        file.write(path, HEADER, given)

        for here in NODES:
            assert read(path, here) == [part for part in given if not isinstance(part, ForNode) or part.to == here]


@given(parts(), st.data())
def test_a_file_damaged_anywhere_gives_only_what_was_in_it(given: list[Part], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stick.zip"
        file.write(path, HEADER, given)
        raw = bytearray(path.read_bytes())
        at = data.draw(st.integers(0, len(raw)))
        raw[at : at + data.draw(st.integers(0, 60))] = data.draw(st.binary(max_size=60))
        path.write_bytes(raw)

        try:
            found = read(path, "XB")
        except UnreadableFile:
            return

    for part in found:
        assert part.data in raw
