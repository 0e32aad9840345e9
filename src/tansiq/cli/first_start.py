"""What a node is told when it starts for the first time: its code, its name, its language."""

from __future__ import annotations

import re
import socket
import sys
from dataclasses import dataclass
from datetime import datetime

import typer

from tansiq.cli.speech import say
from tansiq.core import language
from tansiq.core.errors import N_, TansiqError
from tansiq.core.language import _
from tansiq.core.text import LANGUAGES

NOT_IN_CODES = re.compile(r"[^A-Z0-9]+")


class NoSuchLanguage(TansiqError):
    code = "node.language.unknown"
    message = N_("{value} is no language of this program.")
    remedy = N_("Choose ar, en or fr.")
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the options say; empty where they say nothing."""

    code: str = ""
    name: str = ""
    language: str = ""
    team: str = ""
    secretariat: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """The node, and the first administrator's way in, for so many hours, as long as nobody has come in."""

    code: str
    name: str
    token: str
    hours: int = 0


def named(wishes: Wishes, *, now: datetime) -> Named:
    """The node as it was named before, else as the options, the person at the terminal or this machine name it.

    Raises: NoSuchLanguage, values.BadTeamCode.
    """
    from tansiq.members.actions.node import first_administrator
    from tansiq.members.actions.tokens import SIGN_IN_LINK_HOURS
    from tansiq.members.models import Node

    if wishes.language and wishes.language not in LANGUAGES:
        raise NoSuchLanguage(value=wishes.language)
    if (node := Node.objects.first()) is not None:
        if wishes != Wishes():
            say(_("This node is named already: {code}, {name}.").format(code=node.code, name=node.name))
        return Named(node.code, node.name, way_in(now=now), SIGN_IN_LINK_HOURS)
    given = asked(wishes) if sys.stdin.isatty() and sys.stderr.isatty() else assumed(wishes)
    first = first_administrator(
        code=given.code,
        name=given.name,
        language=given.language,
        team_code=given.team,
        hosts_secretariat=given.secretariat,
        now=now,
    )
    return Named(first.node.code, first.node.name, first.token, SIGN_IN_LINK_HOURS)


def way_in(*, now: datetime) -> str:
    """A new link for the first administrator while nobody has come in; the old one may be used up or lost."""
    from tansiq.members.actions.node import SET_UP
    from tansiq.members.actions.people import sign_in_link
    from tansiq.members.models import Person

    first = Person.objects.filter(is_active=True).order_by("pk").first()
    if first is None or Person.objects.filter(joined_at__isnull=False).exists():
        return ""
    return sign_in_link(first, by=SET_UP, now=now)


def asked(wishes: Wishes) -> Wishes:
    code = wishes.code or prompt(_("Code of this node, such as XA-CERT"), from_host()).upper()
    return Wishes(
        code=code,
        name=wishes.name or prompt(_("Its name, as people say it"), code),
        language=wishes.language or language_asked(),
        team=wishes.team,
        secretariat=wishes.secretariat,
    )


def language_asked() -> str:
    while (said := prompt(_("Its language: ar, en or fr"), language.spoken()).lower()) not in LANGUAGES:
        say(_(NoSuchLanguage.message).format(value=said))
    return said


def prompt(question: str, default: str) -> str:
    """Raises: KeyboardInterrupt: Ctrl-C, or the end of what is typed."""
    try:
        return str(typer.prompt(question, default=default, err=True)).strip()
    except typer.Abort:
        raise KeyboardInterrupt from None


def assumed(wishes: Wishes) -> Wishes:
    """Without a terminal nobody can be asked: what is missing is taken from this machine, and said."""
    code = wishes.code or from_host()
    given = Wishes(code, wishes.name or code, wishes.language or language.spoken(), wishes.team, wishes.secretariat)
    if not (wishes.code and wishes.name and wishes.language):
        text = _("Nobody to ask, so this node is {code}, named {name}, and speaks {language}.")
        say(text.format(code=given.code, name=given.name, language=given.language))
        say(_("Otherwise: {command}").format(command="tansiq up --code … --name … --language …"))
    return given


def from_host() -> str:
    """This machine's name in the form of a code."""
    code = NOT_IN_CODES.sub("-", socket.gethostname().partition(".")[0].upper()).strip("-")[:32]
    return code if len(code) >= 2 else "NODE"
