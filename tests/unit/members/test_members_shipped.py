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


def test_shipped_periods_give_a_team_the_best_category_that_a_source_gives() -> None:
    periods = {period.team: period for period in shipped_directory().periods()}

    assert Counter(period.category for period in periods.values()) == {"full": 26, "general": 2, "commercial": 1}
    assert "KR-DUZON" not in periods
    assert (periods["PK-PISA"].category, periods["TR-CERT"].category) == ("general", "full")


def test_shipped_periods_begin_where_a_source_says_so_and_as_exactly() -> None:
    periods = {period.team: period for period in shipped_directory().periods() if period.since}

    assert {team: (str(period.since), period.since_precision) for team, period in periods.items()} == {
        "AE-HUAWEI": ("2021-03-01", "month"),
        "BD-EGOV-CIRT": ("2017-07-18", "day"),
    }


def test_shipped_statements_of_countries_have_those_that_the_table_does_not() -> None:
    directory = shipped_directory()
    countries = {team.country for team in directory.teams}
    listed = {said.country for said in directory.of_countries}

    assert listed - countries == {"GB", "US", "YE"}
    assert countries - listed == {"KG", "KR", "SO", "UG"}
    assert {said.note != "" for said in directory.of_countries if said.country in {"GB", "US", "YE"}} == {True}


def test_shipped_boards_of_2018_and_2024_are_whole() -> None:
    boards = {
        year: {said.team[:2] for said in shipped_directory().memberships if said.board and said.source.startswith(what)}
        for year, what in ((2018, "News of the Deputy Chair"), (2024, "Release naming"))
    }

    assert boards == {
        2018: {"ID", "OM", "MY", "EG", "AE", "IR", "AZ"},
        2024: {"OM", "MY", "AE", "ID", "AZ", "BN", "EG"},
    }
