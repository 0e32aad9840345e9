"""The framework's own words on help pages, in the reader's language.

It has them as constants and defaults of its modules; they are replaced for the life of this process, before a page is
drawn. Costs the import of what draws pages, hence only where one may be asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from tansiq.core.language import _


def may_show_help(arguments: Sequence[str]) -> bool:
    """Whether a page is asked for, or a desk named without a verb, which shows its page."""
    return len(arguments) < 2 or "--help" in arguments


def dress_help() -> None:
    from typer import rich_utils
    from typer._click import core, decorators, formatting

    rich_utils.ARGUMENTS_PANEL_TITLE = _("Arguments")
    rich_utils.OPTIONS_PANEL_TITLE = _("Options")
    rich_utils.COMMANDS_PANEL_TITLE = _("Commands")
    rich_utils.REQUIRED_LONG_STRING = "[" + _("required") + "]"
    rich_utils.DEFAULT_STRING = _("[default: {}]")
    usage = _("Usage:") + " "
    rich_utils.OptionHighlighter.highlights[-1] = f"(?P<usage>{re.escape(usage)})"

    class Formatter(formatting.HelpFormatter):
        def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
            args = args.replace("[OPTIONS]", _("[OPTIONS]")).replace("COMMAND [ARGS]...", _("COMMAND [ARGS]..."))
            super().write_usage(prog, args, usage if prefix is None else prefix)

    plain = decorators.help_option

    def help_option(names: list[str]) -> Callable[[core.Command], core.Command]:
        def decorate(command: core.Command) -> core.Command:
            plain(names)(command)
            command.params[-1].help = _("Show this page and end.")  # type: ignore[attr-defined]
            return command

        return decorate

    core.Context.formatter_class = Formatter
    decorators.help_option = help_option
