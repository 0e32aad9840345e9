"""The one identity provider, as the settings name it: what it may say, and of which team."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tansiq.core.errors import N_, TansiqError
from tansiq.core.viewer import Role

PROVIDER_ID = "oidc"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class BadProvider(TansiqError):
    code = "settings.bad_provider"
    message = N_("{name} is {value}, which is not {allowed}.")
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Provider:
    """Attributes:
    issuer: address under which ``/.well-known/openid-configuration`` stands; https, but for loopback.
    team: code of the one team of which its groups may grant roles.
    groups: name of a group -> role in that team.
    factors: ``amr:mfa``, ``acr:https://…``: statements of the provider that we take for a second factor.
    """

    issuer: str
    client_id: str
    secret: str = field(repr=False)
    name: str
    team: str
    groups: Mapping[str, Role]
    factors: frozenset[str]

    @classmethod
    def read(
        cls, *, issuer: str, client_id: str, secret: str, name: str, team: str, groups: str, factors: str
    ) -> Provider | None:
        """None without an issuer.

        Raises: BadProvider, naming the setting that cannot be understood.
        """
        if not issuer:
            return None
        parts = urlsplit(issuer)
        if not parts.hostname or not (
            parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
        ):
            raise BadProvider(name="TANSIQ_OIDC_ISSUER", value=issuer, allowed="https://login.example")
        for setting, value in (("CLIENT_ID", client_id), ("SECRET", secret), ("TEAM", team)):
            if not value:
                raise BadProvider(name=f"TANSIQ_OIDC_{setting}", value="''", allowed="set, as TANSIQ_OIDC_ISSUER is")
        return cls(
            issuer=issuer.rstrip("/"),
            client_id=client_id,
            secret=secret,
            name=name or parts.hostname,
            team=team,
            groups=roles_of_groups(groups),
            factors=trusted_factors(factors),
        )

    @property
    def app(self) -> dict[str, Any]:
        """As allauth wants it."""
        return {
            "provider_id": PROVIDER_ID,
            "name": self.name,
            "client_id": self.client_id,
            "secret": self.secret,
            "settings": {"server_url": self.issuer, "fetch_userinfo": True},
        }

    @property
    def code(self) -> str:
        """Its host: who granted a role, as appointments and records say it."""
        return (urlsplit(self.issuer).hostname or "")[:60]

    def roles(self, groups: object) -> frozenset[Role]:
        """Of what the provider says of a person; anything else than a list of known names is no role."""
        said = groups if isinstance(groups, list | tuple) else [groups]
        return frozenset(self.groups[name] for name in said if isinstance(name, str) and name in self.groups)

    def vouches(self, claims: Mapping[str, Any]) -> bool:
        """Whether the claims of an ID token say a second factor of those we trust."""
        methods = claims.get("amr")
        said = {f"amr:{method}" for method in methods} if isinstance(methods, list) else set()
        return not self.factors.isdisjoint(said | {f"acr:{claims.get('acr')}"})


def roles_of_groups(listed: str) -> dict[str, Role]:
    """``cert-duty=duty-officer, cert-staff=analyst``."""
    roles = {}
    for part in filter(None, map(str.strip, listed.split(","))):
        group, _, role = part.rpartition("=")
        if not group.strip() or role.strip() not in set(Role):
            known = ", ".join(Role)
            raise BadProvider(name="TANSIQ_OIDC_GROUPS", value=part, allowed=f"group=role, with a role of: {known}")
        roles[group.strip()] = Role(role.strip())
    return roles


def trusted_factors(listed: str) -> frozenset[str]:
    factors = frozenset(listed.replace(",", " ").split())
    for factor in factors:
        if factor.partition(":")[0] not in ("amr", "acr") or not factor.partition(":")[2]:
            raise BadProvider(name="TANSIQ_OIDC_FACTORS", value=factor, allowed="amr:mfa, acr:https://login.example/2")
    return factors
