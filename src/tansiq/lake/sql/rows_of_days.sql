SELECT observed_at::DATE AS day, count(*)::UBIGINT AS rows FROM read_parquet({files}) GROUP BY ALL ORDER BY day
