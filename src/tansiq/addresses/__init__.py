"""Prefix, ASN and country tables: read, compile into ranges, search in columns."""
