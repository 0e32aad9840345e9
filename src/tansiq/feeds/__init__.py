"""Fetch reports from sources and parse them into events."""
