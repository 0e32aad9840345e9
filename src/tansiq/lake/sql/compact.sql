COPY (
    WITH repeated AS MATERIALIZED (
        SELECT event_id FROM read_parquet({files})
        WHERE observed_at >= {first}::DATE AND observed_at < {until}::DATE
        GROUP BY event_id HAVING count(*) > 1
    ), sightings_of AS (
        SELECT {columns} FROM read_parquet({files})
        WHERE observed_at >= {first}::DATE AND observed_at < {until}::DATE
    )
    SELECT {columns} FROM sightings_of ANTI JOIN repeated USING (event_id)
    UNION ALL BY NAME
    SELECT {summaries} FROM sightings_of SEMI JOIN repeated USING (event_id)
    WINDOW sightings AS (PARTITION BY event_id)
    QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY observed_at, report_id, line_number) = 1
    ORDER BY team, observed_at
) TO {path} (
    FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {level}, ROW_GROUP_SIZE {row_group},
    KV_METADATA {{'tansiq.schema_version': '{version}'}}
)
