"""What recalls an object, as the tables keep it: here (``SharedObject``) and at a peer (``Recipient``)."""

from __future__ import annotations

from typing import Any

from django.db.models import F, Q

from tansiq.exchange.body import Version
from tansiq.exchange.models import Recipient, SharedObject
from tansiq.exchange.receiving import Recall

FIELDS = ("narrowed_term", "narrowed_n", "left_term", "left_n", "recall_epoch")
SOME = Q(narrowed_term__gt=0) | Q(narrowed_n__gt=0) | Q(left_term__gt=0) | Q(left_n__gt=0)
"""Rows that a recall names."""


def recall_of(row: SharedObject | Recipient | None) -> Recall:
    if row is None:
        return Recall()
    return Recall(Version(row.narrowed_term, row.narrowed_n), Version(row.left_term, row.left_n), row.recall_epoch)


def columns(recall: Recall) -> dict[str, int]:
    (term, n), (left_term, left_n) = recall.narrowed, recall.left
    said = (term, n, left_term, left_n, recall.epoch)
    return dict(zip(FIELDS, said, strict=True))


def set_recall(row: SharedObject | Recipient, recall: Recall) -> None:
    for name, value in columns(recall).items():
        setattr(row, name, value)


def below(term: Any, n: Any, *, prefix: str = "") -> Q:
    """Versions lower than (``term``, ``n``): of rows with columns ``term`` and ``n`` behind ``prefix``."""
    return Q(**{f"{prefix}term__lt": term}) | Q(**{f"{prefix}term": term, f"{prefix}n__lt": n})


def up_to(term: Any, n: Any, *, prefix: str = "") -> Q:
    return Q(**{f"{prefix}term__lt": term}) | Q(**{f"{prefix}term": term, f"{prefix}n__lte": n})


BLOCKED = below(F("narrowed_term"), F("narrowed_n"), prefix="statement__") | (
    up_to(F("left_term"), F("left_n"), prefix="statement__") & Q(epoch__lte=F("recall_epoch"))
)
"""Of ``SharedObject``: what is live though a recall blocks it (``Recall.blocks``)."""
