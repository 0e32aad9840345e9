"""The payload of a recall: which object, and what of it may no longer be there (section 12). No content."""

from __future__ import annotations

from typing import Any

from tansiq.exchange.body import Version
from tansiq.exchange.fields import Fields
from tansiq.exchange.receiving import NO_VERSION, Recall
from tansiq.exchange.values import OBJECT, Unfit

KIND = "recall"


def name(identifier: str) -> str:
    """What follows the team's code in the id of a recall; ``identifier`` is a uuid."""
    return f"{KIND}.{identifier}"


def write(object_id: str, recall: Recall) -> dict[str, Any]:
    """Raises: ValueError, for a recall that recalls nothing."""
    if recall.narrowed == NO_VERSION and recall.left == NO_VERSION:
        raise ValueError(f"nothing of {object_id} is recalled")
    return {
        "object": object_id,
        "narrowed": _version(recall.narrowed),
        "left": _version(recall.left),
        "epoch": recall.epoch,
    }


def read(payload: Any) -> tuple[str, Recall]:
    """The object and its recall. Raises: Unfit."""
    fields = Fields(payload, "recall")
    object_id = fields.form("object", OBJECT)
    narrowed, left = _said(fields, "narrowed"), _said(fields, "left")
    epoch = fields.whole("epoch", least=0)
    if fields.left():
        raise Unfit(field="recall", expected="of these fields and no others")
    if narrowed == left == NO_VERSION:
        raise Unfit(field="recall", expected="of some version")
    if (left != NO_VERSION) is not (epoch > 0):
        raise Unfit(field="recall.epoch", expected="there where something left")
    return object_id, Recall(narrowed, left, epoch)


def fits(payload: Any) -> bool:
    """Check 5.19."""
    try:
        read(payload)
    except Unfit:
        return False
    return True


def _version(version: Version) -> dict[str, int] | None:
    return None if version == NO_VERSION else version._asdict()


def _said(fields: Fields, which: str) -> Version:
    said = fields.any(which)
    if said is None:
        return NO_VERSION
    version = Fields({which: said}, "recall").version(which)
    if version == NO_VERSION:
        raise Unfit(field=f"recall.{which}", expected="null where it is none")
    return version
