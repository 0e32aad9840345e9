observed_at::DATE IN (SELECT day FROM lake.batch_days WHERE {bounds})
