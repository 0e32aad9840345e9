"""The closed sets of the directory."""

from __future__ import annotations

TEAM_KINDS = ("national", "government", "sectoral", "academic", "commercial", "other")
CONTACT_KINDS = ("email", "phone", "fax", "web", "post")
HOURS = ("24x7", "office")
CATEGORIES = ("full", "general", "affiliate", "commercial", "professional", "fellow", "honorary")
"""Membership of the federation; the best entitled to national routing first."""
