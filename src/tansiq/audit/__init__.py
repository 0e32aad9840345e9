"""Who did what to which item, when, and why: an append-only record, chained by hashes (docs/reference/audit.md)."""
