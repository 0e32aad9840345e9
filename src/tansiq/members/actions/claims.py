"""Constituency in the desk: a team proposes with evidence, the federation's keeper verifies or refuses, either ends."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from tansiq.audit.actions import record
from tansiq.core.claims import Kind
from tansiq.core.errors import N_, TansiqError
from tansiq.core.viewer import Viewer
from tansiq.members import rules, values
from tansiq.members.actions import numbering
from tansiq.members.changes import changed
from tansiq.members.mistakes import BackwardValidity
from tansiq.members.models import Claim, ClaimEvidence, Team
from tansiq.members.values import shown

TEXT_LIMIT, URL_LIMIT, DECISION_LIMIT = 4000, 500, 300


class NoEvidence(TansiqError):
    code = "members.claim.no_evidence"
    message = N_("Nothing says why the team answers for {value}.")
    remedy = N_("Name a document, or the address of one.")
    exit_code = 2


class BadEvidence(TansiqError):
    code = "members.claim.evidence"
    message = N_("{value} is no address of a document, or the text is longer than {limit} characters.")
    remedy = N_("Write an address that begins with https:// or http://, and a shorter text.")
    exit_code = 2


class ClaimedAlready(TansiqError):
    code = "members.claim.claimed_already"
    message = N_("{team} claims {value} already, for a time that overlaps.")
    remedy = N_("End that claim first, or give this one a time after it.")
    exit_code = 2


@transaction.atomic
def propose_claim(
    team: Team,
    kind: Kind,
    value: str,
    *,
    evidence: str,
    by: Viewer,
    now: datetime,
    url: str = "",
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    decision: str = "",
) -> Claim:
    """Claim something for ``team``; it has no effect until it is verified.

    Raises: NotAllowed; what ``values.canonical`` raises; BackwardValidity, NoEvidence, BadEvidence, ClaimedAlready.
    """
    rules.may_propose_claim(team=team.code, by=by).require()
    value = values.canonical(kind, value, decided=bool(decision.strip()))
    if valid_from and valid_until and valid_from >= valid_until:
        raise BackwardValidity(since=valid_from.isoformat(), until=valid_until.isoformat())
    evidence, url = evidence.strip(), url.strip()
    _check(value, evidence, url)
    table = numbering.locked()
    if _meeting(team, kind, value, valid_from, valid_until).exists():
        raise ClaimedAlready(team=team.code, value=value)
    claim = Claim.objects.create(
        team=team, kind=kind, value=value, valid_from=valid_from, valid_until=valid_until, verified=False,
        source=by.name, decision=decision.strip()[:DECISION_LIMIT], stated_at=now,
    )  # fmt: skip
    ClaimEvidence.objects.create(claim=claim, text=evidence, url=url, proposed_by=by.name[:64])
    numbering.count_up(table)
    record("claim.proposed", claim, by=by, now=now, team_code=team.code, kind=kind, value=_code(value))
    changed(team.code, now=now)
    return claim


@transaction.atomic
def verify_claim(claim: Claim, *, note: str, by: Viewer, now: datetime) -> Claim:
    """Confirm: from now on the claim attributes, and attribution is compiled anew. Raises: NotAllowed; NoEvidence."""
    return _judge(claim, "verified", note=note, by=by, now=now)


@transaction.atomic
def refuse_claim(claim: Claim, *, note: str, by: Viewer, now: datetime) -> Claim:
    """Refuse with a note of why; the team may propose it again with better evidence. Raises: NotAllowed; NoEvidence."""
    return _judge(claim, "refused", note=note, by=by, now=now)


@transaction.atomic
def end_claim(claim: Claim, *, by: Viewer, now: datetime, why: str = "") -> None:
    """A verified claim ends now and keeps its past, for late reports; one without effect is withdrawn.

    Raises: NotAllowed.
    """
    rules.may_end_claim(team=claim.team.code, by=by).require()
    table = numbering.locked()
    live = Claim.objects.filter(Q(valid_until=None) | Q(valid_until__gt=now), pk=claim.pk, withdrawn_at=None)
    begun = claim.verified and not (claim.valid_from and claim.valid_from >= now)
    if live.update(valid_until=now) if begun else live.update(withdrawn_at=now):
        numbering.count_up(table)
        record("claim.ended", claim, by=by, now=now, why=why, team_code=claim.team.code, kind=claim.kind)
        changed(claim.team.code, now=now)
    claim.refresh_from_db()


@transaction.atomic
def decide_overlap(claim: Claim, decision: str, *, by: Viewer, now: datetime) -> Claim:
    """Record by which decision a claim stands inside another team's. Raises: NotAllowed; NoEvidence."""
    rules.may_judge_claim(team=claim.team.code, by=by, judged=False).require()
    if not decision.strip():
        raise NoEvidence(value=claim.value)
    table = numbering.locked()
    claim.decision = decision.strip()[:DECISION_LIMIT]
    claim.save(update_fields=["decision"])
    numbering.count_up(table)
    record("claim.overlap_decided", claim, by=by, now=now, team_code=claim.team.code, kind=claim.kind)
    changed(claim.team.code, now=now)
    return claim


def _judge(claim: Claim, outcome: str, *, note: str, by: Viewer, now: datetime) -> Claim:
    table = numbering.locked()
    claim = Claim.objects.select_related("team").get(pk=claim.pk)
    judged = claim.verified or claim.withdrawn_at is not None
    rules.may_judge_claim(team=claim.team.code, by=by, judged=judged).require()
    if not note.strip():
        raise NoEvidence(value=claim.value)
    if outcome == "verified":
        claim.verified = True
    else:
        claim.withdrawn_at = now
    claim.save(update_fields=["verified", "withdrawn_at"])
    ClaimEvidence.objects.update_or_create(
        claim=claim,
        defaults={"judged_by": by.name, "judged_at": now, "outcome": outcome, "note": note.strip()[:TEXT_LIMIT]},
        create_defaults={
            "proposed_by": claim.source[:64], "judged_by": by.name, "judged_at": now, "outcome": outcome,
            "note": note.strip()[:TEXT_LIMIT],
        },
    )  # fmt: skip
    numbering.count_up(table)
    record(f"claim.{outcome}", claim, by=by, now=now, team_code=claim.team.code, kind=claim.kind)
    changed(claim.team.code, now=now)
    return claim


def _check(value: str, evidence: str, url: str) -> None:
    if not evidence and not url:
        raise NoEvidence(value=value)
    web = url.startswith(("https://", "http://")) and url.isprintable() and " " not in url and len(url) <= URL_LIMIT
    if len(evidence) > TEXT_LIMIT or (url and not web):
        raise BadEvidence(value=shown(url), limit=TEXT_LIMIT)


def _meeting(team: Team, kind: str, value: str, since: datetime | None, until: datetime | None) -> object:
    """Claims of the same by the same team that are valid at some common moment."""
    rows = Claim.objects.filter(team=team, kind=kind, value=value, withdrawn_at=None)
    if since:
        rows = rows.filter(Q(valid_until=None) | Q(valid_until__gt=since))
    if until:
        rows = rows.filter(Q(valid_from=None) | Q(valid_from__lt=until))
    return rows


def _code(value: str) -> str:
    """Records hold codes of 200 characters at most; a longer name is found by the claim's id."""
    return value if len(value) <= 200 else ""
