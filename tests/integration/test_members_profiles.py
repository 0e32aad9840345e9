"""Profiles: drafted by the team, published for everybody, never changed afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from people import AMINA, GRACE, MOUSSA, NOBODY
from tansiq.core.decision import NotAllowed
from tansiq.core.text import Text
from tansiq.core.viewer import Role

if TYPE_CHECKING:
    from tansiq.members.models import Team

pytestmark = pytest.mark.usefixtures("database")

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=30)
HEAD = replace(AMINA, roles=frozenset({Role.HEAD}))
MISSION = Text(en="We answer for XA.", ar="نستجيب لحوادث XA.")


@pytest.fixture
def xa() -> Team:
    from tansiq.members.models import Team

    return Team.objects.create(code="XA-CERT", name_en="CERT of XA", country="XA")


def test_published_version_stays_as_it_was_when_words_and_facts_change(xa: Team) -> None:
    from tansiq.members import actions, queries

    actions.add_contact(xa, kind="email", value="public@cert.example", public=True, by=HEAD, now=NOW)
    actions.add_contact(xa, kind="email", value="inner@cert.example", by=HEAD, now=NOW)
    actions.write_section(xa, "3.1", MISSION, by=HEAD, now=NOW)
    actions.publish_profile(xa, by=HEAD, now=NOW)
    actions.write_section(xa, "3.1", Text(en="Something else."), by=HEAD, now=LATER)
    xa.contacts.all().delete()

    first = queries.published_profile(NOBODY, "XA-CERT")
    draft = queries.profile_draft(HEAD, "XA-CERT", now=LATER)
    assert first and draft
    assert (first.number, first.sections) == (1, {"3.1": MISSION})
    assert first.facts.contacts == (("email", "public@cert.example"),)
    assert draft.changed and draft.profile.facts.contacts == ()
    actions.publish_profile(xa, by=HEAD, now=LATER)
    assert [version.number for version in queries.profile_versions(NOBODY, "XA-CERT")] == [2, 1]
    assert queries.published_profile(NOBODY, "XA-CERT", number=1) == first


@pytest.mark.parametrize("by", [AMINA, MOUSSA, GRACE, NOBODY])
def test_profile_is_written_and_published_by_the_teams_head_or_keeper_alone(xa: Team, by: object) -> None:
    from tansiq.members import actions, queries

    with pytest.raises(NotAllowed):
        actions.write_section(xa, "3.1", MISSION, by=by, now=NOW)  # type: ignore[arg-type]
    with pytest.raises(NotAllowed):
        actions.publish_profile(xa, by=by, now=NOW)  # type: ignore[arg-type]
    assert queries.profile_draft(by, "XA-CERT", now=NOW) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("number", ["", "3", "8", "3.9", "x" * 100])
def test_section_that_the_rfc_does_not_have_is_refused(xa: Team, number: str) -> None:
    from tansiq.members import actions
    from tansiq.members.actions.profiles import NoSuchSection

    with pytest.raises(NoSuchSection):
        actions.write_section(xa, number, MISSION, by=HEAD, now=NOW)


def test_words_too_long_or_not_to_be_shown_and_empty_profiles_are_refused(xa: Team) -> None:
    from tansiq.members import actions
    from tansiq.members.actions.profiles import BadWords, EmptyProfile

    with pytest.raises(BadWords):
        actions.write_section(xa, "3.1", Text(en="x" * 20_001), by=HEAD, now=NOW)
    with pytest.raises(BadWords):
        actions.write_section(xa, "3.1", Text(en="a\x1b[31mb"), by=HEAD, now=NOW)
    with pytest.raises(EmptyProfile):
        actions.publish_profile(xa, by=HEAD, now=NOW)
