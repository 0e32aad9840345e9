"""A node with two teams and the cast, for the browser tests. Run in a process of its own, in the node's environment."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from factories import signin
from tansiq.cli import first_start, node
from tansiq.core.viewer import Role, Seat

PEOPLE = {
    "amina": ("XA-CERT", Role.ANALYST, "ar"),
    "hanan": ("XA-CERT", Role.HEAD, "ar"),
    "moussa": ("XF-CERT", Role.DUTY_OFFICER, "fr"),
    "grace": ("", Seat.SECRETARIAT, "en"),
    "rached": ("", None, "ar"),
}
"""Name, and with it ``name@cert.example``; team, role or seat, language. Rached is of no team."""


def seed() -> None:
    node.opened(pages=True)
    from tansiq.members.actions.appointments import grant
    from tansiq.members.actions.people import create_person
    from tansiq.web.signin.adapter import verify_address

    first_start.named(first_start.Wishes("XA-CERT", "XA-CERT", "en", "XA-CERT"), now=signin.now())
    for name, (team, post, language) in PEOPLE.items():
        person = create_person(f"{name}@cert.example", name=name.title(), language=language, invited_at=signin.now())
        if post is not None:
            held_in = signin.team_of(team) if team else None
            grant(person, post, team=held_in, granted_by="node", decision="", now=signin.now())
        person.set_password(signin.PASSWORD)
        person.save()
        verify_address(person)
        signin.with_app(person)


if __name__ == "__main__":
    seed()
