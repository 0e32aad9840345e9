SELECT DISTINCT report_id FROM lake.slices WHERE starts_with(report_id, {prefix}) LIMIT 100
