"""How fast a program may ask, and that nobody is held back by somebody else's program."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from factories import api
from tansiq.core.viewer import Scope
from tansiq.web.api.pace import GUEST, KNOWN, REMEMBERED, Pace, Rate

PATH = "/api/v1/whois?target=XA"


@pytest.fixture
def registered(database: None, _no_time_passes: None) -> None:
    api.registered()


@pytest.fixture
def _no_time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long this machine takes for a request, no room comes back meanwhile."""
    from tansiq.web import front_door

    at = datetime.now(UTC)
    monkeypatch.setattr(front_door, "datetime", SimpleNamespace(now=lambda zone: at))


def answers(client: Any, times: int) -> list[int]:
    return [client.get(PATH).status_code for _time in range(times)]


def test_burst_passes_and_the_next_waits_until_there_is_room() -> None:
    pace, rate = Pace(), Rate(burst=3, per_second=0.5)

    waits = [pace.spend("x", rate, at=100.0) for _time in range(5)]
    later = [pace.spend("x", rate, at=at) for at in (101.9, 102.0, 102.1)]

    assert waits == [0, 0, 0, 2, 2]
    assert later == [1, 0, 2]


def test_pace_of_one_is_not_anothers() -> None:
    pace, rate = Pace(), Rate(burst=1, per_second=1)
    pace.spend("x", rate, at=1.0)

    assert (pace.spend("x", rate, at=1.0), pace.spend("y", rate, at=1.0)) == (1, 0)


def test_clock_that_goes_back_gives_nothing_away() -> None:
    pace, rate = Pace(), Rate(burst=1, per_second=1)
    pace.spend("x", rate, at=10.0)

    assert pace.spend("x", rate, at=0.0) == 1
    assert pace.spend("x", rate, at=10.5) == 1


def test_pace_remembers_a_bounded_number() -> None:
    pace, rate = Pace(), Rate(burst=1, per_second=0.001)

    for number in range(REMEMBERED + 1):
        pace.spend(str(number), rate, at=1.0)

    assert pace.spend("0", rate, at=1.0) == 0
    assert pace.spend(str(REMEMBERED), rate, at=1.0) > 0


def test_guest_in_a_loop_is_told_to_wait_and_a_key_from_there_is_not(registered: None) -> None:
    secret = api.key("XF-CERT", Scope.DIRECTORY_READ)
    guest = api.program()

    seen = answers(guest, int(GUEST.burst))
    refused = guest.get(PATH)

    assert (seen, refused.status_code) == ([200] * int(GUEST.burst), 429)
    assert int(refused.headers["Retry-After"]) >= 1
    assert refused.json()["error"]["code"] == "api.too_many"
    assert api.program(secret).get(PATH).status_code == 200
    assert api.program(address="198.51.100.1").get(PATH).status_code == 200


def test_many_targets_count_as_many_requests(registered: None) -> None:
    client = api.program(api.key("XF-CERT", Scope.DIRECTORY_READ))
    body = json.dumps({"targets": ["XF"] * 1000})

    seen = [
        client.post("/api/v1/whois", body, content_type="application/json").status_code
        for _time in range(int(KNOWN.burst / 20) + 10)
    ]

    assert seen[: int(KNOWN.burst / 20)] == [200] * int(KNOWN.burst / 20)
    assert 429 in seen


def test_wrong_keys_from_an_address_wait_longer_each_time_and_a_good_one_never(registered: None) -> None:
    from tansiq.web.signin import limits

    good, wrong = api.program(api.key("XF-CERT", Scope.DIRECTORY_READ)), api.program("wrong")

    seen = [wrong.get(PATH) for _time in range(limits.HOST.free + 3)]

    assert [answer.status_code for answer in seen[: limits.HOST.free]] == [401] * limits.HOST.free
    assert seen[-1].status_code == 429
    assert int(seen[-1].headers["Retry-After"]) >= 1
    assert good.get(PATH).status_code == 200


def test_wrong_keys_keep_nobody_from_signing_in(registered: None) -> None:
    from factories import signin
    from tansiq.web.signin import limits

    amina = signin.with_app(signin.person("amina@cert.example"))
    for _time in range(limits.HOST.free + 5):
        api.program("wrong").get(PATH)

    assert signin.signed_in(amina, api.HERE).get("/").status_code == 200
