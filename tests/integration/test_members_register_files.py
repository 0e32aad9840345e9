"""The whole register out as a file, and in again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from people import AMINA, GRACE, MOUSSA, NOBODY
from tansiq.core.decision import NotAllowed
from tansiq.core.text import Text
from tansiq.core.viewer import Role, Viewer
from tansiq.members.mistakes import BadStatement
from tansiq.members.statement import read
from tansiq.members.written import written

if TYPE_CHECKING:
    from conftest import Run
    from tansiq.members.actions import Imported
    from tansiq.members.models import Team

pytestmark = pytest.mark.usefixtures("database")

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=30)
HEAD = replace(AMINA, roles=frozenset({Role.HEAD}))
OPERATOR = Viewer(person="operator")
KEY_MISSING, UNKNOWN = "members.key.missing", "members.value.unknown"
GOLDEN = Path(__file__).parents[1] / "golden" / "openpgp"


@pytest.fixture
def xa() -> Team:
    """A team of which the register keeps something of every sort."""
    from tansiq.members import actions
    from tansiq.members.models import Team

    team = Team.objects.create(code="XA-CERT", name_en="CERT of XA", country="XA", source="accession file 12")
    head = actions.invite("h@cert.example", post=Role.HEAD, team=team, by=GRACE, now=NOW, name="Salma", language="ar")
    actions.add_contact(
        team, kind="email", value="cert@xa.example", post="primary", public=True, person=head.person, by=HEAD, now=NOW
    )
    period = actions.open_period(team, "full", decision="Board 3", since=date(2020, 5, 1), by=GRACE, now=NOW).period
    actions.set_standing(period, "suspended", since=date(2025, 1, 1), decision="Board 9", by=GRACE, now=NOW)
    actions.write_section(team, "3.1", Text(en="We answer.\n\nFor XA.", ar="نستجيب"), by=HEAD, now=NOW)
    actions.upload_certificate((GOLDEN / "v4.asc").read_bytes(), team=team, by=HEAD, now=NOW)
    claim = actions.propose_claim(team, "cidr", "192.0.2.0/24", evidence="decree", by=HEAD, now=NOW)
    actions.verify_claim(claim, note="read", by=GRACE, now=NOW)
    actions.propose_claim(team, "domain", "gov.example", evidence="decree", by=HEAD, now=NOW)
    return team


def exported(team: str = "", now: datetime = LATER) -> str:
    from tansiq.members import queries

    return written(queries.export(OPERATOR, now=now, team=team))


def imported(document: str, *, now: datetime = LATER, by: Viewer = OPERATOR) -> Imported:
    from tansiq.members.actions import import_statement

    return import_statement(read(document), now=now, by=by)


def test_export_imported_where_it_came_from_changes_nothing(xa: Team) -> None:
    from tansiq.members import queries

    document = exported("XA-CERT")
    before = queries.claims_version()

    counts = imported(document).counts

    assert counts.teams == {"new": 0, "changed": 0, "unchanged": 1}
    assert queries.claims_version() == before
    assert exported("XA-CERT") == document


def test_export_imported_into_another_register_is_the_same_there(xa: Team) -> None:
    from tansiq.members import models, queries

    document = exported("XA-CERT")
    for model in (models.MembershipPeriod, models.TeamCertificate, models.Appointment, models.ClaimEvidence):
        model.objects.filter(**({"claim__team": xa} if model is models.ClaimEvidence else {"team": xa})).delete()
    models.Claim.objects.filter(team=xa).delete()
    models.Invitation.objects.all().delete()
    models.Contact.objects.filter(team=xa).delete()
    models.Person.objects.all().delete()
    xa.delete()

    counts = imported(document).counts

    assert counts.teams == {"new": 1, "changed": 0, "unchanged": 0}
    assert exported("XA-CERT") == document
    assert queries.memberships_of("XA-CERT", day=date(2024, 1, 1)) == ({"full"}, True)
    (person,) = models.Person.objects.all()
    assert (person.has_usable_password(), person.contacts.count(), models.Invitation.objects.count()) == (False, 1, 0)


def test_export_has_no_secrets(xa: Team) -> None:
    document = exported()

    assert document.count("[[team]]") == 31
    assert "h@cert.example" in document and "PUBLIC KEY BLOCK" in document
    assert not any(word in document for word in ("PRIVATE KEY", "token", "password", "argon2"))


@pytest.mark.parametrize(("by", "team", "allowed"), [
    (OPERATOR, "", True), (GRACE, "", True), (HEAD, "XA-CERT", True), (HEAD, "", False),
    (AMINA, "XA-CERT", False), (MOUSSA, "XA-CERT", False), (NOBODY, "XA-CERT", False),
])  # fmt: skip
def test_export_is_for_the_operator_the_secretariat_and_a_head_of_the_team(
    xa: Team, by: Viewer, team: str, allowed: bool
) -> None:
    from tansiq.members import queries

    if allowed:
        assert queries.export(by, now=NOW, team=team)
    else:
        with pytest.raises(NotAllowed):
            queries.export(by, now=NOW, team=team)


def test_import_with_people_is_for_the_operator_alone(xa: Team) -> None:
    document = exported("XA-CERT")

    with pytest.raises(NotAllowed, match=r"import\.people"):
        imported(document, by=GRACE)
    with pytest.raises(NotAllowed, match="not_secretariat"):
        imported('[[team]]\ncode = "XA-CERT"\nname = "x"\n', by=HEAD)


def test_import_that_is_silent_of_a_part_leaves_it_alone_and_an_empty_one_ends_it(xa: Team) -> None:
    from tansiq.members import queries

    name = '[[team]]\ncode = "XA-CERT"\nname = "CERT of XA"\n'
    imported(name)
    kept = exported("XA-CERT")
    imported(name + "periods = []\npeople = []\nprofile = {}\ncertificates = []\n")

    assert "Salma" in kept and "PGP" in kept and "We answer." in kept and '"full"' in kept
    assert exported("XA-CERT").partition("[team.claims]")[0].splitlines()[3:] == [
        'kind = "national"', "periods = []", "people = []", "certificates = []", "profile = {}",
    ]  # fmt: skip
    assert queries.periods_of(NOBODY, "XA-CERT", day=NOW.date()) == []


def test_import_keeps_the_confirmation_of_a_contact_that_stays(xa: Team) -> None:
    contact = 'contacts = [ { kind = "email", value = "cert@xa.example", role = "desk" } ]'
    imported(f'[[team]]\ncode = "XA-CERT"\nname = "CERT of XA"\n{contact}\n')

    (stored,) = xa.contacts.all()
    assert (stored.role, stored.confirmed_at) == ("desk", NOW)


@pytest.mark.parametrize(
    ("people", "code"),
    [
        ('{ code = "P-4F7K2M", email = "h@cert.example" }', "members.person.double"),
        ('{ code = "P-LEFT00", email = "l@cert.example" }', "members.person.code"),
        ('{ code = "P-0EFT00", email = "l@cert.example" }', "members.person.left"),
    ],
)
def test_import_of_a_person_who_clashes_is_refused_whole_with_the_line(xa: Team, people: str, code: str) -> None:
    from tansiq.members.models import Person

    Person.objects.create(code="P-0EFT00", email="l@cert.example", name="L", is_active=False, left_at=NOW)
    before = exported()

    with pytest.raises(BadStatement) as refused:
        imported(f'[[team]]\ncode = "XE-CERT"\nname = "x"\npeople = [\n  {people},\n]\n')

    (mistake,) = refused.value.mistakes
    assert (mistake.row, mistake.team, mistake.error.code) == (5, "XE-CERT", code)
    assert exported() == before


def test_import_with_a_mistake_in_row_4711_imports_nothing_and_names_it() -> None:
    from tansiq.members.models import Team

    teams = "".join(f'[[team]]\ncode = "XA-{i}"\nname = "x"\nclaims = {{ asn = [] }}\n\n' for i in range(942))
    document = teams + '[[team]]\ncode = "XE-1"\nname = "x"\nperiods = [{ category = "royal" }]\n'
    lines = document.splitlines()
    lines[4710 - 1 :] = ["[[team]]", 'code = "XE-1"', 'name = "x"']
    document = "\n".join(lines).replace('code = "XE-1"', 'code = "XE 1"') + "\n"
    before = Team.objects.count()

    with pytest.raises(BadStatement) as refused:
        imported(document)

    assert [(mistake.row, mistake.error.code) for mistake in refused.value.mistakes] == [(4711, "members.team.code")]
    assert Team.objects.count() == before


def test_import_of_what_is_no_certificate_is_refused_with_its_line(xa: Team) -> None:
    before = exported()

    with pytest.raises(BadStatement) as refused:
        imported('[[team]]\ncode = "XE-CERT"\nname = "x"\ncertificates = [\n  "nonsense",\n]\n')

    assert [(mistake.row, mistake.field) for mistake in refused.value.mistakes] == [(5, "certificates")]
    assert exported() == before


@pytest.mark.parametrize(
    ("line", "field", "code"),
    [
        ('periods = [{ category = "royal" }]', "periods.category", "members.value.unknown"),
        ('periods = [{ category = "full", since = "lately" }]', "periods.since", "members.day.malformed"),
        ('periods = [{ category = "full" }, { category = "full" }]', "periods", "members.period.double"),
        ('periods = [{ category = "full", standings = [{ state = "active" }] }]', "periods.standings", KEY_MISSING),
        ('people = [{ code = "X", email = "a@cert.example" }]', "people.code", "members.person.code"),
        ('people = [{ code = "P-4F7K2M", email = "a" }]', "people.email", "members.contact.malformed"),
        ('people = [{ code = "P-4F7K2M", email = "a@b.example", roles = ["king"] }]', "people.roles", UNKNOWN),
        ('profile = { "9.9" = { en = "x" } }', "profile.9.9", "members.profile.section"),
        ('profile = { "3.1" = 7 }', "profile.3.1", "members.value.type"),
        ("certificates = [7]", "certificates", "members.value.type"),
        ('contacts = [{ kind = "email", value = "a@b.example", post = "chief" }]', "contacts.post", UNKNOWN),
        ('contacts = [{ kind = "email", value = "a@b.example", public = 1 }]', "contacts.public", "members.value.type"),
    ],
)  # fmt: skip
def test_read_of_a_part_with_a_mistake_names_line_field_and_code(line: str, field: str, code: str) -> None:
    with pytest.raises(BadStatement) as refused:
        read(f'[[team]]\ncode = "XA-CERT"\nname = "x"\n{line}\n')

    assert [(m.row, m.field, m.error.code) for m in refused.value.mistakes] == [(4, field, code)]


def test_export_of_one_node_is_imported_by_another(run: Run, set_up_home: Path, tmp_path: Path) -> None:
    import shutil

    said = tmp_path / "teams.toml"
    said.write_text(
        '[[team]]\ncode = "XA-CERT"\nname = { ar = "فريق" }\nclaims = { asn = [64496] }\n'
        'contacts = [ { kind = "email", value = "a@cert.example", post = "primary", public = true } ]\n'
        'periods = [ { category = "commercial", since = "2021-03", decision = "Board 3" } ]\n'
        'people = [ { code = "P-4F7K2M", email = "a@cert.example", name = "A", roles = ["head"] } ]\n'
    )
    elsewhere = Path(shutil.copytree(set_up_home, tmp_path / "elsewhere"))
    run("members", "import", said)
    first = run("members", "export", "--team", "XA-CERT")
    (tmp_path / "exported.toml").write_text(first.stdout)

    run("members", "import", tmp_path / "exported.toml", at=elsewhere)
    second = run("members", "export", "--team", "XA-CERT", at=elsewhere)

    assert (first.returncode, second.returncode) == (0, 0)
    assert second.stdout == first.stdout
    assert 'since = "2021-03"' in first.stdout and "P-4F7K2M" in first.stdout


def test_export_of_a_team_that_is_not_here_says_so(run: Run) -> None:
    done = run("members", "export", "--team", "XX-NONE")

    assert (done.returncode, done.stdout) == (2, "")
    assert "There is no team XX-NONE in the register." in done.stderr


def test_import_that_only_the_register_can_refuse_names_file_and_line(run: Run, tmp_path: Path) -> None:
    said = tmp_path / "teams.toml"
    person = '{ code = "P-4F7K2M", email = "a@cert.example" }'
    said.write_text(f'[[team]]\ncode = "XA-CERT"\nname = "x"\npeople = [ {person} ]\n')
    run("members", "import", said)
    said.write_text(said.read_text().replace("P-4F7K2M", "P-ABCDE0"))

    done = run("members", "import", said)

    assert done.returncode == 2
    assert done.stderr.startswith(f"{said}:4: XA-CERT people: P-ABCDE0 is there already.")


def test_example_of_the_reference_is_read_without_a_mistake() -> None:
    reference = (Path(__file__).parents[2] / "docs" / "reference" / "members-toml.md").read_text()

    examples = [part.partition("```")[0] for part in reference.split("```toml")[1:]]

    assert [len(read(example).teams) for example in examples] == [1, 1]
