"""Style, scripts and fonts, collected once per version: compressed, and under names that change with their content.

Browsers may keep such a file for ever. Where nothing was collected (tests, a command that shows no page) the same
files are served from the package itself under their plain names.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from django.contrib.staticfiles.finders import get_finders
from whitenoise.storage import CompressedManifestStaticFilesStorage

FINGERPRINT = "fingerprint"


class Collected(CompressedManifestStaticFilesStorage):
    def read_manifest(self) -> str | None:
        return super().read_manifest() if self.location else None

    def stored_name(self, name: str) -> str:
        """The name with the hash; the plain one of what was not collected, which the finders serve."""
        return str(self.hashed_files.get(self.hash_key(self.clean_name(name)), name))


def collect(folder: Path) -> bool:
    """Bring ``folder`` up to what the package holds now. Returns: whether there was anything to do.

    Raises: ValueError: a style or script names a file that is not there, a defect of the program.
    """
    found = dict(sources())
    wanted = fingerprint(found)
    if said_by(folder) == wanted:
        return False
    draft = Path(mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        write(found, draft)
        (draft / FINGERPRINT).write_text(wanted)
        if folder.exists():
            shutil.rmtree(folder)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return True


def sources() -> Iterator[tuple[str, Any]]:
    """Every static file by its name under ``/static/``, and the storage that has it; the first finder's wins."""
    seen: set[str] = set()
    for finder in get_finders():
        for path, storage in finder.list([]):
            if path not in seen:
                seen.add(path)
                yield path, storage


def fingerprint(found: dict[str, Any]) -> str:
    """Changes when a file is added, removed or edited."""
    facts = ((path, Path(storage.path(path)).stat()) for path, storage in sorted(found.items()))
    lines = "".join(f"{path} {stat.st_size} {stat.st_mtime_ns}\n" for path, stat in facts)
    return hashlib.sha256(lines.encode()).hexdigest()


def said_by(folder: Path) -> str:
    try:
        return (folder / FINGERPRINT).read_text()
    except OSError:
        return ""


def write(found: dict[str, Any], folder: Path) -> None:
    target = Collected(location=folder)
    for path, storage in found.items():
        with storage.open(path) as file:
            target.save(path, file)
    for _name, _stored, processed in target.post_process({path: (target, path) for path in found}):
        if isinstance(processed, Exception):
            raise processed
