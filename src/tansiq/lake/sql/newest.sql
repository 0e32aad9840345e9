SELECT event_id, first_seen, last_seen FROM ({events}) ORDER BY last_seen DESC, event_id LIMIT {limit}
