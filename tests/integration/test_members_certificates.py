"""Certificates of teams: who may put them there, what becomes of bad ones, and which one is used."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from people import AMINA, GRACE, MOUSSA, NOBODY, RACHED, key_of, person
from tansiq.core.decision import NotAllowed
from tansiq.core.errors import TansiqError
from tansiq.core.viewer import Role, Scope, Viewer

if TYPE_CHECKING:
    from tansiq.members.models import Team, TeamCertificate

pytestmark = pytest.mark.usefixtures("database")

GOLDEN = Path(__file__).parents[1] / "golden" / "openpgp"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=60)
SALMA = person("salma", Role.HEAD, team="XA-CERT")
KHALID = person("khalid", Role.KEEPER, team="XA-CERT")


def blob(name: str) -> bytes:
    return (GOLDEN / f"{name}.asc").read_bytes()


@pytest.fixture
def xa() -> Team:
    from tansiq.members.models import Contact, Team

    team = Team.objects.create(code="XA-CERT", name_en="CERT of XA", country="XA")
    Contact.objects.create(team=team, position=0, kind="phone", value="+99955501")
    Contact.objects.create(team=team, position=1, kind="email", value="Cert@xa.example")
    return team


@pytest.fixture
def xf() -> Team:
    from tansiq.members.models import Team

    return Team.objects.create(code="XF-CERT", name_en="CERT of XF", country="XF")


def uploaded(name: str, team: Team, *, by: Viewer = SALMA, now: datetime = NOW) -> TeamCertificate:
    from tansiq.members.actions import upload_certificate

    return upload_certificate(blob(name), team=team, by=by, now=now)


def rows() -> list[tuple[str, str, str]]:
    from tansiq.audit.models import Entry

    found = Entry.objects.filter(verb__startswith="certificate.").order_by("number")
    return list(found.values_list("who", "verb", "item_id"))


def codes(stored: TeamCertificate) -> list[str]:
    return [finding["code"] for finding in stored.findings]


@pytest.mark.parametrize("by", [SALMA, KHALID, GRACE], ids=["head", "keeper", "Secretariat"])
def test_upload_by_those_who_may_is_kept_and_recorded(xa: Team, by: Viewer) -> None:
    stored = uploaded("v4", xa, by=by)

    assert (stored.team, stored.uploaded_by, stored.uploaded_at, stored.findings) == (xa, by.person, NOW, [])
    assert (stored.version, stored.addresses, stored.expires_at) == (4, ["cert@xa.example"], None)
    assert rows() == [(by.person, "certificate.uploaded", "XA-CERT")]


@pytest.mark.parametrize(
    "by", [AMINA, MOUSSA, RACHED, NOBODY, key_of("XA-CERT", Scope.DIRECTORY_WRITE)],
    ids=["analyst", "other team", "constituent", "nobody", "API key"],
)  # fmt: skip
def test_upload_by_others_is_refused_and_nothing_is_kept(xa: Team, by: Viewer) -> None:
    from tansiq.members.models import TeamCertificate

    with pytest.raises(NotAllowed):
        uploaded("v4", xa, by=by)

    assert (TeamCertificate.objects.count(), rows()) == (0, [])


def test_upload_of_a_secret_key_is_refused_and_nothing_is_kept(xa: Team) -> None:
    from tansiq.members.models import TeamCertificate

    with pytest.raises(TansiqError) as refused:
        uploaded("secret", xa)

    assert (refused.value.code, TeamCertificate.objects.count(), rows()) == ("openpgp.secret_key", 0, [])


def test_upload_that_nothing_holds_together_is_refused(xa: Team) -> None:
    from tansiq.members.actions import Unproven, upload_certificate
    from tansiq.openpgp.armor import binary
    from tansiq.openpgp.packets import packets

    bare = b"".join(packet.framed() for packet in list(packets(binary(blob("v4"))))[:2])

    with pytest.raises(Unproven):
        upload_certificate(bare, team=xa, by=SALMA, now=NOW)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("rsa1024", ["weak"]), ("expired", ["expired"]), ("revoked", ["revoked"]), ("wrong_address", ["wrong_address"])],
)
def test_upload_of_a_bad_one_is_kept_said_and_not_used(xa: Team, name: str, expected: list[str]) -> None:
    from tansiq.members import queries

    stored = uploaded(name, xa)

    assert codes(stored) == expected
    assert queries.current_key("XA-CERT", now=NOW) is None
    shown = queries.certificate_of(NOBODY, "XA-CERT", now=NOW)
    assert shown is not None
    assert (shown.fingerprint, shown.usable, shown.current) == (stored.fingerprint, False, False)


def test_upload_for_a_team_without_mail_address_judges_none(xf: Team) -> None:
    assert uploaded("wrong_address", xf, by=MOUSSA).findings == []


def test_upload_again_is_one_certificate(xa: Team) -> None:
    from tansiq.members.models import TeamCertificate

    first = uploaded("v4", xa)
    again = uploaded("v4", xa, by=GRACE, now=LATER)

    assert (again.pk, again.armored, again.uploaded_at) == (first.pk, first.armored, LATER)
    assert TeamCertificate.objects.count() == 1


def test_upload_of_an_older_copy_does_not_unmake_a_revocation(xa: Team) -> None:
    from tansiq.members.actions import upload_certificate
    from tansiq.openpgp.armor import binary
    from tansiq.openpgp.structure import structures

    uploaded("revoked", xa)
    older, *_rest = structures(binary(blob("revoked")))
    older.parts[0].kept.clear()

    stored = upload_certificate(older.binary(), team=xa, by=SALMA, now=LATER)

    assert codes(stored) == ["revoked"]


def test_upload_of_another_teams_certificate_is_refused_until_withdrawn(xa: Team, xf: Team) -> None:
    from tansiq.members.actions import CertificateTaken, withdraw_certificate

    stored = uploaded("v4", xa)
    with pytest.raises(CertificateTaken) as refused:
        uploaded("v4", xf, by=MOUSSA)
    withdraw_certificate(stored, by=SALMA, now=NOW)

    moved = uploaded("v4", xf, by=MOUSSA)

    assert refused.value.values == {"fingerprint": stored.fingerprint, "team": "XA-CERT"}
    assert (moved.pk, moved.team, moved.withdrawn_at) == (stored.pk, xf, None)


def test_withdraw_leaves_no_key_and_only_the_team_sees_it(xa: Team) -> None:
    from tansiq.members import queries
    from tansiq.members.actions import withdraw_certificate

    stored = uploaded("v4", xa)

    withdraw_certificate(stored, by=KHALID, now=LATER)
    withdraw_certificate(stored, by=KHALID, now=LATER)

    assert queries.current_key("XA-CERT", now=LATER) is None
    assert queries.certificate_of(NOBODY, "XA-CERT", now=LATER) is None
    assert [entry.withdrawn_at for entry in queries.certificates_of(AMINA, "XA-CERT", now=LATER)] == [LATER]
    assert queries.certificates_of(MOUSSA, "XA-CERT", now=LATER) == []
    assert [verb for _who, verb, _item in rows()] == ["certificate.uploaded", "certificate.withdrawn"]


def test_withdraw_by_another_team_is_refused(xa: Team) -> None:
    from tansiq.members.actions import withdraw_certificate

    stored = uploaded("v4", xa)

    with pytest.raises(NotAllowed):
        withdraw_certificate(stored, by=MOUSSA, now=LATER)


def test_current_key_is_the_newest_without_anything_bad_at_the_moment(xa: Team) -> None:
    from tansiq.members import queries

    v4, soon = uploaded("v4", xa), uploaded("expires_soon", xa)
    uploaded("revoked", xa)

    assert queries.current_key("XA-CERT", now=NOW) == soon
    assert queries.current_key("XA-CERT", now=LATER) == v4
    assert queries.current_key("XF-CERT", now=NOW) is None


def test_certificate_of_for_nobody_gives_the_download_that_gnupg_and_we_read(xa: Team) -> None:
    from tansiq.members import queries
    from tansiq.openpgp.certificate import inspect

    stored = uploaded("v4", xa)

    entry = queries.certificate_of(NOBODY, "XA-CERT", now=NOW)

    assert entry is not None
    assert inspect(entry.armored.encode(), now=NOW).fingerprint == stored.fingerprint
    assert entry.file_name == f"XA-CERT-{stored.fingerprint[-16:]}.asc"
    assert (entry.groups.replace(" ", ""), entry.groups[4], entry.current) == (stored.fingerprint, " ", True)


def test_certificates_of_costs_one_query_with_one_and_three_rows(xa: Team) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from tansiq.members import queries

    counts = []
    for names in (["v4"], ["rsa2048", "sha1"]):
        for name in names:
            uploaded(name, xa)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            found = queries.certificates_of(NOBODY, "XA-CERT", now=NOW)
        counts.append((len(found), len(captured)))

    assert counts == [(1, 1), (3, 1)]


def test_recheck_all_after_time_passed_says_what_changed_once(xa: Team) -> None:
    from tansiq.members.actions import recheck_all

    stored = uploaded("expires_soon", xa)
    uploaded("v4", xa)

    changed, again = recheck_all(LATER), recheck_all(LATER + timedelta(days=1))

    stored.refresh_from_db()
    assert (changed, again) == ([stored.fingerprint], [])
    assert (codes(stored), stored.checked_at) == (["expired"], LATER + timedelta(days=1))
    assert rows()[-1] == ("system:recheck", "certificate.rechecked", "XA-CERT")


def test_recheck_all_after_the_team_changed_its_address_says_so(xa: Team) -> None:
    from tansiq.members.actions import recheck_all
    from tansiq.members.models import Contact

    stored = uploaded("v4", xa)
    Contact.objects.filter(team=xa, kind="email").update(value="soc@xa.example")

    recheck_all(LATER)

    stored.refresh_from_db()
    assert stored.findings == [{"code": "wrong_address", "severity": "bad", "values": {"address": "soc@xa.example"}}]
