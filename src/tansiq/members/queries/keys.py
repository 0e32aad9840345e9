"""Which API keys a team has. Their secrets are known to nobody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tansiq.core.viewer import Scope, Viewer
from tansiq.members.models import ApiKey
from tansiq.members.rules.keys import may_keep_keys


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """A key as its team's head sees it.

    Attributes:
        prefix: how the secret begins, after ``tansiq_``.
        addresses: networks it may be used from; none for everywhere.
        last_used_at: to the hour; None when never.
        state: ``active``, ``expired`` or ``revoked``.
    """

    id: int
    name: str
    prefix: str
    scopes: tuple[Scope, ...]
    read_only: bool
    addresses: tuple[str, ...]
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None
    state: str


def keys_of(viewer: Viewer, team_code: str, *, now: datetime) -> list[KeyEntry]:
    """The team's keys, the newest first, revoked ones too; none for whoever may not keep them."""
    if not may_keep_keys(team=team_code, by=viewer):
        return []
    return [_entry(key, now) for key in ApiKey.objects.filter(team__code=team_code).order_by("-created_at", "name")]


def key_of(viewer: Viewer, id: int) -> ApiKey | None:
    """The stored key, for revoking it; None also for a key of a team that is not the viewer's own."""
    key = ApiKey.objects.select_related("team").filter(pk=id).first()
    return key if key and may_keep_keys(team=key.team.code, by=viewer) else None


def _entry(key: ApiKey, now: datetime) -> KeyEntry:
    return KeyEntry(
        id=key.pk,
        name=key.name,
        prefix=key.prefix,
        scopes=tuple(Scope(scope) for scope in key.scopes),
        read_only=key.read_only,
        addresses=tuple(key.addresses),
        created_by=key.created_by,
        created_at=key.created_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        last_used_at=key.last_used_at,
        state="revoked" if key.revoked_at else "active" if key.expires_at > now else "expired",
    )
