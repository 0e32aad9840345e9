"""The directory that comes with the program."""

from __future__ import annotations

from collections import Counter

from tansiq.core.text import LANGUAGES
from tansiq.members.shipped import shipped_directory


def test_shipped_states_are_57_named_in_three_languages() -> None:
    countries = shipped_directory().countries

    assert len({country.alpha2 for country in countries}) == len({country.alpha3 for country in countries}) == 57
    assert all(getattr(country.name, language) for country in countries for language in LANGUAGES)


def test_shipped_teams_are_named_in_three_languages_and_have_a_source_and_no_contacts() -> None:
    teams = shipped_directory().teams

    assert len(teams) == 30
    assert all(set(team.names) == set(LANGUAGES) and team.source and not team.contacts for team in teams)


def test_shipped_claims_are_countries_alone_each_of_one_team() -> None:
    claims = [claim for team in shipped_directory().teams for claim in team.claims]

    assert {claim.kind for claim in claims} == {"country"}
    assert set(Counter(claim.value for claim in claims).values()) == {1}


def test_shipped_claims_follow_entitlement_to_national_routing() -> None:
    claims = {claim.value: claim.team for team in shipped_directory().teams for claim in team.claims}

    assert claims["PK"] == "PK-NR3C"
    assert claims["AE"] == "AE-AECERT"
    assert "KR" not in claims
    assert set(claims) <= {country.alpha2 for country in shipped_directory().countries}


def test_shipped_memberships_speak_of_every_team_with_a_source() -> None:
    directory = shipped_directory()

    assert {said.team for said in directory.memberships} == {team.code for team in directory.teams}
    assert all(said.source for said in directory.memberships)


def test_shipped_memberships_that_contradict_stand_side_by_side() -> None:
    said = [row for row in shipped_directory().memberships if row.team == "BN-BRUCERT"]

    assert [(row.category, row.board) for row in said] == [("full", False), ("", True)]
