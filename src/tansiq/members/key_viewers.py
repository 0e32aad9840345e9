"""From the secret of an API key to a ``Viewer``."""

from __future__ import annotations

import hmac
import re
from datetime import datetime

from django.db.models import Q

from tansiq.audit.actions import record_once
from tansiq.core.errors import N_, TansiqError
from tansiq.core.viewer import Scope, Viewer
from tansiq.members.actions.keys import MARK, PREFIX_LENGTH, PREFIX_SIGNS, digest
from tansiq.members.models import ApiKey
from tansiq.members.queries.periods import memberships_of
from tansiq.members.rules.keys import KeyFacts, may_use, roles_of, scopes_in_force

_FORM = re.compile(rf"{MARK}_([{PREFIX_SIGNS}]{{{PREFIX_LENGTH}}})_[A-Za-z0-9_-]{{43}}")
_NOBODYS = digest("")  # compared where there is no key, so that this takes as long
_KIND, _UNKNOWN = "key", "unknown"


class KeyNotValid(TansiqError):
    """Unknown, wrong, expired, revoked or from another address: who asks is told no more. The record says which."""

    code = "members.key.not_valid"
    message = N_("This API key is not valid here.")
    remedy = N_("Ask the head of your team, who sees its state, its last day and where it may be used from.")
    exit_code = 5


def viewer_of_key(secret: str, *, address: str, now: datetime) -> Viewer:
    """The team that the key acts for, as far as its scopes go.

    Args:
        secret: as the request carries it.
        address: where the request comes from, as text.

    Raises: KeyNotValid. Why is recorded, at most once an hour for a key and reason. Call it outside a transaction,
        which the error would undo together with that row.
    """
    asked = _FORM.fullmatch(secret)
    prefix = asked[1] if asked else ""
    key = ApiKey.objects.filter(prefix=prefix).select_related("team").first()
    same = hmac.compare_digest(digest(secret), key.secret_hash if key else _NOBODYS)
    if key is None or not same:
        _refuse("secret" if key else _UNKNOWN, key.prefix if key else _UNKNOWN, now)
        raise KeyNotValid()
    decision = may_use(_facts(key), address=address, now=now)
    if not decision:
        _refuse(decision.reason.rpartition(".")[2], key.prefix, now)
        raise KeyNotValid()
    _used(key, now)
    return _viewer(key, now)


def _viewer(key: ApiKey, now: datetime) -> Viewer:
    scopes = scopes_in_force([Scope(scope) for scope in key.scopes], read_only=key.read_only)
    memberships, community = memberships_of(key.team.code, day=now.date())
    return Viewer(
        team=key.team.code,
        key=key.name,
        scopes=scopes,
        roles=roles_of(scopes),
        memberships=memberships,
        community=community,
    )


def _facts(key: ApiKey) -> KeyFacts:
    return KeyFacts(tuple(key.addresses), key.expires_at, key.revoked_at)


def _refuse(why: str, prefix: str, now: datetime) -> None:
    record_once(f"key.refused.{why}", (_KIND, prefix), by=Viewer.system(because="api"), now=now)


def _used(key: ApiKey, now: datetime) -> None:
    """When it was last used, to the hour: a write a request would make reading as dear as writing."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    if key.last_used_at is None or key.last_used_at < hour:
        older = Q(last_used_at=None) | Q(last_used_at__lt=hour)
        ApiKey.objects.filter(older, pk=key.pk).update(last_used_at=hour)
