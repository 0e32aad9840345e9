"""What the checks need to know of the federation and of this node: facts of the roster, passed in."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from tansiq.core.marking import Marking
from tansiq.exchange.body import Envelope


@dataclass(frozen=True, slots=True)
class NodeKey:
    """A certificate of a node (section 10).

    Attributes:
        fingerprint: capital hexadecimal.
        certificate: binary.
        until_epoch: the first epoch at which it is not the node's any more; None while it is.
        revoked: compromised: nothing that it signed is believed, whenever that was.
    """

    node: str
    fingerprint: str
    certificate: bytes
    from_epoch: int
    until_epoch: int | None = None
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class PlatformKey:
    """What a team signs with on one node, in one realm (section 4).

    Attributes:
        until_epoch: the first epoch at which it does not sign any more (rotation); what it signed before stays.
        struck: the team moved away, or the key is compromised: nothing that it signed is taken any more.
    """

    team: str
    node: str
    fingerprint: str
    certificate: bytes
    from_epoch: int
    until_epoch: int | None = None
    struck: bool = False

    def speaks_for(self, team: str, epoch: int) -> bool:
        """Could ``team`` sign with it under the roster of ``epoch``?"""
        in_time = self.from_epoch <= epoch and (self.until_epoch is None or epoch < self.until_epoch)
        return team == self.team and in_time and not self.struck


@dataclass(frozen=True, slots=True)
class Facts:
    """A roster as the checks see it, and whose node this is.

    Attributes:
        here: code of this node.
        node_keys: by fingerprint, those of the past among them.
        senders: nodes that may send (5.10).
        former: nodes removed less than 30 days ago: their recall receipts are taken (section 12).
        platform_keys: by fingerprint.
        homes: node of each team.
        forwarders: nodes that may send what was written elsewhere (5.14).
    """

    here: str
    realm: str
    epoch: int
    node_keys: Mapping[str, NodeKey]
    senders: Collection[str]
    platform_keys: Mapping[str, PlatformKey]
    homes: Mapping[str, str]
    former: Collection[str] = frozenset()
    forwarders: Collection[str] = frozenset()
    _believed: tuple[bytes, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        believed = tuple(key.certificate for key in self.node_keys.values() if not key.revoked)
        object.__setattr__(self, "_believed", believed)

    def believed_certificates(self) -> Sequence[bytes]:
        """Those whose signatures make a message more than junk (5.3)."""
        return self._believed


class Judge(Protocol):
    """What only the desks know: who is entitled, who owns what, which kinds there are."""

    def is_entitled(self, markings: Sequence[Marking], sent_at: datetime) -> bool:
        """Do the markings let this node have it, under the roster here (5.16)? An embargo that had ended for its
        sender, at ``sent_at``, has ended."""

    def may_write(self, envelope: Envelope) -> bool:
        """Does the author's team own the object, or may it write this kind to it (5.17)?"""

    def knows(self, kind: str, schema: int) -> bool:
        """Can this program read that (5.18)?"""

    def fits(self, envelope: Envelope, payload: Any) -> bool:
        """Is the payload what its kind's schema says (5.19)? ``payload`` is JSON as Python has it."""
