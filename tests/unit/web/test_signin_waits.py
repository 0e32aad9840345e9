"""How long one waits after failures."""

from __future__ import annotations

import pytest

from tansiq.core.errors import TansiqError

pytestmark = pytest.mark.usefixtures("_django")


@pytest.fixture(scope="module")
def _django() -> None:
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tansiq.settings")
    django.setup()


@pytest.mark.parametrize(
    "failures, quiet_seconds, expected",
    [
        (0, 0, 0),
        (9, 0, 0),
        (10, 0, 1),
        (10, 0.5, 1),
        (10, 1, 0),
        (13, 0, 8),
        (13, 3, 5),
        (40, 0, 900),
        (40, 899, 1),
        (40, 900, 0),
        (5_000, 0, 900),
        (13, -5, 8),
    ],
)
def test_wait_doubles_with_each_failure_beyond_the_free_ones(
    failures: int, quiet_seconds: float, expected: int
) -> None:
    from tansiq.web.signin.limits import HOST, wait_seconds

    assert wait_seconds(failures, quiet_seconds, HOST) == expected


@pytest.mark.parametrize("failures, quiet_seconds, expected", [(12, 0, 12), (12, 59, 12), (12, 120, 10), (2, 9999, 0)])
def test_failures_leak_away(failures: int, quiet_seconds: float, expected: int) -> None:
    from tansiq.web.signin.limits import HOST, standing

    assert standing(failures, quiet_seconds, HOST) == expected


def test_refusal_says_how_long() -> None:
    from tansiq.web.signin.limits import TooManyFailures

    error: TansiqError = TooManyFailures(seconds=8)

    assert "Wait 8 seconds" in str(error)
