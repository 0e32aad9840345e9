"""A portal with one team's key, and a program that asks it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from people import GRACE
from tansiq.core.viewer import Role, Scope, Viewer

if TYPE_CHECKING:
    from django.test import Client

REGISTER = """
[[team]]
code = "XA-CERT"
name = { en = "CERT of XA", ar = "فريق XA", fr = "CERT de XA" }
contacts = [
  { kind = "email", value = "cert@xa.example", role = "duty officer", hours = "24x7" },
  { kind = "web", value = "https://xa.example/", public = true },
]
claims = { country = ["XA"], cidr = ["192.0.2.0/24"], asn = [64496], domain = ["xa.example"] }

[[team]]
code = "XF-CERT"
name = { en = "CERT of XF" }
contacts = [ { kind = "email", value = "cert@xf.example", role = "duty officer" } ]
claims = { country = ["XF"] }
"""
HERE = "192.0.2.10"
PUBLIC = [{"kind": "web", "value": "https://xa.example/"}]
HIDDEN = [{"kind": "email", "value": "cert@xa.example", "role": "duty officer", "hours": "24x7"}]


def registered() -> None:
    """The two teams, both of the community, and the table that ``whois`` answers from."""
    from django.conf import settings

    from tansiq.members.actions import import_statement, open_period
    from tansiq.members.models import Team
    from tansiq.members.statement import read
    from tansiq.web.api.pace import PACE
    from tansiq.workers.tables import refresh

    import_statement(read(REGISTER), now=now())
    for team in Team.objects.filter(code__in=["XA-CERT", "XF-CERT"]):
        open_period(team, "full", since=date(2020, 1, 1), decision="GM 12", by=GRACE, now=now())
    refresh(settings.HOME)
    PACE.forget()


def now() -> datetime:
    return datetime.now(UTC)


def key(team: str, *scopes: Scope, **more: Any) -> str:
    """The secret of a new key of ``team``."""
    from tansiq.members.actions.keys import create_key
    from tansiq.members.models import ApiKey, Team

    name = f"key-{ApiKey.objects.count()}"
    expires = now() + timedelta(days=30)
    stored = Team.objects.get(code=team)
    return create_key(name, team=stored, scopes=scopes, expires_at=expires, by=head(team), now=now(), **more).secret


def head(team: str) -> Viewer:
    return Viewer(person="P-HEAD", team=team, roles=frozenset({Role.HEAD}))


def program(secret: str = "", *, language: str = "en", address: str = HERE, **more: Any) -> Client:
    from django.test import Client

    headers = {"accept-language": language} | ({"authorization": f"Bearer {secret}"} if secret else {})
    return Client(REMOTE_ADDR=address, HTTP_HOST="localhost", headers=headers, **more)
