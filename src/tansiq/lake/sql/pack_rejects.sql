COPY (
    SELECT {columns} FROM read_parquet({files}) ORDER BY report_id, line_number
) TO {path} (
    FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {level}, ROW_GROUP_SIZE {row_group},
    KV_METADATA {{'tansiq.schema_version': '{version}'}}
)
