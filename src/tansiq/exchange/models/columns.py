"""Columns that many tables of the exchange have."""

from __future__ import annotations

from typing import Any

from django.db import models

LANES = ("urgent", "normal", "bulk")


def node_code(**options: Any) -> models.CharField:
    """Of a node or a team (section 1.1)."""
    return models.CharField(max_length=32, **options)


class ObjectId(models.CharField):
    """Ids of objects, in the order of their code points on every database: pages of section 11.1 go by it."""

    def db_parameters(self, connection: Any) -> dict[str, Any]:
        parameters = super().db_parameters(connection)
        return parameters | ({"collation": "C"} if connection.vendor == "postgresql" else {})


def object_id(**options: Any) -> ObjectId:
    return ObjectId(max_length=128, **{"db_index": True} | options)


def digest(**options: Any) -> models.CharField:
    """SHA-256 in lower-case hexadecimal."""
    return models.CharField(max_length=64, **options)


def lane() -> models.CharField:
    return models.CharField(max_length=8)


def incarnation() -> models.CharField:
    return models.CharField(max_length=33, blank=True)


def moment_or_none(**options: Any) -> models.DateTimeField:
    return models.DateTimeField(null=True, **options)
