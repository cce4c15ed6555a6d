"""Help in sections with examples at the end: one screen, or everything."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from importlib import import_module
from typing import Any, NamedTuple

import click
from click.core import ParameterSource

from mnv2cli.cli.terminal.suggest import did_you_mean, long_option

_SHORT_EXAMPLES = 3
_ALL = "mnv2.help_all"  # key in the context: set while --help-all is shown
CONFIGURE = "mnv2.configure"
"""Key in the context: called with the context and what was typed, before values are processed."""
_RANGE = re.compile(r"(; |\[)[\d.]*<?=?x(?:[<>]=?[\d.]+)?\]$")  # click's, as in [0<=x<=1]


class NamesVariable(click.Parameter):
    """A parameter whose errors name the environment variable that its value comes from."""

    def get_error_hint(self, ctx: click.Context | None) -> str:
        """Return the name of the variable, or of the parameter as typed."""
        source = ctx.get_parameter_source(self.name) if ctx and self.name else None
        if source is ParameterSource.ENVIRONMENT:
            return f"the environment variable {self.envvar}"
        return super().get_error_hint(ctx)  # type: ignore[arg-type, unused-ignore]


class SectionOption(NamesVariable, click.Option):
    """An option that belongs to a section of the help.

    Args:
        section: The heading above it.
        advanced: Show it in ``--help-all`` only.
    """

    def __init__(
        self, *args: Any, section: str = "Options", advanced: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.section = section
        self.advanced = advanced

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the names, ``--[no-]x`` for a pair, and the help without the range of a number."""
        record = super().get_help_record(ctx)
        if record is None:
            return None
        names, help = record
        help = _RANGE.sub(lambda found: "]" if found[1] == "; " else "", help)
        if self.opts[-1].replace("--", "--no-") in self.secondary_opts:
            names = self.opts[-1].replace("--", "--[no-]")
        return names, help.rstrip()


def show_only(command: click.Command, names: Collection[str]) -> None:
    """Show only these options in ``--help`` of a command; ``--help-all`` has the others."""
    for param in command.params:
        if isinstance(param, SectionOption):
            param.advanced = param.name not in names


class _WithExamples(click.Command):
    """A command whose help ends with examples.

    Args:
        examples: Pairs of a purpose and a command line, the most useful first.
    """

    def __init__(
        self, *args: Any, examples: tuple[tuple[str, str], ...] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples

    def examples_shown(self, ctx: click.Context) -> tuple[tuple[str, str], ...]:
        """Return the examples to show."""
        return self.examples

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each example below its purpose."""
        with formatter.section("Examples"):
            for purpose, line in self.examples_shown(ctx):
                formatter.write(f"{'':{formatter.current_indent}}# {purpose}\n")
                formatter.write(f"{'':{formatter.current_indent}}{line}\n")

    def unknown_option(self, name: str, ctx: click.Context) -> str:
        """Return the error for an option that does not exist."""
        names = [option for param in self.get_params(ctx) for option in _names(param)]
        return f"No such option {name!r}.{did_you_mean(name, names)}"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the command line; for a mistyped option, suggest only a similar name."""
        typed = list(args)  # parsing consumes the list
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            name = error.option_name
            if not name.startswith("--"):
                options = [option for param in self.get_params(ctx) for option in _names(param)]
                name = long_option(name, typed, options) or name
            raise click.UsageError(self.unknown_option(name, ctx), ctx) from None


class ExampleCommand(_WithExamples):
    """A command with its options in sections, and examples at the end of its help.

    A command with advanced options has two helps: ``--help`` fits one screen and shows the first
    paragraph of the text, the common options and three examples; ``--help-all`` shows everything.

    Args:
        renamed: Former names of options, with their new names.
        hints: Options that users expect but do not exist, with a sentence that names the way out.
    """

    def __init__(
        self,
        *args: Any,
        renamed: Mapping[str, str] | None = None,
        hints: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._renamed = renamed or {}
        self._hints = hints or {}

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the parameters, with ``--help-all`` if there are advanced options."""
        params = super().get_params(ctx)
        if self._advanced_count():
            params.append(_HELP_ALL)
        params.append(NO_CONFIG)
        return params

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the command line, after config files and variables have set its defaults."""
        configure = ctx.meta.get(CONFIGURE)
        if configure is not None and not ctx.resilient_parsing:
            with suppress(click.UsageError):  # below, it is raised again
                typed, _, order = self.make_parser(ctx).parse_args(list(args))
                ctx.meta["mnv2.no_config"] |= bool(typed.get(NO_CONFIG.name))
                if not any(param.is_eager and param is not NO_CONFIG for param in order):
                    configure(ctx, typed)
        return super().parse_args(ctx, args)

    def unknown_option(self, name: str, ctx: click.Context) -> str:
        """Return the error for an option that does not exist or was renamed."""
        if new := self._renamed.get(name):
            return f"{name} was renamed: use {new}."
        if hint := self._hints.get(name):
            return f"No such option {name!r}. {hint}"
        return super().unknown_option(name, ctx)

    def examples_shown(self, ctx: click.Context) -> tuple[tuple[str, str], ...]:
        """Return all examples, or the first three."""
        return self.examples if self._is_whole(ctx) else self.examples[:_SHORT_EXAMPLES]

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the text, or its first paragraph."""
        help = self.help
        if help and not self._is_whole(ctx):
            self.help = help.split("\n\n")[0]
        try:
            super().format_help_text(ctx, formatter)
        finally:
            self.help = help

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options section by section, in the order of declaration, in one column."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            if getattr(param, "advanced", False) and not self._is_whole(ctx):
                continue
            record = param.get_help_record(ctx)
            if record is not None and isinstance(param, click.Option):
                sections.setdefault(getattr(param, "section", "Terminal"), []).append(record)
        width = max(len(names) for records in sections.values() for names, _ in records)
        for section, records in sections.items():
            with formatter.section(section):
                formatter.write_dl([(f"{names:{width}}", help) for names, help in records])

    def _advanced_count(self) -> int:
        return sum(getattr(param, "advanced", False) for param in self.params)

    def _is_whole(self, ctx: click.Context) -> bool:
        return bool(ctx.meta.get(_ALL)) or not self._advanced_count()


def _names(param: click.Parameter) -> list[str]:
    if not isinstance(param, click.Option) or param.hidden:
        return []
    return [*param.opts, *param.secondary_opts]


def _show_whole_help(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        ctx.meta[_ALL] = True
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()


_HELP_ALL = click.Option(
    ["--help-all"],
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_show_whole_help,
    help="Show all options, examples and exit codes.",
)
NO_CONFIG = click.Option(
    ["--no-config"],
    is_flag=True,
    expose_value=False,
    hidden=True,
    help="Ignore config files.",
)
"""The global option, which is accepted after the command too."""


class LazyCommand(NamedTuple):
    """A command that is imported when it runs.

    Attributes:
        target: Its place, as ``module:name``.
        short_help: Its line in the help of its group.
    """

    target: str
    short_help: str


class LazyGroup(_WithExamples, click.Group):
    """A group whose help lists its commands without importing them, and ends with examples.

    Args:
        lazy: The commands by name, in the order of the help.
    """

    def __init__(
        self, *args: Any, lazy: Mapping[str, LazyCommand] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = lazy or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in the order of the help."""
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, importing its module if necessary."""
        return self._import(cmd_name) if cmd_name in self._lazy else None

    def _import(self, name: str) -> click.Command:
        target, short_help = self._lazy[name]
        module, _, attribute = target.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        command.short_help = short_help
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command to run; for a mistyped name, suggest only a similar name."""
        if args and args[0] not in self._lazy and not args[0].startswith("-"):
            ctx.fail(f"No such command {args[0]!r}.{self.instead_of(ctx, args)}")
        return super().resolve_command(ctx, args)

    def instead_of(self, ctx: click.Context, args: list[str]) -> str:
        """Return a suggestion for a command that does not exist, after a space; may be empty."""
        if args[0] == "help":
            group = ctx.command_path.split()[1:]
            known = [name for name in args[1:2] if name in self._lazy]
            return f" Did you mean: {' '.join(['mnv2', *group, *known])} --help?"
        return did_you_mean(args[0], self._lazy)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the names of the commands, each with its line."""
        rows = [(name, command.short_help) for name, command in self._lazy.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
