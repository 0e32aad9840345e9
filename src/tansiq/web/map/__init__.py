"""A map of the world's country codes, drawn on the server."""
