"""Signing in by an identity provider, which is a process of its own here."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator

import pytest

from factories import signin as cast
from tansiq.core.viewer import NOBODY, Role, Viewer

pytestmark = pytest.mark.usefixtures("database")

AMINA = "amina@cert.example"
PATIENCE_SECONDS = 60


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + PATIENCE_SECONDS
        while not answers(address):
            assert process.poll() is None and time.monotonic() < until, "the provider does not answer"
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def answers(address: str) -> bool:
    try:
        urllib.request.urlopen(f"{address}/.well-known/openid-configuration", timeout=5).close()
    except OSError:
        return False
    return True


@pytest.fixture
def configured(issuer: str, _connected: None) -> Iterator[None]:
    from django.test import override_settings

    from tansiq.web.signin.provider_setting import Provider

    provider = Provider.read(
        issuer=issuer,
        client_id="tansiq",
        secret="secret",
        name="XA login",
        team="XA-CERT",
        groups="staff=analyst, duty=duty-officer",
        factors="amr:mfa",
    )
    assert provider is not None
    apps = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [provider.app]}}
    with override_settings(OIDC=provider, SOCIALACCOUNT_PROVIDERS=apps):
        yield


def known(issuer: str, subject: str = "amina", **claims: object) -> None:
    """Have the provider say this of ``subject``."""
    said = {"email": AMINA, "email_verified": True, "amr": ["pwd", "mfa"], **claims}
    request = urllib.request.Request(
        f"{issuer}/users/{subject}",
        data=json.dumps(said).encode(),
        headers={"Content-Type": "application/json"},
        method="PUT",
    )
    urllib.request.urlopen(request, timeout=10).close()


class Stays(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: object, **kwargs: object) -> None:
        return None


def enter(client, subject: str = "amina"):
    """From our page to the provider's and back, as a browser goes."""
    leave = client.get("/account/oidc/oidc/login/").headers["Location"]
    body = urllib.parse.urlencode({"sub": subject}).encode()
    try:
        urllib.request.build_opener(Stays).open(leave, data=body, timeout=10)
    except urllib.error.HTTPError as answer:
        back = urllib.parse.urlsplit(answer.headers["Location"])
    return client.get(f"{back.path}?{back.query}")


def roles_of(somebody) -> dict[str, str]:
    from tansiq.members.models import Appointment

    rows = Appointment.objects.filter(person=somebody, until=None)
    return {f"{row.team.code if row.team else 'seat'}:{row.role}": row.granted_by for row in rows}


def test_provider_with_a_trusted_factor_signs_in_wholly_with_the_roles_of_the_groups(configured, issuer) -> None:
    amina = cast.person(AMINA, Role.OBSERVER)
    known(issuer, groups=["staff", "unknown", "duty"])
    client = cast.browser()

    enter(client)

    assert cast.viewer_of(client) == Viewer(
        person=amina.code, team="XA-CERT", roles=frozenset({Role.OBSERVER, Role.ANALYST, Role.DUTY_OFFICER})
    )
    assert roles_of(amina) == {
        "XA-CERT:observer": "node",
        "XA-CERT:analyst": "idp:127.0.0.1",
        "XA-CERT:duty-officer": "idp:127.0.0.1",
    }


def test_group_that_is_gone_at_the_next_sign_in_takes_its_role_along(configured, issuer) -> None:
    amina = cast.person(AMINA, Role.OBSERVER)
    known(issuer, groups=["staff", "duty"])
    enter(cast.browser())
    known(issuer, groups=["duty"])

    enter(cast.browser())

    assert roles_of(amina) == {"XA-CERT:observer": "node", "XA-CERT:duty-officer": "idp:127.0.0.1"}


@pytest.mark.parametrize("groups", ["secretariat", ["secretariat", "head"], {"staff": True}, None, [["staff"]]])
def test_groups_that_are_not_mapped_grant_nothing(configured, issuer, groups) -> None:
    amina = cast.person(AMINA, Role.OBSERVER)
    known(issuer, groups=groups)

    enter(cast.browser())

    assert roles_of(amina) == {"XA-CERT:observer": "node"}


def test_provider_without_a_trusted_factor_is_asked_for_ours(configured, issuer) -> None:
    amina = cast.with_app(cast.person(AMINA))
    known(issuer, amr=["pwd"], groups=["staff"])
    client = cast.browser()

    answer = enter(client)
    before = cast.viewer_of(client)
    cast.try_code(client, cast.code())

    assert answer.headers["Location"] == "/account/2fa/authenticate/"
    assert before == NOBODY
    assert cast.viewer_of(client).person == amina.code


def test_provider_without_a_trusted_factor_and_person_without_one_is_nobody(configured, issuer) -> None:
    cast.person(AMINA)
    known(issuer, amr=["pwd"])
    client = cast.browser()

    answer = enter(client)

    assert answer.headers["Location"] == "/factor/"
    assert cast.viewer_of(client) == NOBODY


def test_session_of_the_provider_reaches_its_team_alone_and_no_seat(configured, issuer) -> None:
    from tansiq.core.viewer import Seat
    from tansiq.members.actions.appointments import grant

    amina = cast.person(AMINA, Role.ANALYST)
    grant(amina, Role.HEAD, team=cast.team_of("XF-CERT"), granted_by="node", decision="", now=cast.now())
    grant(amina, Seat.SECRETARIAT, team=None, granted_by="node", decision="GM 10", now=cast.now())
    known(issuer)
    client = cast.browser()
    enter(client)

    client.post("/acting-for", {"team": "XF-CERT"})

    assert cast.viewer_of(client) == Viewer(person=amina.code, team="XA-CERT", roles=frozenset({Role.ANALYST}))


@pytest.mark.parametrize(
    "claims",
    [{"email_verified": False}, {"email_verified": "true"}, {"email": "stranger@cert.example"}, {"email": ""}],
)
def test_address_that_is_not_verified_or_not_invited_opens_nothing(configured, issuer, claims) -> None:
    from allauth.socialaccount.models import SocialAccount

    from tansiq.members.models import Person

    cast.person(AMINA)
    before = Person.objects.count()
    known(issuer, subject="mallory", **claims)
    client = cast.browser()

    answer = enter(client, "mallory")

    assert answer.status_code == 403
    assert "_auth_user_id" not in client.session
    assert (SocialAccount.objects.count(), Person.objects.count()) == (0, before)


def test_person_of_another_team_is_not_opened_by_this_teams_provider(configured, issuer) -> None:
    cast.person("moussa@cert.example", Role.HEAD, team="XF-CERT")
    known(issuer, subject="moussa", email="moussa@cert.example")
    client = cast.browser()

    answer = enter(client, "moussa")

    assert answer.status_code == 403
    assert "_auth_user_id" not in client.session


def test_answer_to_a_question_that_was_not_asked_is_refused(configured, issuer) -> None:
    cast.person(AMINA)
    client = cast.browser()

    answer = client.get("/account/oidc/oidc/login/callback/?code=invented&state=invented")

    assert answer.status_code == 502
    assert "_auth_user_id" not in client.session


def test_provider_that_is_not_configured_any_more_leaves_its_sessions_worth_nothing(configured, issuer) -> None:
    from django.test import override_settings

    cast.person(AMINA)
    known(issuer)
    client = cast.browser()
    enter(client)

    with override_settings(OIDC=None):
        viewer = cast.viewer_of(client)

    assert viewer == NOBODY
