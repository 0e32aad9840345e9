"""From figures to words: everything that the templates place, in one language and one form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tansiq.notices.defang import defang
from tansiq.notices.form import Form
from tansiq.notices.kinds import ADVICE
from tansiq.notices.period import Period
from tansiq.notices.summary import Kind, Subject, Summary, Top, Way
from tansiq.notices.triage import Dispute
from tansiq.notices.words import Words

MARKING = "TLP:AMBER"
"""Of every digest until events carry markings of their own: the receiving team and its constituents, need to know."""

MOST_ADVICE = 4


@dataclass(frozen=True, slots=True)
class Contents:
    """What one digest tells.

    Attributes:
        team: code, or None for the operator's triage digest.
        name: the team's name, and the language that the name is in.
        files: attachments beside the digest.
        unattributed: events that nobody answers for; of interest to the operator only.
    """

    team: str | None
    name: str
    name_language: str
    period: Period
    written_at: datetime
    summary: Summary
    disputes: Sequence[Dispute]
    files: Sequence[str]
    unattributed: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """Builds the templates' context. Every value it returns is a finished string, escaped where the form needs it."""

    words: Words
    form: Form

    def context(self, told: Contents) -> dict[str, Any]:
        return {
            "for_operator": told.team is None,
            "marking": self.form.tech(MARKING),
            "marking_note": self.words._("organisation and its clients, need to know"),
            "language": self.words.language,
            "direction": self.words.direction,
            **self.headings(),
            **self.opening(told),
            "kinds": [self.kind(kind) for kind in told.summary.kinds],
            "subjects": [self.subject(subject) for subject in told.summary.subjects],
            "malware": [self.top(top) for top in told.summary.malware],
            "networks": [self.top(top) for top in told.summary.networks],
            "ways": [self.way(way) for way in told.summary.ways if told.team],
            "disputes": [self.dispute(dispute) for dispute in told.disputes],
            "advice": self.advice(told),
            "files": [self.file(name) for name in told.files],
            "written": self.form.fill(
                self.words._("Written by Tansiq at {time}."), time=self.form.tech(self.words.time(told.written_at))
            ),
        }

    def headings(self) -> dict[str, str]:
        _ = self.words._
        return {
            "heading_kinds": _("What was seen, the worst first"),
            "heading_subjects": _("Look at these first"),
            "heading_malware": _("Malware"),
            "heading_networks": _("Networks"),
            "heading_ways": _("Why these events come to you"),
            "heading_disputes": _("Not decided: more than one team claims it"),
            "heading_advice": _("What to do next"),
            "heading_files": _("Attached"),
            "column_severity": _("Severity"),
            "column_kind": _("Kind"),
            "column_feed": _("Feed"),
            "column_events": _("Events"),
            "column_sightings": _("Sightings"),
            "column_addresses": _("Addresses"),
            "column_seen": _("First and last seen"),
            "column_subject": _("Address or name"),
            "column_malware": _("Malware"),
            "column_network": _("Network"),
            "column_claim": _("Claimed"),
            "column_teams": _("Teams"),
        }

    def opening(self, told: Contents) -> dict[str, Any]:
        _, fill, tech = self.words._, self.form.fill, self.form.tech
        since, until = (tech(self.words.time(time)) for time in (told.period.since, told.period.until))
        period = fill(_("Received from {since} until {until}"), since=since, until=until)
        if told.team is None:
            title = _("Triage: what no team could be named for")
        else:
            title = fill(_("Digest for {team}"), team=tech(told.team))
        return {
            "title": title,
            "plain_title": f"{told.team or '_triage'} {told.period.label}",
            "name": told.name,
            "name_language": told.name_language,
            "name_direction": "rtl" if told.name_language == "ar" else "ltr",
            "period": period,
            "so_far": _("The period is not over: this is what was received so far.")
            if told.period.until > told.written_at
            else "",
            "totals": self.totals(told.summary),
            "severities": self.severities(told.summary),
            "nothing": "" if told.summary.events else _("Nothing was received in this period."),
            "unattributed": self.unattributed(told),
        }

    def totals(self, summary: Summary) -> list[str]:
        figures = (
            (self.words.ngettext("{number} event", "{number} events", summary.events), summary.events),
            (self.words.ngettext("{number} sighting", "{number} sightings", summary.sightings), summary.sightings),
            (
                self.words.ngettext("{number} distinct address", "{number} distinct addresses", summary.addresses),
                summary.addresses,
            ),
        )
        return [self.form.fill(words, number=self.number(n)) for words, n in figures]

    def number(self, n: int) -> str:
        return self.form.strong(self.words.number(n))

    def severities(self, summary: Summary) -> list[dict[str, str]]:
        """Shares for the bar, each with its word: nothing is told by colour alone."""
        return [
            {
                "code": severity or "unstated",
                "line": self.form.fill(
                    self.words._("{severity}: {number}"),
                    severity=self.words.severity(severity),
                    number=self.words.number(n),
                ),
                "percent": f"{100 * n / summary.events:.2f}",
            }
            for severity, n in summary.by_severity().items()
        ]

    def unattributed(self, told: Contents) -> str:
        if told.team is not None:
            return ""
        sentence = self.words.ngettext(
            "{number} event is attributed to nobody: no claim covers it. It is kept; see it with {command}.",
            "{number} events are attributed to nobody: no claim covers them. They are kept; see them with {command}.",
            told.unattributed,
        )
        command = self.form.tech("tansiq events count --by country,attributed_by")
        return self.form.fill(sentence, number=self.number(told.unattributed), command=command)

    def kind(self, kind: Kind) -> dict[str, str]:
        class_, type_ = self.words.kind(kind.rsit_class, kind.rsit_type)
        return {
            "severity": self.words.severity(kind.severity),
            "severity_line": self.form.fill(
                self.words._("Severity: {severity}"), severity=self.words.severity(kind.severity)
            ),
            "severity_code": kind.severity or "unstated",
            "class": class_,
            "type": type_,
            "feed": self.form.tech(kind.feed),
            "events": self.words.number(kind.events),
            "sightings": self.words.number(kind.sightings),
            "addresses": self.words.number(kind.addresses),
            "first_seen": self.form.tech(self.words.time(kind.first_seen)),
            "last_seen": self.form.tech(self.words.time(kind.last_seen)),
            "line": self.form.fill(
                self.words._("{events}, {sightings}, {addresses}"),
                events=self.words.events(kind.events),
                sightings=self.words.sightings(kind.sightings),
                addresses=self.words.addresses(kind.addresses),
            ),
        }

    def subject(self, subject: Subject) -> dict[str, str]:
        return {
            "subject": self.form.tech(defang(subject.subject)),
            "type": self.words.kind(subject.rsit_class, subject.rsit_type)[1],
            "severity": self.words.severity(subject.severity),
            "severity_code": subject.severity or "unstated",
            "malware": self.form.tech(subject.malware) if subject.malware else "",
            "sightings": self.words.number(subject.sightings),
            "line": self.words.sightings(subject.sightings),
        }

    def top(self, top: Top) -> dict[str, str]:
        return {
            "name": self.form.tech(top.name),
            "detail": self.form.tech(top.detail) if top.detail else "",
            "events": self.words.number(top.events),
            "addresses": self.words.number(top.addresses),
            "line": self.form.fill(
                self.words._("{events}, {addresses}"),
                events=self.words.events(top.events),
                addresses=self.words.addresses(top.addresses),
            ),
        }

    def way(self, way: Way) -> str:
        return self.form.fill(
            self.words._("{way}: {events} (confidence {percent} %)"),
            way=self.words.way(way.attributed_by),
            events=self.words.events(way.events),
            percent=self.words.number(way.confidence_percent),
        )

    def dispute(self, dispute: Dispute) -> dict[str, str]:
        _, fill, tech = self.words._, self.form.fill, self.form.tech
        teams = [tech(team) for team in dispute.teams]
        if dispute.way == "contested" and len(teams) > 1:
            sentence = fill(
                _("{inner} claims it inside a claim of {outer}"), inner=teams[0], outer=self.joined(teams[1:])
            )
        elif dispute.way == "tie" and teams:
            sentence = fill(_("claimed alike by {teams}"), teams=self.joined(teams))
        else:
            sentence = tech(dispute.reason)
        return {
            "claim": tech(defang(dispute.value)),
            "sentence": sentence,
            "events": self.words.number(dispute.events),
            "sightings": self.words.number(dispute.sightings),
            "line": self.words.events(dispute.events),
        }

    def joined(self, items: Sequence[str]) -> str:
        """``XA-CERT, XE-CERT``: joined by the language's comma, still escaped."""
        comma = "، " if self.words.language == "ar" else ", "
        return self.form.fill(comma.join("{}" for _ in items), *items) if items else ""

    def advice(self, told: Contents) -> list[str]:
        _ = self.words._
        present = {kind.rsit_class for kind in told.summary.kinds}
        lines = [_(ADVICE[class_]) for class_ in ADVICE if class_ in present][:MOST_ADVICE]
        whois = self.form.tech("tansiq members whois")
        if told.team is None:
            return [
                _(
                    "Ask the teams involved to agree, and import their agreement as the claim's decision; later "
                    "events follow it."
                ),
                self.form.fill(_("See who claims what with {command}."), command=whois),
            ]
        if told.disputes:
            lines.append(
                _("Agree with the other team on the claims below, and tell the operator of this node what was decided.")
            )
        if told.summary.events:
            lines.append(
                _(
                    "If something here is not yours, tell the operator of this node: the claim that brought it to "
                    "you is in the column “reason”."
                )
            )
        return lines

    def file(self, name: str) -> dict[str, str]:
        _ = self.words._
        about = {
            "events.csv": _("all events of this digest, not defanged"),
            "events.json": _("the same events as JSON, one object a line"),
            "triage.csv": _("the events that are not decided"),
        }
        return {"name": self.form.tech(name), "about": about.get(name, "")}
