"""Whether another process of this node may have put something into the database: asked several times a second."""

from __future__ import annotations

from django.db import connection

from tansiq.exchange.models import OutboxRow


class News:
    """Belongs to one thread, for it is about that thread's connection.

    SQLite says whether any other connection has written the file, in some microseconds; then, and elsewhere always, the
    outbox is looked at, which is one short query.
    """

    def __init__(self) -> None:
        self._version: int | None = None

    def came(self) -> bool:
        """Rows wait, and something was written since this was last asked."""
        return self._was_written() and OutboxRow.objects.exists()

    def _was_written(self) -> bool:
        if connection.vendor != "sqlite":
            return True
        connection.ensure_connection()
        (version,) = connection.connection.execute("PRAGMA data_version").fetchone()
        before, self._version = self._version, version
        return version != before
