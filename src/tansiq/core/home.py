"""Where a node keeps what it has. One folder, or the places that the settings name instead."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Home:
    """The folders of one node (one realm).

    Attributes:
        path: ``TANSIQ_HOME``.
        lake: events and rejects as Parquet; ``TANSIQ_LAKE``.
        lake_catalogue: a SQLite file's path, or a ``postgresql://`` address when several machines write.
    """

    path: Path
    lake: Path
    lake_catalogue: str

    @property
    def database(self) -> Path:
        return self.path / "tansiq.sqlite3"

    @property
    def tables(self) -> Path:
        """Compiled address and attribution tables."""
        return self.path / "tables"

    @property
    def reports(self) -> Path:
        """Reports exactly as received, by SHA-256."""
        return self.path / "reports"

    @property
    def blobs(self) -> Path:
        """Files beside envelopes, encrypted, by the digest of their ciphertext."""
        return self.path / "blobs"

    @property
    def digests(self) -> Path:
        return self.path / "digests"

    @property
    def secrets(self) -> Path:
        """Keys of the node, one a file, readable by its owner alone."""
        return self.path / "secrets"

    @property
    def session_key(self) -> Path:
        """What sessions and sign-in links are signed with."""
        return self.secrets / "session.key"

    @property
    def backbone(self) -> Path:
        """What the bundled message server keeps, and the port that it was last given."""
        return self.path / "backbone"

    @property
    def backbone_token(self) -> Path:
        """What a client of the bundled message server shows."""
        return self.secrets / "backbone.token"

    @property
    def static(self) -> Path:
        """Style, scripts and fonts of the pages: compressed, under names that change with their content."""
        return self.path / "static"

    @property
    def running(self) -> Path:
        """Held by ``tansiq up`` while it runs; says its process and address."""
        return self.path / "up.lock"

    @property
    def staging(self) -> Path:
        """Files being written, on the lake's file system so that a rename is atomic, outside its data folder."""
        return self.lake.with_name(self.lake.name + ".staging")
