-- Only columns that all sightings of an event agree on, and summaries: one aggregation.
SELECT {columns} FROM (
    SELECT event_id{same}{summaries} FROM lake.events WHERE {before} GROUP BY event_id{same}
) WHERE {after}
