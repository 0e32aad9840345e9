"""The event lake: what was observed, in columns, append-only. The only importer of DuckDB."""

from tansiq.lake.catalogue import DiskFull, LakeBusy, LakeDamaged, LakeMissing, LakeNewer, LakeUnreadable
from tansiq.lake.files import Staged
from tansiq.lake.lake import Lake
from tansiq.lake.reading import COUNTABLE, UnknownColumn
from tansiq.lake.rejects import AmbiguousReport, UnknownReport
from tansiq.lake.values import Compacted, Counted, Filter, Overtaken, Progress, Slice

__all__ = [
    "COUNTABLE",
    "AmbiguousReport",
    "Compacted",
    "Counted",
    "DiskFull",
    "Filter",
    "Lake",
    "LakeBusy",
    "LakeDamaged",
    "LakeMissing",
    "LakeNewer",
    "LakeUnreadable",
    "Overtaken",
    "Progress",
    "Slice",
    "Staged",
    "UnknownColumn",
    "UnknownReport",
]
