"""The work a node does on its own: reports in, tables up to date."""
