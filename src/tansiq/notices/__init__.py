"""Digests: telling each team, once, what was received for it."""
