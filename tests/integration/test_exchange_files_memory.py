"""A file of 256 MB from one node to another takes no more memory than a small one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

TESTS = str(Path(__file__).parents[1])
PROGRAM = """
import json, resource, tempfile
from datetime import timedelta
from pathlib import Path
from tansiq.cli import node
node.opened()
from federation_files import FileFederation
from tansiq.exchange.body import BlobReference

class Zeros:
    def __init__(self, left):
        self.left = left

    def read(self, count):
        given = bytes(min(count, self.left))
        self.left -= len(given)
        return given

def sent(size_bytes):
    with tempfile.TemporaryDirectory() as folder:
        world = FileFederation(Path(folder), "XA", "XE")
        xa, xe = world["XA"], world["XE"]
        of = xa.store.keep(Zeros(size_bytes), size_bytes=size_bytes, media_type="text/plain", name="a.txt")
        xa.share("1", of, audience="XE")
        while not xe.applied():
            for code in ("XA", "XE"):
                world.tick(code)
            while world.letters:
                world.deliver()
                world.emitted.clear()
            world.pass_time(timedelta(seconds=1))
        left = sum(len(part) for part in xe.store.decrypted(of))
        assert left == size_bytes, left
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

print(json.dumps([sent(size * 1024 ** 2) for size in (8, 256)]))
"""


@pytest.mark.long
@pytest.mark.sqlite(why="measures what this program takes beside its database, in a process of its own")
def test_memory_does_not_grow_with_the_file(run_python: Callable[..., CompletedProcess[str]]) -> None:
    done = run_python(PROGRAM, PYTHONPATH=TESTS)

    assert done.returncode == 0, done.stderr
    small, large = json.loads(done.stdout)
    assert large - small < 24, (small, large)
