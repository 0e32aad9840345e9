"""Mistakes in what was typed, in the reader's language: the framework finds them, we say what they are."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from tansiq.core.errors import N_, TansiqError

if TYPE_CHECKING:
    from typer._click.core import Context
    from typer._click.exceptions import BadParameter, ClickException, UsageError
    from typer.core import _TyperParameter as Parameter

SEE_HELP = N_("`{command} --help` shows what it takes.")


class Misused(TansiqError):
    code = "usage"
    message = N_("`{command}` does not understand its arguments: {why}")
    remedy = SEE_HELP
    exit_code = 2


class UnknownOption(Misused):
    code = "usage.option.unknown"
    message = N_("`{command}` has no option {name}.")


class MistypedOption(UnknownOption):
    remedy = N_("Did you mean {near}? `{command} --help` shows all options.")


class UnknownCommand(Misused):
    code = "usage.command.unknown"
    message = N_("`{command}` has no command {name}.")
    remedy = N_("`{command} --help` shows all commands.")


class MistypedCommand(UnknownCommand):
    remedy = N_("Did you mean {near}? `{command} --help` shows all commands.")


class MissingCommand(Misused):
    code = "usage.command.missing"
    message = N_("`{command}` was not told what to do.")
    remedy = N_("`{command} --help` shows all commands.")


class MissingArgument(Misused):
    code = "usage.argument.missing"
    message = N_("`{command}` lacks its argument {name}.")


class TooManyArguments(Misused):
    code = "usage.argument.unexpected"
    message = N_("`{command}` has no use for the further argument {name}.")


class OptionWithoutValue(Misused):
    code = "usage.option.value_missing"
    message = N_("The option {name} needs a value.")
    remedy = N_("Write the value after it.")


class OptionWithValue(Misused):
    code = "usage.option.value_unexpected"
    message = N_("The option {name} takes no value.")
    remedy = N_("Leave out the equals sign and what stands after it.")


class BadValue(Misused):
    code = "usage.value.bad"
    message = N_("{value} is no value for {name}.")


class BadNumber(BadValue):
    remedy = N_("Give a whole number.")


class OutOfRange(BadValue):
    remedy = N_("Give a whole number from {least} to {most}.")


class BadChoice(BadValue):
    remedy = N_("Give one of: {allowed}.")


def mistake(error: ClickException) -> TansiqError:
    """What the framework refused, as an error of ours. Sentences of its own are passed on only where none of its
    kinds of error is known here."""
    from typer._click import exceptions as kinds

    context: Context | None = getattr(error, "ctx", None)
    command = context.command_path if context else "tansiq"
    if isinstance(error, kinds.NoSuchOption):
        near = ", ".join(sorted(error.possibilities or ()))
        return (MistypedOption if near else UnknownOption)(command=command, name=error.option_name, near=near)
    if isinstance(error, kinds.MissingParameter):
        return MissingArgument(command=command, name=shown(error.param) if error.param else error.message)
    if isinstance(error, kinds.BadOptionUsage):
        kind = OptionWithoutValue if "requires" in error.message else OptionWithValue
        return kind(name=error.option_name)
    if isinstance(error, kinds.BadParameter) and error.param is not None:
        return bad_value(error, error.param, command)
    if isinstance(error, kinds.UsageError) and context is not None:
        return misused(error, context)
    return Misused(command=command, why=error.format_message())


def misused(error: UsageError, context: Context) -> TansiqError:
    """The errors that have no class of their own, told apart by how their sentences begin."""
    command, said = context.command_path, error.message
    if said.startswith("No such command"):
        name = said.partition("'")[2].rpartition("'")[0].partition("'")[0]
        near = ", ".join(difflib.get_close_matches(name, getattr(context.command, "commands", {})))
        return (MistypedCommand if near else UnknownCommand)(command=command, name=name, near=near)
    if said.startswith("Missing command"):
        return MissingCommand(command=command)
    if said.startswith("Got unexpected extra argument"):
        return TooManyArguments(command=command, name=said.partition("(s) (")[2].removesuffix(")"))
    return Misused(command=command, why=error.format_message())


def bad_value(error: BadParameter, parameter: Parameter, command: str) -> TansiqError:
    value = given(error)
    if value is None:
        return Misused(command=command, why=error.format_message())
    kind = parameter.type_descriptor
    values: dict[str, Any] = {"command": command, "name": shown(parameter), "value": value}
    if kind.is_choice:
        return BadChoice(**values, allowed=", ".join(str(getattr(one, "value", one)) for one in kind.choices or ()))
    least, most = kind.parameter_info.min, kind.parameter_info.max
    if least is not None and most is not None:
        return OutOfRange(**values, least=least, most=most)
    return (BadNumber if "int" in str(kind.annotation) else BadValue)(**values)


def given(error: BadParameter) -> str | None:
    """The value that the framework's own check refused."""
    found = getattr(error.__cause__, "errors", list)()
    return str(found[0]["input"]) if found else None


def shown(parameter: Parameter) -> str:
    """An option's longest name, or what help calls an argument."""
    if parameter.param_type_name == "option":
        return max(parameter.opts, key=len)
    return parameter.display_name_raw
