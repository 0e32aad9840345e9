"""Who may say which key is a team's."""

from __future__ import annotations

from tansiq.core.decision import YES, Decision, no
from tansiq.core.viewer import Role, Seat, Viewer

KEEPERS = (Role.HEAD, Role.DUTY_OFFICER, Role.KEEPER)


def may_keep_certificates(*, team: str, by: Viewer) -> Decision:
    """The team's head, duty officers and keeper, and the Secretariat; no API key, since whoever chooses the key reads
    the mail."""
    if by.key:
        return no("members.certificate.by_key", team=team)
    if by.sits(Seat.SECRETARIAT) or (by.team == team and by.holds(*KEEPERS)):
        return YES
    return no("members.certificate.not_of_team", team=team)
