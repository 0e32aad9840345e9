"""Lines that could not be understood: kept as received, with the reason."""

from __future__ import annotations

import polars as pl

from tansiq.core.errors import N_, TansiqError
from tansiq.lake.catalogue import Catalogue, quoted, statement
from tansiq.lake.reading import reading


class UnknownReport(TansiqError):
    code = "lake.report.unknown"
    message = N_("No report whose id begins with {report} is in the lake.")
    remedy = N_("Give the id that `tansiq events rejects` shows, or its beginning.")
    exit_code = 2


class AmbiguousReport(TansiqError):
    code = "lake.report.ambiguous"
    message = N_("{number} reports have an id that begins with {report}.")
    remedy = N_("Give more of the id.")
    exit_code = 2


def rejects(catalogue: Catalogue, report: str | None, limit: int | None) -> pl.DataFrame:
    """Rejected lines by report and line: columns of REJECTED, and ``text``, the line where it is UTF-8, else null."""
    with reading(catalogue) as cursor:
        conditions = "true"
        if report is not None:
            asked = statement("reports_like").format(prefix=quoted(report))
            found = [row[0] for row in cursor.execute(asked).fetchall()]
            if not found:
                raise UnknownReport(report=report)
            if len(found) > 1:
                raise AmbiguousReport(report=report, number=len(found))
            conditions = f"report_id = {quoted(found[0])}"
        bound = "" if limit is None else f"LIMIT {limit}"
        return pl.DataFrame(cursor.sql(statement("rejects").format(conditions=conditions, limit=bound)))
