"""Which key is a team's. Certificates and fingerprints are public: they are worth something only when known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from tansiq.core.viewer import Viewer
from tansiq.members.models import TeamCertificate


@dataclass(frozen=True, slots=True)
class CertificateEntry:
    """A certificate as the directory shows it and hands it out.

    Attributes:
        armored: the content of the download, ``application/pgp-keys``; ``file_name`` its name.
        groups: the fingerprint as people read it out, in fours.
        findings: objects with code, severity and values, judged at ``checked_at``.
        usable: in use and nothing bad about it.
        current: the one to seal to.
    """

    id: int
    team: str
    fingerprint: str
    version: int
    addresses: tuple[str, ...]
    armored: str
    created_at: datetime
    expires_at: datetime | None
    findings: tuple[dict[str, Any], ...]
    checked_at: datetime
    uploaded_at: datetime
    withdrawn_at: datetime | None
    usable: bool
    current: bool

    @property
    def groups(self) -> str:
        return " ".join(self.fingerprint[place : place + 4] for place in range(0, len(self.fingerprint), 4))

    @property
    def file_name(self) -> str:
        return f"{self.team}-{self.fingerprint[-16:]}.asc"


def certificates_of(viewer: Viewer, team_code: str, *, now: datetime) -> list[CertificateEntry]:
    """All of a team that are in use, the current one first; its own people see those withdrawn too."""
    stored = TeamCertificate.objects.filter(team__code=team_code).select_related("team")
    if viewer.team != team_code:
        stored = stored.filter(withdrawn_at=None)
    rows = list(stored.order_by("-created_at", "fingerprint"))
    current = next((row.pk for row in rows if _usable(row, now)), None)
    entries = [_entry(row, now, current=row.pk == current) for row in rows]
    return sorted(entries, key=lambda entry: (not entry.current, entry.withdrawn_at is not None))


def certificate_of(viewer: Viewer, team_code: str, *, now: datetime) -> CertificateEntry | None:
    """The one that the directory hands out: the current one, else the newest in use with what is wrong with it."""
    entries = certificates_of(viewer, team_code, now=now)
    return next((entry for entry in entries if entry.withdrawn_at is None), None)


def current_key(team_code: str, *, now: datetime) -> TeamCertificate | None:
    """The certificate to seal to for a team: in use, nothing bad about it, made last. For the node's own work."""
    in_time = Q(expires_at=None) | Q(expires_at__gt=now)
    stored = TeamCertificate.objects.filter(in_time, team__code=team_code, withdrawn_at=None)
    return next((row for row in stored.order_by("-created_at", "fingerprint") if _usable(row, now)), None)


def _usable(row: TeamCertificate, now: datetime) -> bool:
    return row.withdrawn_at is None and not row.bad and (row.expires_at is None or row.expires_at > now)


def _entry(row: TeamCertificate, now: datetime, *, current: bool) -> CertificateEntry:
    return CertificateEntry(
        id=row.pk,
        team=row.team.code,
        fingerprint=row.fingerprint,
        version=row.version,
        addresses=tuple(row.addresses),
        armored=row.armored,
        created_at=row.created_at,
        expires_at=row.expires_at,
        findings=tuple(row.findings),
        checked_at=row.checked_at,
        uploaded_at=row.uploaded_at,
        withdrawn_at=row.withdrawn_at,
        usable=_usable(row, now),
        current=current,
    )
