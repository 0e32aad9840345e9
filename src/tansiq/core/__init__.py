"""Values everyone uses. No database, no clock, no network."""
