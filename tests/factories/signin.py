"""People who sign in, their codes, and a browser without a screen. Dull and obvious."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tansiq.core.viewer import Role, Viewer

if TYPE_CHECKING:
    from django.test import Client

    from tansiq.members.models import Person, Team

PASSWORD = "seven grey camels walk"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
SET_UP = Viewer.system(because="set-up")


def now() -> datetime:
    return datetime.now(UTC)


def team_of(code: str) -> Team:
    from tansiq.members.models import Team

    return Team.objects.get_or_create(code=code, defaults={"name_en": code, "country": code[:2]})[0]


def person(email: str, *roles: Role, team: str = "XA-CERT", password: str = PASSWORD, language: str = "en") -> Person:
    """Somebody invited who has a password, and no factor yet."""
    from tansiq.members.actions.appointments import grant
    from tansiq.members.actions.people import create_person
    from tansiq.web.signin.adapter import verify_address

    somebody = create_person(email, name=email.partition("@")[0].title(), language=language, invited_at=now())
    for role in roles or (Role.ANALYST,):
        grant(somebody, role, team=team_of(team), granted_by="node", decision="", now=now())
    somebody.set_password(password)
    somebody.save()
    verify_address(somebody)
    return somebody


def with_app(somebody: Person) -> Person:
    """With an authenticator app of which the test knows the key, and recovery codes already seen."""
    from allauth.mfa.models import Authenticator
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
    from allauth.mfa.totp.internal.auth import TOTP
    from django.core.cache import cache

    cache.clear()  # a test before may have used this code for somebody of the same number
    TOTP.activate(somebody, SECRET)
    RecoveryCodes.activate(somebody).mark_as_viewed()
    assert Authenticator.objects.filter(user=somebody).count() == 2
    return somebody


def code(steps: int = 0) -> str:
    """What the app shows now, or ``steps`` half minutes later."""
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value

    return format_hotp_value(hotp_value(SECRET, int(time.time()) // 30 + steps))


def recovery_codes(somebody: Person) -> list[str]:
    from allauth.mfa.models import Authenticator

    kept = Authenticator.objects.get(user=somebody, type=Authenticator.Type.RECOVERY_CODES)
    return list(kept.wrap().get_unused_codes())


def browser(address: str = "192.0.2.10", **more: Any) -> Client:
    from django.test import Client

    return Client(REMOTE_ADDR=address, HTTP_HOST="localhost", **more)


def try_password(client: Client, email: str, password: str = PASSWORD, **more: Any) -> Any:
    return client.post("/account/login/", {"login": email, "password": password, **more})


def try_code(client: Client, typed: str) -> Any:
    return client.post("/account/2fa/authenticate/", {"code": typed})


def signed_in(somebody: Person, address: str = "192.0.2.10") -> Client:
    """Wholly: with password and code."""
    client = browser(address)
    assert try_password(client, somebody.email).headers["Location"] == "/account/2fa/authenticate/"
    assert try_code(client, code()).status_code == 302
    return client


def viewer_of(client: Client) -> Viewer:
    """Whom the portal sees in the client's session, as the front door says it."""
    response = client.get("/whois/")
    assert response.status_code == 200
    return response.wsgi_request.viewer
