"""What can be wrong in a file of teams; each says what to write instead."""

from __future__ import annotations

from dataclasses import dataclass

from tansiq.core.errors import N_, TansiqError


class BadToml(TansiqError):
    code = "members.toml.syntax"
    message = N_("This is not TOML: {detail}.")
    remedy = N_("Correct this line; the form is in docs/reference/members-toml.md.")
    exit_code = 2


class NotUtf8(TansiqError):
    code = "members.toml.encoding"
    message = N_("The byte {byte} is not UTF-8.")
    remedy = N_("Save the file as UTF-8.")
    exit_code = 2


class UnknownKey(TansiqError):
    code = "members.key.unknown"
    message = N_("Nothing is called {key} here.")
    remedy = N_("Use {allowed}.")
    exit_code = 2


class MissingKey(TansiqError):
    code = "members.key.missing"
    message = N_("{key} is missing.")
    remedy = N_("Add {key}.")
    exit_code = 2


class WrongType(TansiqError):
    """The value is of another type than its key; each subclass says of which."""

    code = "members.value.type"
    remedy = N_("Write {example}.")
    exit_code = 2


class NotText(WrongType):
    message = N_("{value} is not text on one line, of {limit} characters at most.")


class NotAName(WrongType):
    message = N_("{value} is not a name.")


class NotAList(WrongType):
    message = N_("{value} is not a list.")


class NotATable(WrongType):
    message = N_("{value} is not a table.")


class NotTables(WrongType):
    message = N_("{value} is not a list of tables.")


class NotYesOrNo(WrongType):
    message = N_("{value} is neither true nor false.")


class NotAllowed(TansiqError):
    code = "members.value.unknown"
    message = N_("{value} is not known here.")
    remedy = N_("Use {allowed}.")
    exit_code = 2


class BadContact(TansiqError):
    code = "members.contact.malformed"
    message = N_("{value} is not a contact of kind {kind}.")
    remedy = N_("Write it like {example}.")
    exit_code = 2


class DoubleContact(TansiqError):
    code = "members.contact.double"
    message = N_("{value} is there already.")
    remedy = N_("Take one of the two out.")
    exit_code = 2


class DoubleTeam(TansiqError):
    code = "members.team.double"
    message = N_("{team} was described already on line {line}.")
    remedy = N_("Describe a team once; put all its claims there.")
    exit_code = 2


class DoubleClaim(TansiqError):
    code = "members.claim.double"
    message = N_("{value} was claimed already on line {line}, for a time that overlaps.")
    remedy = N_("Take one of the two out, or let the one end where the other begins.")
    exit_code = 2


class BackwardValidity(TansiqError):
    code = "members.claim.validity"
    message = N_("It ends ({until}) before it begins ({since}), or at that very moment.")
    remedy = N_("Write a valid_until after valid_from.")
    exit_code = 2


class NoTeams(TansiqError):
    code = "members.toml.empty"
    message = N_("The file names no team.")
    remedy = N_("Begin each team with a line [[team]]; the form is in docs/reference/members-toml.md.")
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong in the file; ``row`` is the number of its line, ``field`` the key within the team."""

    row: int | None
    team: str
    field: str
    error: TansiqError


class BadStatement(TansiqError):
    code = "members.file.refused"
    message = N_("{file} has mistakes ({count}); nothing was imported.")
    exit_code = 2

    def __init__(self, mistakes: list[Mistake], *, file: str = "") -> None:
        super().__init__(file=file, count=len(mistakes))
        self.mistakes = mistakes
