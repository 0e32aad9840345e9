SELECT snapshot_id FROM ducklake_expire_snapshots('lake', older_than => now() - INTERVAL '{days} days');
SELECT path FROM ducklake_cleanup_old_files('lake', older_than => now() - INTERVAL '{days} days');
SELECT path FROM ducklake_delete_orphaned_files('lake', older_than => now() - INTERVAL '{orphan_days} days')
