SELECT report_id, max(end_line)::UBIGINT, sum(blank)::UBIGINT, sum(events)::UBIGINT, sum(new)::UBIGINT,
    sum(rejected)::UBIGINT, bool_or(complete)
FROM lake.slices SEMI JOIN asked USING (report_id)
GROUP BY report_id
