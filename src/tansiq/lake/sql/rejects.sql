SELECT report_id, feed, line_number, reason, raw, received_at, try(decode(raw)) AS text
FROM lake.rejects WHERE {conditions} ORDER BY report_id, line_number {limit}
