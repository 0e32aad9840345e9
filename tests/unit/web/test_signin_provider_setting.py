"""The identity provider, as the settings name it."""

from __future__ import annotations

import pytest

from tansiq.core.viewer import Role
from tansiq.web.signin.provider_setting import BadProvider, Provider, roles_of_groups, trusted_factors

SAID = {
    "issuer": "https://login.example/realm/",
    "client_id": "tansiq",
    "secret": "s3cret",
    "name": "",
    "team": "XA-CERT",
    "groups": "staff=analyst",
    "factors": "amr:mfa, acr:https://login.example/2",
}


def read(**changed: str) -> Provider | None:
    return Provider.read(**{**SAID, **changed})


def test_no_issuer_is_no_provider() -> None:
    assert read(issuer="") is None


def test_provider_is_read_and_its_secret_is_not_shown() -> None:
    provider = read()

    assert provider is not None
    assert (provider.issuer, provider.name, provider.code) == (
        "https://login.example/realm",
        "login.example",
        "login.example",
    )
    assert "s3cret" not in repr(provider)


@pytest.mark.parametrize(
    "changed, named",
    [
        ({"issuer": "http://login.example"}, "TANSIQ_OIDC_ISSUER"),
        ({"issuer": "login.example"}, "TANSIQ_OIDC_ISSUER"),
        ({"client_id": ""}, "TANSIQ_OIDC_CLIENT_ID"),
        ({"secret": ""}, "TANSIQ_OIDC_SECRET"),
        ({"team": ""}, "TANSIQ_OIDC_TEAM"),
        ({"groups": "staff"}, "TANSIQ_OIDC_GROUPS"),
        ({"groups": "staff=secretariat"}, "TANSIQ_OIDC_GROUPS"),
        ({"groups": "=analyst"}, "TANSIQ_OIDC_GROUPS"),
        ({"factors": "mfa"}, "TANSIQ_OIDC_FACTORS"),
        ({"factors": "amr:"}, "TANSIQ_OIDC_FACTORS"),
    ],
)
def test_provider_that_cannot_be_understood_is_refused_by_the_settings_name(
    changed: dict[str, str], named: str
) -> None:
    with pytest.raises(BadProvider) as caught:
        read(**changed)

    assert caught.value.values["name"] == named


def test_groups_map_to_roles_of_a_team_and_to_no_seat() -> None:
    assert roles_of_groups("staff=analyst , a=b=head") == {"staff": Role.ANALYST, "a=b": Role.HEAD}


@pytest.mark.parametrize(
    "claims, expected",
    [
        ({"amr": ["pwd", "mfa"]}, True),
        ({"amr": ["pwd"]}, False),
        ({"amr": "mfa"}, False),
        ({"amr": None, "acr": "https://login.example/2"}, True),
        ({"acr": "1"}, False),
        ({}, False),
    ],
)
def test_provider_vouches_only_by_what_is_trusted(claims: dict[str, object], expected: bool) -> None:
    provider = read()

    assert provider is not None
    assert provider.vouches(claims) is expected


def test_provider_without_trusted_factors_vouches_for_nothing() -> None:
    provider = read(factors="")

    assert provider is not None
    assert trusted_factors("") == frozenset()
    assert not provider.vouches({"amr": ["mfa"], "acr": "None"})
