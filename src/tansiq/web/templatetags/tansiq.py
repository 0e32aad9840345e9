"""How pages write what is not prose: addresses, hashes, times, texts in three languages."""

from __future__ import annotations

from django import template

register = template.Library()
