"""The tables of the exchange."""

from tansiq.exchange.models.checks import CheckHeard, CheckResult, CheckRound, CheckSeen
from tansiq.exchange.models.files import Blob, BlobUse
from tansiq.exchange.models.links import (
    Alarm,
    Awaited,
    Comparison,
    Evidence,
    Life,
    Link,
    RosterProposal,
    RosterRecord,
    Serving,
    WayHeard,
)
from tansiq.exchange.models.objects import (
    MarkingSet,
    RecallHeard,
    RecallOrder,
    Recipient,
    SharedObject,
    Statement,
)
from tansiq.exchange.models.receiving import (
    AskHeard,
    InChannel,
    Junk,
    JunkCount,
    ObjectChange,
    ParkedBody,
    Position,
    Waiting,
    WaitingFor,
)
from tansiq.exchange.models.sending import OutboxRow, OutChannel, Sent

__all__ = [
    "Alarm",
    "AskHeard",
    "Awaited",
    "Blob",
    "BlobUse",
    "CheckHeard",
    "CheckResult",
    "CheckRound",
    "CheckSeen",
    "Comparison",
    "Evidence",
    "InChannel",
    "Junk",
    "JunkCount",
    "Life",
    "Link",
    "MarkingSet",
    "ObjectChange",
    "OutChannel",
    "OutboxRow",
    "ParkedBody",
    "Position",
    "RecallHeard",
    "RecallOrder",
    "Recipient",
    "RosterProposal",
    "RosterRecord",
    "Sent",
    "Serving",
    "SharedObject",
    "Statement",
    "Waiting",
    "WaitingFor",
    "WayHeard",
]
