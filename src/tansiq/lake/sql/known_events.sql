SELECT row FROM batch SEMI JOIN (SELECT event_id FROM read_parquet({files})) AS held USING (event_id)
