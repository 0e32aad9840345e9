"""The machine: its clock, its disks, the files of the node on them."""

from __future__ import annotations

import ctypes
import os
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import tansiq
from tansiq.cli.checks.finding import Finding, bad, warn
from tansiq.core.errors import N_
from tansiq.core.home import Home

LEAST_FREE, LITTLE_FREE = 1 << 30, 5 << 30
GIB = 1 << 30
GLANCE_SECONDS, JUMP_SECONDS = 0.2, 0.1
TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
TIMEX_BYTES = 512  # more than struct timex has anywhere
OTHERS = stat.S_IRWXG | stat.S_IRWXO
OVER_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "glusterfs", "ceph", "afs"})


def clock(now: datetime) -> Iterator[Finding]:
    built = installed_at()
    if now < built:
        yield bad(
            "clock.behind",
            N_("The clock says {now}, which is before this program was installed ({built})."),
            N_("Set the clock and let the system keep it (systemd-timesyncd, chrony)."),
            now=f"{now:%Y-%m-%d %H:%M} UTC",
            built=f"{built:%Y-%m-%d %H:%M} UTC",
        )
    if abs(jump()) > JUMP_SECONDS:
        yield bad(
            "clock.jumps",
            N_("The clock jumped while we looked at it."),
            N_("Something sets it in steps: keep one time service, and let it slew."),
        )
    if synchronised() is False:
        yield warn(
            "clock.alone",
            N_("No time service keeps the clock of this machine."),
            N_("Turn one on (systemd-timesyncd, chrony): wrong clocks spoil sign-in codes and the order of events."),
        )


def installed_at() -> datetime:
    newest = max(path.stat().st_mtime for path in Path(tansiq.__file__).parent.glob("*.py"))
    return datetime.fromtimestamp(newest, UTC)


def jump() -> float:
    """Seconds by which the clock moved more, or less, than time passed."""
    wall, passed = time.time(), time.monotonic()
    time.sleep(GLANCE_SECONDS)
    return (time.time() - wall) - (time.monotonic() - passed)


def synchronised() -> bool | None:
    """Whether the kernel knows its clock to be kept by a time service; None where it does not say."""
    if sys.platform != "linux":
        return None
    state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX_BYTES))
    return None if state < 0 else state != TIME_ERROR


def disks(home: Home) -> Iterator[Finding]:
    for folder in dict.fromkeys((home.path, home.lake if home.lake.exists() else home.path)):
        free = shutil.disk_usage(folder).free
        if free < LITTLE_FREE:
            tell = bad if free < LEAST_FREE else warn
            yield tell(
                "disk.full",
                N_("{folder} has {free} GiB left."),
                N_("Make room, or move the lake to a larger disk (TANSIQ_LAKE)."),
                folder=folder,
                free=f"{free / GIB:.1f}",
            )
        if (kind := file_system(folder)) in OVER_NETWORK:
            yield bad(
                "disk.network",
                N_("{folder} lies on a network file system ({kind}), where SQLite loses data."),
                N_("Move it to a local disk, or use PostgreSQL (TANSIQ_DATABASE_URL, TANSIQ_LAKE_CATALOGUE)."),
                folder=folder,
                kind=kind,
            )


def file_system(folder: Path) -> str:
    """Its kind, by the longest mount point above it; empty where the system does not say."""
    try:
        mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    except OSError:
        return ""
    above = [(len(point), kind) for _device, point, kind, *_rest in mounts if folder.resolve().is_relative_to(point)]
    return max(above, default=(0, ""))[1]


def keys(home: Home) -> Iterator[Finding]:
    yield from folder_closed(home.path)
    for file in (home.session_key, home.backbone_token):
        if not file.exists():
            yield bad(
                "keys.missing",
                N_("{file} is missing."),
                N_("`tansiq up` draws a new one; everybody signs in again. Or put it back from a backup."),
                file=file,
            )
        else:
            yield from file_closed(file)


def folder_closed(folder: Path) -> Iterator[Finding]:
    if folder.stat().st_mode & OTHERS:
        yield bad(
            "home.open",
            N_("Others on this machine can look into {folder}."),
            N_("`chmod 700 {folder}`"),
            folder=folder,
        )


def file_closed(file: Path) -> Iterator[Finding]:
    facts = file.stat()
    if facts.st_mode & OTHERS:
        yield bad(
            "keys.open",
            N_("Others on this machine can read {file}."),
            N_("`chmod 600 {file}`, then think about whether somebody did."),
            file=file,
        )
    if facts.st_uid != os.geteuid():
        yield bad(
            "keys.owner",
            N_("{file} belongs to another user (number {owner})."),
            N_("Run the node as that user, or `chown` its whole folder."),
            file=file,
            owner=facts.st_uid,
        )
    if not facts.st_size:
        yield bad("keys.empty", N_("{file} is empty."), N_("Delete it; `tansiq up` draws a new one."), file=file)
