SELECT data_file FROM ducklake_list_files('lake', '{table}') WHERE data_file_size_bytes < {small}
