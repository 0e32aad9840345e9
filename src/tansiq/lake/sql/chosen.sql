SELECT {columns} FROM (
    SELECT {summaries} FROM lake.events SEMI JOIN chosen USING (event_id)
    WHERE {before} AND observed_at >= {first} AND observed_at <= {last}
    WINDOW sightings AS (PARTITION BY event_id)
    QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY observed_at, report_id, line_number) = 1
) ORDER BY last_seen DESC, event_id
