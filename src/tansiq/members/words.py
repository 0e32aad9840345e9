"""The closed sets of the directory."""

from __future__ import annotations

TEAM_KINDS = ("national", "government", "sectoral", "academic", "commercial", "other")
CONTACT_KINDS = ("email", "phone", "fax", "web", "post")
HOURS = ("24x7", "office")
POSTS = ("primary", "backup", "duty", "general")
"""What a point of contact is for; several contacts may hold one post (a telephone and an address)."""

CATEGORIES = ("full", "general", "affiliate", "commercial", "professional", "fellow", "honorary")
"""Membership of the federation; the best entitled to national routing first."""

PERIOD_CATEGORIES = (*CATEGORIES, "partner")
"""A partner is linked by a memorandum and no member; the register keeps its dates the same way."""

COMMUNITY = frozenset({"full", "general", "affiliate", "professional", "partner"})
"""Who TLP:GREEN names. A commercial member belongs to it only by an agreement that the register records."""

STANDINGS = ("active", "suspended", "revoked", "withdrawn", "expired")
PRECISIONS = ("day", "month", "year")
"""How exactly a source gives a date."""

CLAIM_OUTCOMES = ("verified", "refused")
