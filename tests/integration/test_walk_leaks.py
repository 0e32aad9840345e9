"""What only some may see is on no page, in no file and in no answer for anybody else.

Each marker is looked for everywhere, by everybody; that those who may see it do see it is asserted first.
"""

from __future__ import annotations

import pytest

from factories import federation, links, portal
from factories.federation import EVERYBODY, Federation, name_of

TEAM = {"amina", "khalid", "salma", "omar"}
OTHERS = {"moussa", "fatou"}
SEATS = {"grace", "auditor", "board"}
MEMBERS = TEAM | OTHERS | SEATS
OPERATORS = {"amina", "salma"}  # of the node: its team's observer and its keeper look after no links

MAY_SEE: dict[str, tuple[str, set[str]]] = {
    "a contact that is not public": (federation.HIDDEN_CONTACT, MEMBERS),
    "the evidence of a claim": (federation.EVIDENCE, TEAM | SEATS),
    "why a claim was refused": (federation.REFUSAL, TEAM | SEATS),
    "the name of an API key": (federation.KEY_NAME, {"salma", "auditor"}),
    "the address of somebody invited": (federation.INVITED, {"salma", "grace"}),
    "the address that somebody wants": (federation.NEW_ADDRESS, {"salma"}),
    "the name of who is on duty": (name_of("amina"), MEMBERS),
    "the name of a colleague": (name_of("khalid"), TEAM | {"grace"}),
    "the address of a colleague": ("khalid@cert.example", {"salma", "grace", "khalid"}),
    "the name of another team's officer": (name_of("moussa"), OTHERS | {"grace"}),
    "what is in something that waits": (links.SECRET, OPERATORS),
    "the name of an object on its way": (links.OURS, OPERATORS),
    "the name of a guest's object on its way": (links.GUESTS, OPERATORS | OTHERS),
}
"""What -> how it looks, who may come upon it."""
PLANTED = {"signin_enter", "signin_invitation"}  # they show a name to whoever holds the secret link


def seen(there: Federation, who: str) -> str:
    """All that the portal tells somebody, in whatever form."""
    asked = [place.path for place in portal.places(there.values) if place.name not in PLANTED]
    asked += [
        "/people/?team=XA-CERT",
        "/people/?team=XF-CERT",
        "/teams/XF-CERT/",
        "/teams/?search=XA",
        "/audit/?item=team",
    ]
    return "\n".join(b"".join(there.ask(who, "get", path)).decode("utf-8", "replace") for path in asked)


@pytest.mark.parametrize("what", MAY_SEE)
def test_what_only_some_may_see_is_shown_to_them_and_to_nobody_else(
    there: Federation, told: dict[str, str], what: str
) -> None:
    marker, may = MAY_SEE[what]

    came_upon = {who for who in EVERYBODY if marker in told[who]}

    assert came_upon == may


def test_public_contact_is_shown_to_everybody(told: dict[str, str]) -> None:
    assert [who for who in EVERYBODY if federation.PUBLIC_CONTACT not in told[who]] == []


@pytest.fixture(scope="module")
def told(there: Federation) -> dict[str, str]:
    return {who: seen(there, who) for who in EVERYBODY}
