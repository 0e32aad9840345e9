SELECT {columns} FROM lake.events WHERE {conditions}
