"""A register with three teams, a person of every kind, and something at every address of the portal.

What only some may see carries a marker: words that occur nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from factories import links, signin
from tansiq.core.text import Text
from tansiq.core.viewer import Role, Scope, Seat, Viewer

if TYPE_CHECKING:
    from django.test import Client

    from tansiq.members.models import Person, Team

CERTIFICATES = Path(__file__).parents[1] / "golden" / "openpgp"

PEOPLE: dict[str, tuple[str, Role | Seat | None, str]] = {
    "amina": ("XA-CERT", Role.ANALYST, "ar"),
    "khalid": ("XA-CERT", Role.KEEPER, "ar"),
    "salma": ("XA-CERT", Role.HEAD, "ar"),
    "omar": ("XA-CERT", Role.OBSERVER, "fr"),
    "moussa": ("XF-CERT", Role.DUTY_OFFICER, "fr"),
    "fatou": ("XF-CERT", Role.HEAD, "fr"),
    "grace": ("", Seat.SECRETARIAT, "en"),
    "auditor": ("", Seat.AUDITOR, "en"),
    "board": ("", Seat.BOARD, "en"),
    "rached": ("", None, "ar"),
}
"""Name -> team, role or seat, language. Rached is of no team."""
HALF, CLOSED, NOBODY = "half", "closed", "nobody"
EVERYBODY = (NOBODY, HALF, CLOSED, *PEOPLE)
"""Half has a password and no second factor; closed was signed in when the account was closed."""

# Markers: what each is, for whom it must show and for whom it may not, is said in the test of them.
HIDDEN_CONTACT = "night-desk-7f3a@xa.example"
PUBLIC_CONTACT = "hello@xa.example"
EVIDENCE = "Deed of the numbers, folio 7f3b"
REFUSAL = "Folio 7f3c names another"
KEY_NAME = "siem-7f3d"
INVITED = "newcomer-7f3e@xa.example"
NEW_ADDRESS = "salma-7f4a@xa.example"


def name_of(person: str) -> str:
    """As pages show it: one word that occurs nowhere else."""
    return f"{person.title()}7f3f"


@dataclass
class Federation:
    """What the seed made, by what the addresses of the portal ask for."""

    people: dict[str, Person]
    clients: dict[str, Client]
    values: dict[str | tuple[str, str], Any] = field(default_factory=dict)
    walks: dict[tuple[str, str], Any] = field(default_factory=dict)

    def ask(self, who: str, method: str, path: str, *, data: Any = None, strict: bool = False, **more: Any) -> Any:
        """The answer to one request; whatever it changed is as before afterwards. ``strict``: no token is let pass."""
        from django.db import transaction

        client = self.clients[who]
        cookies = {name: morsel.value for name, morsel in client.cookies.items()}
        client.handler.enforce_csrf_checks = strict
        with transaction.atomic():
            try:
                return getattr(client, method)(path, *([data] if data is not None else []), **more)
            finally:
                transaction.set_rollback(True)
                client.handler.enforce_csrf_checks = False
                client.cookies.clear()
                client.cookies.load(cookies)


def seeded() -> Federation:
    """Fill the register of the node that Django is connected to; sign everybody in."""
    teams = {code: signin.team_of(code) for code in ("XA-CERT", "XE-CERT", "XF-CERT")}
    people = {name: somebody(name, *PEOPLE[name]) for name in PEOPLE}
    for name in (HALF, CLOSED):
        people[name] = somebody(name, "XA-CERT", Role.HEAD, "en")
    values = filled(teams["XA-CERT"], teams["XF-CERT"], people)
    return Federation(people, sign_everybody_in(people), values)


def somebody(name: str, team: str, post: Role | Seat | None, language: str) -> Person:
    from tansiq.members.actions.appointments import grant
    from tansiq.members.actions.people import create_person
    from tansiq.web.signin.adapter import verify_address

    person = create_person(f"{name}@cert.example", name=name_of(name), language=language, invited_at=signin.now())
    if post is not None:
        held_in = signin.team_of(team) if team else None
        grant(person, post, team=held_in, granted_by="node", decision="", now=signin.now())
    person.set_password(signin.PASSWORD)
    person.save()
    verify_address(person)
    return person


def filled(xa: Team, xf: Team, people: dict[str, Person]) -> dict[str | tuple[str, str], Any]:
    from tansiq.members import actions
    from tansiq.members.actions import addresses
    from tansiq.members.actions.keys import create_key
    from tansiq.members.models import Appointment

    now, day = signin.now(), timedelta(days=1)
    head, keeper = acting("salma", people), acting("grace", people)
    contact = actions.add_contact(xa, kind="email", value=HIDDEN_CONTACT, post="primary", by=head, now=now)
    actions.add_contact(xa, kind="email", value=PUBLIC_CONTACT, public=True, by=head, now=now)
    shift = actions.put_on_duty(
        people["amina"], team=xa, since=now - day, until=now + day, by=acting("salma", people), now=now
    )
    asn = actions.propose_claim(xa, "asn", "64496", evidence=EVIDENCE, by=acting("khalid", people), now=now)
    held = actions.propose_claim(xa, "cidr", "192.0.2.0/24", evidence="the LIR", by=head, now=now)
    actions.verify_claim(held, note="seen", by=keeper, now=now)
    inner = actions.propose_claim(xf, "cidr", "192.0.2.0/25", evidence="a lease", by=acting("fatou", people), now=now)
    actions.verify_claim(inner, note="seen", by=keeper, now=now)
    refused = actions.propose_claim(xa, "domain", "refused.example", evidence="none", by=head, now=now)
    actions.refuse_claim(refused, note=REFUSAL, by=keeper, now=now)
    period = actions.open_period(xa, "full", decision="Minutes 7", by=keeper, now=now, since=now.date()).period
    actions.open_period(xf, "general", decision="Minutes 8", by=keeper, now=now, since=now.date())
    certificate = actions.upload_certificate((CERTIFICATES / "v4.asc").read_bytes(), team=xa, by=head, now=now)
    actions.write_section(
        xa, "3.1", Text(ar="نحمي شبكات البلد", en="We guard the networks", fr="Nous gardons"), by=head, now=now
    )
    actions.publish_profile(xa, by=head, now=now)
    key = create_key(KEY_NAME, team=xa, scopes=[Scope.DIRECTORY_READ], expires_at=now + 30 * day, by=head, now=now).key
    waiting, alarm = links.filled(now)
    check = links.asked_for(now)
    asked = addresses.ask_for_address(people["salma"], NEW_ADDRESS, by=head, now=now)
    invited = actions.invite(INVITED, post=Role.ANALYST, team=xa, by=head, now=now, name="Newcomer")
    return {
        "code": "XA-CERT",
        ("people_invite_again", "code"): invited.person.code,
        "number": contact.pk,
        "peer": "XE",
        ("exchange-alarm-end", "number"): alarm,
        ("exchange-waiting-one", "number"): waiting,
        ("exchange-retry", "number"): waiting,
        ("exchange-refuse", "number"): waiting,
        ("check-seen", "number"): check,
        ("duty-end", "number"): shift.pk,
        ("claim-end", "number"): asn.pk,
        ("claim-judge", "number"): asn.pk,
        ("claim-decide", "number"): held.pk,
        ("profile-version", "number"): 1,
        ("profile-section", "number"): "3.1",
        ("membership-standing", "number"): period.pk,
        ("membership-end", "number"): period.pk,
        ("membership-community", "number"): period.pk,
        "fingerprint": certificate.fingerprint,
        "language": "fr",
        "key": key.pk,
        ("account_confirm_email", "key"): "MQ:1",
        ("account_reset_password_from_key", "key"): "set-password",
        "uidb36": "1",
        "appointment": Appointment.objects.get(person=people["omar"]).pk,
        "token": invited.token,
        ("signin_enter", "token"): actions.sign_in_link(people["amina"], by=signin.SET_UP, now=now),
        ("address_confirm", "token"): asked.token,
        "session": 1,
        "pk": 1,
        "provider_id": "provider",
    }


def acting(name: str, people: dict[str, Person]) -> Viewer:
    team, post, _language = PEOPLE[name]
    return Viewer(
        person=people[name].code,
        team=team,
        roles=frozenset({post} if isinstance(post, Role) else ()),
        seats=frozenset({post} if isinstance(post, Seat) else ()),
    )


def sign_everybody_in(people: dict[str, Person]) -> dict[str, Client]:
    """By password and code, each from a place of their own; whoever is half in by password alone."""
    clients = {NOBODY: signin.browser("192.0.2.1")}
    for number, (name, person) in enumerate(people.items(), 2):
        if name == HALF:
            clients[name] = signin.browser(f"192.0.2.{number}")
            signin.try_password(clients[name], person.email)
        else:
            clients[name] = signin.signed_in(signin.with_app(person), f"192.0.2.{number}")
            clients[name].get("/whois/")  # the first page gives the session its last key
    people[CLOSED].is_active, people[CLOSED].left_at = False, signin.now()
    people[CLOSED].save()
    return clients
