"""A federation of two teams, and the cast signed in at it. Dull and obvious."""

from __future__ import annotations

from typing import TYPE_CHECKING

from factories import signin
from tansiq.core.viewer import Role, Seat

if TYPE_CHECKING:
    from django.test import Client

POSTS: dict[str, tuple[str, Role | Seat]] = {
    "amina": ("XA-CERT", Role.ANALYST),
    "karim": ("XA-CERT", Role.KEEPER),
    "hanan": ("XA-CERT", Role.HEAD),
    "moussa": ("XF-CERT", Role.DUTY_OFFICER),
    "fatou": ("XF-CERT", Role.HEAD),
    "grace": ("", Seat.SECRETARIAT),
    "yusuf": ("", Seat.AUDITOR),
}


def at_door(name: str) -> Client:
    """The browser of one of the cast, wholly signed in by password and code; a guest's for ``nobody``."""
    from tansiq.members.actions.appointments import grant
    from tansiq.members.actions.people import create_person
    from tansiq.web.signin.adapter import verify_address

    if name == "nobody":
        return signin.browser()
    team, post = POSTS[name]
    held_in = signin.team_of(team) if team else None
    somebody = create_person(f"{name}@cert.example", name=name.title(), language="en", invited_at=signin.now())
    grant(somebody, post, team=held_in, granted_by="node", decision="", now=signin.now())
    somebody.set_password(signin.PASSWORD)
    somebody.save()
    verify_address(somebody)
    return signin.signed_in(signin.with_app(somebody))
