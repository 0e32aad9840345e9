"""Shapes of what programs send, and of the answers that the pages do not have. Those of the directory: its facts."""

from __future__ import annotations

from typing import Annotated, Literal

from ninja import Schema
from pydantic import AwareDatetime, ConfigDict, Field
from typing_extensions import TypedDict

from tansiq.core.claims import Kind
from tansiq.core.viewer import Role, Scope, Seat
from tansiq.members.actions.claims import DECISION_LIMIT, TEXT_LIMIT, URL_LIMIT
from tansiq.members.words import PERIOD_CATEGORIES
from tansiq.web.api.refusals import Told
from tansiq.web.directory.facts import CertificateFacts, ClaimFacts, ContactFacts, EntryFacts, MapFacts
from tansiq.web.whois.views import LONGEST

TARGETS = 1000
Category = Literal[*PERIOD_CATEGORIES, "none"]  # type: ignore[valid-type]


class Error(TypedDict):
    error: Told


class WhoisContact(TypedDict, total=False):
    kind: str
    value: str
    role: str
    hours: str
    post: str
    public: bool


class WhoisAnswer(TypedDict):
    """The object of ``tansiq members whois --json``; null where nothing is known."""

    target: str
    team: str | None
    country: str | None
    asn: int | None
    as_name: str | None
    prefix: str | None
    attributed_by: str
    confidence_percent: int
    reason: str
    contacts: list[WhoisContact]


class Unanswered(TypedDict):
    """A target that is none; the others are answered."""

    target: str
    error: Told


class Answers(TypedDict):
    """In the order of the targets."""

    answers: list[WhoisAnswer | Unanswered]


class Targets(Schema):
    model_config = ConfigDict(extra="forbid")

    targets: list[Annotated[str, Field(max_length=LONGEST)]] = Field(min_length=1, max_length=TARGETS)


class Teams(TypedDict):
    """``count``: of all that were found, on this page or not."""

    teams: list[EntryFacts]
    count: int
    limit: int
    offset: int


class Contacts(TypedDict):
    """As far as the asker may see them."""

    team: str
    contacts: list[ContactFacts]


class Certificate(CertificateFacts):
    """``current``: the one to encrypt to. ``findings``: what is wrong with it, as codes."""

    version: int
    created_at: str
    expires_at: str | None
    usable: bool
    findings: list[str]
    armored: str


class Certificates(TypedDict):
    """The current one first."""

    team: str
    certificates: list[Certificate]


class Countries(TypedDict):
    countries: list[MapFacts]


class Proposal(Schema):
    """``evidence`` or ``url`` says why the team answers for it."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    value: str = Field(min_length=1, max_length=LONGEST)
    evidence: str = Field("", max_length=TEXT_LIMIT)
    url: str = Field("", max_length=URL_LIMIT)
    decision: str = Field("", max_length=DECISION_LIMIT)
    valid_from: AwareDatetime | None = None
    valid_until: AwareDatetime | None = None


class Proposed(ClaimFacts):
    id: int
    team: str
    valid_from: str | None
    valid_until: str | None


class Asker(TypedDict):
    """``scopes``: null for a session, which has no such limit."""

    name: str
    team: str | None
    roles: list[Role]
    seats: list[Seat]
    scopes: list[Scope] | None
    categories: list[str]
    community: bool
