"""Whether another process of this node may have put something into the database: asked several times a second."""

from __future__ import annotations

from django.db import connection

from tansiq.exchange.models import OutboxRow


class Written:
    """Whether others have written the database since this was last asked. Belongs to one thread: it is about all but
    that thread's connection. SQLite says it in some microseconds; of other databases it is always believed."""

    def __init__(self) -> None:
        self._version: int | None = None

    def again(self) -> bool:
        if connection.vendor != "sqlite":
            return True
        connection.ensure_connection()
        (version,) = connection.connection.execute("PRAGMA data_version").fetchone()
        before, self._version = self._version, version
        return version != before


class News:
    """Looks at the outbox, which is one short query, where something was written. Belongs to one thread."""

    def __init__(self) -> None:
        self._written = Written()

    def came(self) -> bool:
        """Rows wait, and something was written since this was last asked."""
        return self._written.again() and OutboxRow.objects.exists()
