"""Whose node this is and what it believes at this moment: passed to everything that works on its database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from tansiq.core.decision import Decision, no
from tansiq.core.marking import Marking
from tansiq.core.viewer import Role, Viewer
from tansiq.exchange.body import Envelope, Lane
from tansiq.exchange.channel import LIMITS, Limit
from tansiq.exchange.facts import Facts
from tansiq.exchange.kinds import KNOWN, Kinds, Writer, owner_of
from tansiq.exchange.sending import WINDOW
from tansiq.exchange.values import OBJECT
from tansiq.openpgp.sealing import Secret
from tansiq.sharing.recipients import ToPerson, ToTeam, decide_recipient


def no_blob(_digest: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Removed:
    """A node that a roster removed lately: what its recalls need (section 12).

    Attributes:
        epoch: of that roster. Later ones it is not given, so nothing is addressed to it under them.
        certificate: that is sealed to.
        team: that operated it; ``mail``: its exchange address. Empty where the roster before it was never here.
    """

    epoch: int
    certificate: bytes
    team: str = ""
    mail: str = ""


@dataclass(frozen=True)
class Here:
    """A node under one roster. Made anew when the roster or the keys change.

    Attributes:
        team: the operator's team: it speaks for the node (recalls, checks).
        members: nodes that may be sent to, this one among them.
        community: teams that TLP:GREEN names, by the roster.
        persons: person -> team, as far as this node's directory knows them; for markings that name persons.
        secrets: this node's secret keys, the present one first.
        platform: team -> the secret key with which it signs here; teams of this node only.
        certificates: node -> the certificate (binary) that is sealed to now.
        operators: node -> the team that runs it.
        mail: node -> its exchange address; only those that have one.
        removed: node -> what its recalls need; those of ``facts.former`` alone.
        suspended: by the roster: nothing goes to them, and nothing is recalled for that (section 12).
        has_blob: is the blob of this digest here, whole (check 5.21)?
    """

    code: str
    realm: str
    team: str
    facts: Facts
    members: frozenset[str]
    community: frozenset[str] = frozenset()
    persons: Mapping[str, str] = field(default_factory=dict)
    secrets: Sequence[Secret] = ()
    platform: Mapping[str, Secret] = field(default_factory=dict)
    certificates: Mapping[str, bytes] = field(default_factory=dict)
    operators: Mapping[str, str] = field(default_factory=dict)
    mail: Mapping[str, str] = field(default_factory=dict)
    removed: Mapping[str, Removed] = field(default_factory=dict)
    suspended: frozenset[str] = frozenset()
    kinds: Kinds = KNOWN
    limits: Mapping[Lane, Limit] = field(default_factory=lambda: dict(LIMITS))
    window: int = WINDOW
    has_blob: Callable[[str], bool] = no_blob

    @property
    def epoch(self) -> int:
        return self.facts.epoch

    @cached_property
    def peers(self) -> frozenset[str]:
        return self.members - {self.code}

    @cached_property
    def teams_of(self) -> Mapping[str, frozenset[str]]:
        """Node -> the teams that live on it."""
        found: dict[str, set[str]] = {}
        for team, node in self.facts.homes.items():
            found.setdefault(node, set()).add(team)
        return {node: frozenset(teams) for node, teams in found.items()}

    def certificate_of(self, node: str) -> bytes | None:
        """What is sealed to for a node, or for one that was removed lately."""
        gone = self.removed.get(node)
        return gone.certificate if gone else self.certificates.get(node)

    def address_of(self, node: str) -> str:
        """Where its mails go; empty: nowhere."""
        gone = self.removed.get(node)
        return gone.mail if gone else self.mail.get(node, "")

    def epoch_for(self, node: str) -> int:
        """Under which roster a node is addressed."""
        gone = self.removed.get(node)
        return gone.epoch if gone else self.epoch

    def secret_at(self, epoch: int) -> Secret:
        """The secret key of this node that was in force at ``epoch``, while it is kept; else the present one."""
        for secret in self.secrets:
            key = self.facts.node_keys.get(secret.fingerprint)
            if key and key.from_epoch <= epoch and (key.until_epoch is None or epoch < key.until_epoch):
                return secret
        return self.secrets[0]

    def lives_here(self, team: str) -> bool:
        return self.facts.homes.get(team) == self.code

    def may_have(self, node: str, markings: Sequence[Marking], now: datetime) -> Decision:
        """Do the markings let ``node`` have it (section 1.6)? The sharing decision for its teams and named persons.

        A team of the node is enough; for TLP:RED, and where persons are named, a named person of one of its teams who
        is not hosted by another's machine.
        """
        answer = no("sharing.unmarked")
        for team in sorted(self.teams_of.get(node, ())):
            answer = decide_recipient(markings, ToTeam(team, team in self.community), now)
            if answer:
                return answer
        named = {person for marking in markings for person in marking.audience.persons}
        for person in sorted(named):
            if self.facts.homes.get(team := self.persons.get(person, "")) == node:
                answer = decide_recipient(markings, self._to_person(person, team, node), now)
                if answer:
                    return answer
        return answer

    def _to_person(self, person: str, team: str, node: str) -> ToPerson:
        viewer = Viewer(person=person, team=team, roles=frozenset({Role.ANALYST}), community=team in self.community)
        return ToPerson(viewer, hosted_elsewhere=team != self.operators.get(node))

    def judge(self, now: datetime) -> Judged:
        """What the checks 5.16 to 5.19 ask."""
        return Judged(self, now)


@dataclass(frozen=True)
class Judged:
    """``facts.Judge`` for one node at one moment."""

    here: Here
    now: datetime

    def is_entitled(self, markings: Sequence[Marking], sent_at: datetime) -> bool:
        """5.16: by section 1.6, at the later of the clock here and the sender's: what is refused would never come again
        for a clock here that is some seconds behind. An own team gets its own back (section 11.1)."""
        return bool(self.here.may_have(self.here.code, markings, max(self.now, sent_at))) or any(
            self.here.lives_here(marking.origin) for marking in markings
        )

    def may_write(self, envelope: Envelope) -> bool:
        """5.17: the id begins with the author's team; what speaks for a node is its operator's."""
        if owner_of(envelope.object) != envelope.author.team:
            return False
        kind = self.here.kinds.get(envelope.kind)
        if kind is not None and kind.writer is Writer.NODE:
            return self.here.operators.get(envelope.sender) == envelope.author.team
        return True

    def knows(self, kind: str, schema: int) -> bool:
        return self.here.kinds.knows(kind, schema)

    def fits(self, envelope: Envelope, payload: object) -> bool:
        kind = self.here.kinds.get(envelope.kind)
        if kind is None or not kind.fits(payload):
            return False
        return all(OBJECT.fullmatch(one) for one in kind.references(payload))
