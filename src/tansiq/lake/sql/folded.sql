-- Most events have one row: only those with several are folded, so that memory follows the repeats, not the lake.
WITH repeated AS MATERIALIZED (
    SELECT event_id FROM lake.events WHERE {before} GROUP BY event_id HAVING count(*) > 1
)
SELECT {columns} FROM (
    SELECT {plain} FROM lake.events ANTI JOIN repeated USING (event_id) WHERE {before}
    UNION ALL BY NAME
    SELECT {summaries} FROM lake.events SEMI JOIN repeated USING (event_id) WHERE {before}
    WINDOW sightings AS (PARTITION BY event_id)
    QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY observed_at, report_id, line_number) = 1
) WHERE {after}
