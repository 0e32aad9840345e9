"""Keys of second factors lie sealed in the database, open with the node's secret, and with nothing else."""

from __future__ import annotations

import importlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from factories import signin as cast
from tansiq.web.signin import sealing

AMINA = "amina@cert.example"


def data_of(kind: str) -> dict[str, Any]:
    from allauth.mfa.models import Authenticator

    return dict(Authenticator.objects.get(type=kind).data)


def make_open() -> None:
    """As the rows of before were."""
    from allauth.mfa.models import Authenticator
    from django.apps import apps

    migration().open_again(apps, None)
    assert Authenticator.objects.get(type="totp").data["secret"] == cast.SECRET


def migration() -> Any:
    return importlib.import_module("tansiq.web.signin.migrations.0002_seal_factors")


@pytest.mark.usefixtures("database")
def test_app_and_recovery_codes_lie_sealed_and_work() -> None:
    amina = cast.with_app(cast.person(AMINA))

    stored = json.dumps([data_of("totp"), data_of("recovery_codes")])
    client = cast.signed_in(amina)

    assert (cast.SECRET in stored, data_of("totp")["secret"][:3], data_of("recovery_codes")["seed"][:3]) == (
        False,
        "t1:",
        "t1:",
    )
    assert cast.viewer_of(client).person == amina.code
    assert len(cast.recovery_codes(amina)) == 10


@pytest.mark.usefixtures("database")
def test_rows_of_before_still_work_and_are_sealed_by_the_migration() -> None:
    from django.apps import apps

    amina = cast.with_app(cast.person(AMINA))
    codes = cast.recovery_codes(amina)
    make_open()

    before = cast.viewer_of(cast.signed_in(amina)).person
    migration().seal(apps, None)
    once = data_of("totp")
    migration().seal(apps, None)

    assert before == amina.code
    assert once["secret"].startswith("t1:")
    assert data_of("totp") == once
    assert cast.recovery_codes(amina) == codes


@pytest.mark.usefixtures("database")
def test_secret_that_was_replaced_still_opens_as_a_former_one() -> None:
    from django.test import override_settings

    from tansiq.web.signin import stored

    cast.with_app(cast.person(AMINA))
    cast.with_app(cast.person("moussa@cert.example"))
    from django.conf import settings

    old = settings.SECRET_KEY
    found = []
    for former in ([], [old]):
        with override_settings(SECRET_KEY="another" * 8, SECRET_KEY_FALLBACKS=former):
            found.append(stored.unreadable())

    assert [*found, stored.unreadable()] == [2, 0, 0]


@pytest.mark.parametrize("damaged", ["t1:", "t1:AAAA", "t1:é", "t1:" + "A" * 80])
def test_what_is_damaged_is_unreadable(damaged: str) -> None:
    with pytest.raises(sealing.Unreadable):
        sealing.unseal(damaged, secrets_known=["secret"])


def test_seal_is_never_the_same_and_opens_to_the_same() -> None:
    first, second = sealing.seal("مفتاح", secret="s"), sealing.seal("مفتاح", secret="s")

    assert first != second
    assert {sealing.unseal(one, secrets_known=["s"]) for one in (first, second)} == {"مفتاح"}


def test_doctor_says_that_factors_are_sealed_with_another_secret(
    run_python: Callable[..., subprocess.CompletedProcess[str]],
    run: Callable[..., subprocess.CompletedProcess[str]],
    home: Path,
) -> None:
    made = run_python(
        "from tansiq.cli import node; node.opened(pages=True)\n"
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n"
        "from factories import signin\n"
        f"signin.with_app(signin.person({AMINA!r}))\n"
    )
    well = run("doctor", "--json")
    (home / "secrets/session.key").write_text("another secret of the same node, put there by mistake")
    wrong = run("doctor", "--json")

    def said(done: subprocess.CompletedProcess[str]) -> list[str]:
        rows = map(json.loads, done.stdout.splitlines())
        return [row["what"] for row in rows if row["code"] == "factors.unreadable"]

    assert made.returncode == 0, made.stderr
    assert said(well) == []
    assert said(wrong) == ["The keys of second factors are sealed with another secret than this node has (people: 1)."]
