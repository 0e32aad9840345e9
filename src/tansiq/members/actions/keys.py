"""API keys of a team: made, and revoked."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network

from django.db import transaction

from tansiq.audit.actions import record
from tansiq.core.errors import N_, TansiqError
from tansiq.core.viewer import Scope, Viewer
from tansiq.members.models import ApiKey, Team
from tansiq.members.rules.keys import WRITING, may_keep_keys, may_revoke_key
from tansiq.members.values import shown

MARK = "tansiq"  # so that scanners of published files know one when they see it
PREFIX_SIGNS = "0123456789abcdefghjkmnpqrstvwxyz"
PREFIX_LENGTH = 8
SECRET_BYTES = 32
LIFE_DAYS = 366
ADDRESSES_MOST = 50
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


class BadKeyName(TansiqError):
    code = "members.key.name"
    message = N_("{value} is no name for a key.")
    remedy = N_("Use 1 to 32 small Latin letters, digits and hyphens, for instance siem-export.")
    exit_code = 2


class KeyNameTaken(TansiqError):
    code = "members.key.name_taken"
    message = N_("{team} has, or had, a key with the name {name}.")
    remedy = N_("Choose another name: the audit record goes on naming the old key by it.")
    exit_code = 2


class BadKeyScopes(TansiqError):
    code = "members.key.scopes"
    message = N_("These are no scopes that a key can have together: {value}.")
    remedy = N_("Choose at least one of those offered; a key that may only read has none to write.")
    exit_code = 2


class BadKeyAddress(TansiqError):
    code = "members.key.address_bad"
    message = N_("{value} is no network of IP addresses.")
    remedy = N_("Write an address (192.0.2.7) or a network by its first address and length (192.0.2.0/24).")
    exit_code = 2


class TooManyKeyAddresses(TansiqError):
    code = "members.key.addresses_many"
    message = N_("A key can be limited to {most} networks at most.")
    remedy = N_("Join networks that lie side by side, or make a second key.")
    exit_code = 2


class BadKeyExpiry(TansiqError):
    code = "members.key.expiry"
    message = N_("A key expires between now and {days} days from now.")
    remedy = N_("Choose a day within that time, and make a new key before it comes.")
    exit_code = 2


@dataclass(frozen=True, slots=True)
class NewKey:
    """``secret`` is shown this once: nobody, the node included, can tell it again."""

    key: ApiKey
    secret: str


@transaction.atomic
def create_key(
    name: str,
    *,
    team: Team,
    scopes: Collection[Scope],
    expires_at: datetime,
    by: Viewer,
    now: datetime,
    read_only: bool = False,
    addresses: Sequence[str] = (),
) -> NewKey:
    """A key for the team's own programs.

    Raises: NotAllowed; BadKeyName, KeyNameTaken, BadKeyScopes, BadKeyAddress, TooManyKeyAddresses, BadKeyExpiry.
    """
    may_keep_keys(team=team.code, by=by).require()
    if not NAME.fullmatch(name):
        raise BadKeyName(value=shown(name))
    if not now < expires_at <= now + timedelta(days=LIFE_DAYS):
        raise BadKeyExpiry(days=LIFE_DAYS)
    chosen, networks = _scopes(scopes, read_only=read_only), networks_of(addresses)
    if Team.objects.select_for_update().get(pk=team.pk).api_keys.filter(name=name).exists():
        raise KeyNameTaken(team=team.code, name=name)
    prefix = "".join(secrets.choice(PREFIX_SIGNS) for _sign in range(PREFIX_LENGTH))
    secret = f"{MARK}_{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}"
    key = ApiKey.objects.create(
        team=team, name=name, prefix=prefix, secret_hash=digest(secret), scopes=chosen, read_only=read_only,
        addresses=networks, created_by=by.name, created_at=now, expires_at=expires_at,
    )  # fmt: skip
    record(
        "key.created", ("key", prefix), by=by, now=now, team_code=team.code, name=name, scopes=chosen,
        read_only=read_only, addresses=networks, expires_at=expires_at,
    )  # fmt: skip
    return NewKey(key, secret)


@transaction.atomic
def revoke_key(key: ApiKey, *, by: Viewer, now: datetime, why: str = "") -> None:
    """From now on it opens nothing; again changes nothing. Raises: NotAllowed."""
    may_revoke_key(team=key.team.code, by=by).require()
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now):
        record("key.revoked", ("key", key.prefix), by=by, now=now, why=why, team_code=key.team.code, name=key.name)
    key.refresh_from_db()


def networks_of(addresses: Sequence[str]) -> list[str]:
    """The networks in their canonical form, each once, in the order given.

    Raises: BadKeyAddress: also for a network with host bits, which somebody meant otherwise; TooManyKeyAddresses.
    """
    if len(addresses) > ADDRESSES_MOST:
        raise TooManyKeyAddresses(most=ADDRESSES_MOST)
    networks: dict[str, None] = {}
    for address in addresses:
        try:
            network = ip_network(address.strip())
        except ValueError:
            raise BadKeyAddress(value=shown(address)) from None
        networks[str(network)] = None
    return list(networks)


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _scopes(scopes: Collection[Scope], *, read_only: bool) -> list[str]:
    """Raises: BadKeyScopes."""
    known = {scope.value for scope in Scope}
    chosen = sorted({str(scope) for scope in scopes})
    if not chosen or not known.issuperset(chosen) or (read_only and any(Scope(scope) in WRITING for scope in chosen)):
        raise BadKeyScopes(value=shown(", ".join(chosen) or "-"))
    return chosen
