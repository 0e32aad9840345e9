"""The cast: whoever a test about access is about, as the front door would build them."""

from __future__ import annotations

from tansiq.core import viewer
from tansiq.core.viewer import Role, Scope, Seat, Viewer


def person(
    name: str,
    *roles: Role,
    team: str = "",
    seats: tuple[Seat, ...] = (),
    community: bool | None = None,
) -> Viewer:
    """Somebody else. A team's people belong to the community unless said otherwise."""
    member = bool(team) if community is None else community
    return Viewer(
        person=f"P-{name.upper()}",
        team=team,
        roles=frozenset(roles),
        seats=frozenset(seats),
        memberships=frozenset({"full"}) if team and member else frozenset(),
        community=member,
        epoch=1 if member else 0,
    )


def key_of(team: str, *scopes: Scope, name: str = "siem", community: bool = True) -> Viewer:
    """An API key of ``team``."""
    return Viewer(team=team, key=name, scopes=frozenset(scopes), community=community)


AMINA = person("amina", Role.ANALYST, team="XA-CERT")  # reads Arabic
MOUSSA = person("moussa", Role.DUTY_OFFICER, team="XF-CERT")  # reads French
GRACE = person("grace", seats=(Seat.SECRETARIAT,))  # reads English
RACHED = person("rached")  # of a constituent of XA-CERT
NOBODY = viewer.NOBODY

CAST = {"Amina": AMINA, "Moussa": MOUSSA, "Grace": GRACE, "Rached": RACHED, "Nobody": NOBODY}
