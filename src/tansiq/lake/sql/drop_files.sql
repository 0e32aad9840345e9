-- All rows of a file: DuckLake lets go of the file and writes nothing.
DELETE FROM lake.{table} WHERE filename IN {files}
