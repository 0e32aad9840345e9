"""Who is looking. Built once, at the front door, from a session, an API key or a reason of the system's own."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person does in a team."""

    HEAD = "head"
    DUTY_OFFICER = "duty-officer"
    ANALYST = "analyst"
    KEEPER = "keeper"  # of constituencies
    OBSERVER = "observer"


class Seat(StrEnum):
    """What a person does for the federation."""

    SECRETARIAT = "secretariat"
    BOARD = "board"
    AUDITOR = "auditor"


class Scope(StrEnum):
    """What an API key may do; a session may do whatever its person may."""

    DIRECTORY_READ = "directory:read"
    DIRECTORY_WRITE = "directory:write"
    EVENTS_READ = "events:read"
    EVENTS_WRITE = "events:write"
    EXCHANGE_READ = "exchange:read"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whoever acts or reads. A person of two teams acts for one at a time, so there is one team, or none.

    Attributes:
        person: the person's code; empty for a guest, an API key of a team, and the system.
        team: code of the team acted for; empty for guests and for those who hold only a seat.
        roles: in that team.
        seats: of the federation; held beside any role.
        memberships: categories in force of that team's organisation (``full``, ``partner`` …), by the roster.
        community: the team belongs to the community that TLP:GREEN names: members and signed partners.
        epoch: number of the roster that says so; 0 while there is none.
        reason: why the system itself acts ("digest", "reminder"); empty for everybody else.
        key: name of the API key that speaks; empty for a session.
        scopes: what that key may do; None for a session, which has no such limit.
    """

    person: str = ""
    team: str = ""
    roles: frozenset[Role] = frozenset()
    seats: frozenset[Seat] = frozenset()
    memberships: frozenset[str] = frozenset()
    community: bool = False
    epoch: int = 0
    reason: str = ""
    key: str = ""
    scopes: frozenset[Scope] | None = None

    @classmethod
    def system(cls, *, because: str) -> Viewer:
        """The node's own work: it keeps the books, and content is no more open to it than to its home team."""
        return cls(reason=because)

    @property
    def nobody(self) -> bool:
        return not (self.person or self.team or self.reason)

    @property
    def name(self) -> str:
        """As the audit log writes it: codes only."""
        if self.reason:
            return f"system:{self.reason}"
        if self.key:
            return f"key:{self.team}/{self.key}"
        return self.person

    def holds(self, *roles: Role) -> bool:
        return not self.roles.isdisjoint(roles)

    def sits(self, *seats: Seat) -> bool:
        return not self.seats.isdisjoint(seats)

    def allows(self, scope: Scope) -> bool:
        return self.scopes is None or scope in self.scopes


NOBODY = Viewer()
"""Not signed in, or not wholly: without the second factor a session is nobody."""
