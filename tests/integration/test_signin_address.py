"""Another mail address to sign in with: only by its own mailbox, only for whoever asked; nobody learns who is here."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from typing import Any

import pytest

from factories import signin as cast

pytestmark = pytest.mark.usefixtures("database")

PAGE = "/account/address/"
AMINA, NEW, TAKEN = "amina@cert.example", "amina@new.example", "moussa@cert.example"
LINK = re.compile(r"https?://[^/]+(/account/address/\S+)")


def somebody(email: str = AMINA, address: str = "192.0.2.10", **named: Any) -> Any:
    return cast.signed_in(cast.with_app(cast.person(email, **named)), address)


def ask(client: Any, email: str = NEW) -> Any:
    return client.post(PAGE, {"email": email})


def letters() -> list[tuple[str, str, str]]:
    """To whom, in which language, which words; the oldest first."""
    from tansiq.notices.models import Mail

    return list(Mail.objects.order_by("pk").values_list("to", "language", "text"))


def link() -> str:
    """The newest."""
    return [found[1] for _to, _language, text in letters() if (found := LINK.search(text))][-1]


def addresses() -> set[str]:
    from tansiq.members.models import Person

    return set(Person.objects.exclude(email="").values_list("email", flat=True))


def rows() -> list[tuple[str, str]]:
    from tansiq.audit.models import Entry

    return list(Entry.objects.filter(verb__startswith="person.address").order_by("number").values_list("verb", "facts"))


def test_address_changes_once_the_new_mailbox_has_answered() -> None:
    from allauth.account.models import EmailAddress

    client = somebody()

    asked = ask(client)
    looked = client.get(link())
    before = addresses()
    confirmed = client.post(link())

    assert [answer.status_code for answer in (asked, looked, confirmed)] == [303, 200, 303]
    assert (before, addresses()) == ({AMINA}, {NEW})
    assert [(kept.email, kept.verified, kept.primary) for kept in EmailAddress.objects.all()] == [(NEW, True, True)]
    assert rows() == [("person.address_asked", "{}"), ("person.address_changed", "{}")]
    assert [to for to, _language, _text in letters()] == [NEW, AMINA, AMINA]


def test_new_address_signs_in_and_the_old_one_does_not() -> None:
    client = somebody()
    ask(client)
    client.post(link())

    by_new = cast.try_password(cast.browser("192.0.2.11"), NEW)
    by_old = cast.try_password(cast.browser("192.0.2.12"), AMINA)

    assert by_new.headers["Location"] == "/account/2fa/authenticate/"
    assert by_old.status_code == 200


@pytest.mark.parametrize(
    ("language", "words"),
    [("ar", "طلبت تسجيل الدخول"), ("en", "You asked to sign in"), ("fr", "Vous avez demandé à vous connecter")],
)
def test_link_comes_in_the_persons_language(language: str, words: str) -> None:
    ask(somebody(language=language))

    (to, spoken, text), _notice = letters()
    assert (to, spoken, words in text) == (NEW, language, True)


def test_address_of_somebody_else_looks_the_same_and_gets_no_link() -> None:
    cast.person(TAKEN)
    client = somebody()

    taken, free = ask(client, TAKEN.upper()), ask(client, NEW)

    assert (taken.status_code, taken.headers["Location"]) == (free.status_code, free.headers["Location"])
    assert [to for to, _language, _text in letters()] == [AMINA, NEW, AMINA]
    assert rows() == [("person.address_asked", "{}")] * 2


def test_address_taken_in_the_meantime_is_not_given() -> None:
    client = somebody()
    ask(client)
    cast.person(NEW)

    answer = client.post(link())

    assert answer.status_code == 410
    assert addresses() == {AMINA, NEW}


def test_link_of_another_person_is_not_valid_in_ones_own_session() -> None:
    ask(somebody())
    stranger = somebody("eve@cert.example", "192.0.2.66")

    answers = [stranger.get(link()), stranger.post(link())]

    assert [answer.status_code for answer in answers] == [410, 410]
    assert NEW not in "".join(answer.content.decode() for answer in answers)
    assert addresses() == {AMINA, "eve@cert.example"}


def test_link_is_for_those_who_are_wholly_signed_in() -> None:
    ask(somebody())
    half = cast.browser("192.0.2.20")
    cast.try_password(half, AMINA)

    answers = [cast.browser("192.0.2.21").post(link()), half.post(link())]

    assert [answer.headers["Location"] for answer in answers] == ["/account/login/"] * 2
    assert addresses() == {AMINA}


def test_link_works_once() -> None:
    client = somebody()
    ask(client)
    used = link()
    client.post(used)

    assert client.post(used).status_code == 410


def test_link_that_expired_is_not_valid() -> None:
    from tansiq.members.models import AddressChange

    client = somebody()
    ask(client)
    AddressChange.objects.update(expires_at=cast.now() - timedelta(seconds=1))

    assert client.post(link()).status_code == 410
    assert addresses() == {AMINA}


def test_earlier_link_stops_working_with_the_next() -> None:
    client = somebody()
    ask(client, "first@new.example")
    first = link()
    ask(client)

    assert (client.post(first).status_code, client.post(link()).status_code) == (410, 303)
    assert addresses() == {NEW}


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (AMINA, "amina@cert.example is your address already."),
        ("nobody", "Enter a valid email address."),
        ("a@b.example\r\nBcc: eve@cert.example", "Enter a valid email address."),
        ("", "This field is required."),
    ],
)
def test_address_that_cannot_be_is_refused_at_its_field(typed: str, said: str) -> None:
    answer = ask(somebody(), typed)

    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert letters() == []


def test_address_is_asked_for_with_recent_authentication() -> None:
    client = somebody()
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] = time.time() - 3600
    session.save()

    answer = ask(client)

    assert answer.headers["Location"].startswith("/account/reauthenticate/")
    assert letters() == []


def test_mailbox_that_had_enough_gets_no_more_and_the_page_is_the_same() -> None:
    client = somebody()

    answers = {ask(client).status_code for _time in range(8)}

    assert answers == {303}
    assert len(letters()) < 16


def test_erased_person_leaves_no_address_behind() -> None:
    from tansiq.core.viewer import Role, Seat, Viewer
    from tansiq.members.actions import people
    from tansiq.members.models import AddressChange, Person

    cast.person("head@cert.example", Role.HEAD)
    ask(somebody())
    secretariat = Viewer(person="P-GRACE", seats=frozenset({Seat.SECRETARIAT}))
    person = Person.objects.get(email=AMINA)

    people.erase(people.leave(person, by=secretariat, now=cast.now()), by=secretariat, now=cast.now())

    assert set(AddressChange.objects.values_list("email", flat=True)) == {""}
