SELECT report_id, feed, line_number, reason, raw, received_at
FROM lake.rejects WHERE {conditions} ORDER BY report_id, line_number {limit}
