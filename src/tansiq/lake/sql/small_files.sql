SELECT data_file FROM ducklake_list_files('lake', 'events') WHERE data_file_size_bytes < {small}
