"""A team's OpenPGP certificate: uploaded, withdrawn, and judged again every day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from tansiq.audit.actions import record
from tansiq.core.errors import N_, TansiqError
from tansiq.core.viewer import Viewer
from tansiq.members import rules
from tansiq.members.changes import changed
from tansiq.members.models import Contact, Team, TeamCertificate
from tansiq.members.queries.contacts import written_to
from tansiq.openpgp.certificate import Certificate, inspect, merged
from tansiq.openpgp.findings import Finding, check


class CertificateTaken(TansiqError):
    code = "members.certificate.taken"
    message = N_("Certificate {fingerprint} is held by {team}.")
    remedy = N_("A key belongs to one team: upload your own, or ask {team} to withdraw it.")
    exit_code = 2


class Unproven(TansiqError):
    code = "members.certificate.unproven"
    message = N_("Certificate {fingerprint} carries no valid signature of its own: anybody could have made it up.")
    remedy = N_("Export the key again from the program in which it was made.")
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Rechecked:
    """A certificate of which another thing is wrong than before.

    Attributes:
        team: code; ``names`` by language.
        findings: codes of all that is wrong now, the bad first; empty when it is good again.
        to: (mail address, language) of those who keep the team's entry; the language may be empty.
    """

    team: str
    names: dict[str, str]
    fingerprint: str
    findings: tuple[str, ...]
    to: tuple[tuple[str, str], ...]


@transaction.atomic
def upload_certificate(blob: bytes, *, team: Team, by: Viewer, now: datetime) -> TeamCertificate:
    """Keep the one certificate in ``blob`` as the team's, with what is wrong with it.

    A weak, expired or revoked one is kept and said to be so; it is not used. A newer copy of one that is kept is
    joined with it, so that a revocation once known stays known; what was withdrawn is back, and may be another team's.

    Raises: NotAllowed; whatever ``openpgp.certificate.inspect`` refuses; CertificateTaken; Unproven.
    """
    rules.may_keep_certificates(team=team.code, by=by).require()
    certificate = inspect(blob, now=now)
    kept = TeamCertificate.objects.select_for_update().filter(fingerprint=certificate.fingerprint).first()
    if kept is not None:
        if kept.team_id != team.pk and kept.withdrawn_at is None:
            raise CertificateTaken(fingerprint=kept.fingerprint, team=kept.team.code)
        certificate = merged(inspect(kept.armored.encode(), now=now), certificate, now=now)
    findings = _found(certificate, _addresses_of(team), now)
    if any(finding.code == "unbound" for finding in findings):
        raise Unproven(fingerprint=certificate.fingerprint)
    said = _said(certificate, findings, now)
    said |= {"team": team, "uploaded_by": by.name, "uploaded_at": now, "withdrawn_at": None}
    stored, _new = TeamCertificate.objects.update_or_create(fingerprint=certificate.fingerprint, defaults=said)
    record(
        "certificate.uploaded", team, by=by, now=now, fingerprint=stored.fingerprint, findings=_codes(stored.findings)
    )
    changed(team.code, now=now)
    return stored


@transaction.atomic
def withdraw_certificate(certificate: TeamCertificate, *, by: Viewer, now: datetime) -> None:
    """No longer the team's key; again changes nothing. Raises: NotAllowed."""
    rules.may_keep_certificates(team=certificate.team.code, by=by).require()
    if TeamCertificate.objects.filter(pk=certificate.pk, withdrawn_at=None).update(withdrawn_at=now):
        record("certificate.withdrawn", certificate.team, by=by, now=now, fingerprint=certificate.fingerprint)
        changed(certificate.team.code, now=now)


def recheck_all(now: datetime) -> list[str]:
    """Judge every certificate in use again: time passes, contacts change, and what was strong becomes weak.

    Returns: fingerprints of those of which another thing is wrong than before, for telling their teams.
    """
    return [changed.fingerprint for pk in in_use() if (changed := recheck(pk, now=now))]


def in_use() -> list[int]:
    """Keys of the certificates that are judged again; for the node's own work."""
    return list(TeamCertificate.objects.filter(withdrawn_at=None).order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def recheck(pk: int, *, now: datetime) -> Rechecked | None:
    """What is wrong now if its codes changed, once; else None. Call it in the transaction that queues the mail."""
    stored = TeamCertificate.objects.select_for_update().filter(pk=pk, withdrawn_at=None).first()
    if stored is None:
        return None
    before = _codes(stored.findings)
    try:
        certificate = inspect(stored.armored.encode(), now=now)
    except TansiqError:  # the library no longer reads what it once read
        findings: Sequence[Finding] = (Finding("unbound", "bad"),)
    else:
        findings = _found(certificate, _addresses_of(stored.team), now)
    stored.findings, stored.checked_at = list(map(asdict, findings)), now
    stored.save(update_fields=["findings", "checked_at"])
    after = _codes(stored.findings)
    if after == before:
        return None
    by = Viewer.system(because="recheck")
    record("certificate.rechecked", stored.team, by=by, now=now, fingerprint=stored.fingerprint, findings=after)
    team = stored.team
    return Rechecked(team.code, team.names, stored.fingerprint, tuple(after), written_to(team, now=now))


def _found(certificate: Certificate, addresses: Sequence[str], now: datetime) -> tuple[Finding, ...]:
    """Judged against whichever of the team's addresses it holds; against the first if it holds none."""
    judged = [check(certificate, address=address, now=now) for address in addresses or [""]]
    fitting = (findings for findings in judged if all(finding.code != "wrong_address" for finding in findings))
    return next(fitting, judged[0])


def _addresses_of(team: Team) -> list[str]:
    emails = Contact.objects.filter(team=team, kind="email").order_by("position")
    return list(emails.values_list("value", flat=True))


def _said(certificate: Certificate, findings: Sequence[Finding], now: datetime) -> dict[str, Any]:
    return {
        "version": certificate.version,
        "armored": certificate.armored,
        "addresses": list(certificate.addresses),
        "created_at": certificate.created_at,
        "expires_at": certificate.expires_at,
        "findings": list(map(asdict, findings)),
        "checked_at": now,
    }


def _codes(findings: Sequence[dict[str, Any]]) -> list[str]:
    return [finding["code"] for finding in findings]
