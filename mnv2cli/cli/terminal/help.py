"""Help in sections with examples at the end: one screen, or everything."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click

_SHORT_EXAMPLES = 3
_ALL = "mnv2.help_all"  # in the context: the whole help is wanted


class SectionOption(click.Option):
    """An option with its place in the help.

    Args:
        section: The heading it stands under.
        advanced: Whether it is left to ``--help-all``.
    """

    def __init__(
        self, *args: Any, section: str = "Options", advanced: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.section = section
        self.advanced = advanced


class _WithExamples(click.Command):
    """Help that ends with examples.

    Args:
        examples: Pairs of a purpose and a command line, the most useful first.
    """

    def __init__(
        self, *args: Any, examples: tuple[tuple[str, str], ...] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples

    def examples_shown(self, ctx: click.Context) -> tuple[tuple[str, str], ...]:
        """Return the examples of the help that was asked for."""
        return self.examples

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples as they are typed, each below its purpose."""
        with formatter.section("Examples"):
            for purpose, line in self.examples_shown(ctx):
                formatter.write(f"{'':{formatter.current_indent}}# {purpose}\n")
                formatter.write(f"{'':{formatter.current_indent}}{line}\n")


class ExampleCommand(_WithExamples):
    """A command whose help has its options in sections and ends with examples.

    A command with advanced options has two helps: ``--help`` fits one screen, with the first
    paragraph of its text, the common options and three examples; ``--help-all`` shows everything.
    """

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the parameters; ``--help-all`` is one of them if there is more to show."""
        params = super().get_params(ctx)
        if self._advanced_count():
            params.append(_HELP_ALL)
        return params

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
        """Write the options, a section at a time, in the order of their declaration."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            if getattr(param, "advanced", False) and not self._is_whole(ctx):
                continue
            record = param.get_help_record(ctx)
            if record is not None and isinstance(param, click.Option):
                sections.setdefault(getattr(param, "section", "Terminal"), []).append(record)
        for section, records in sections.items():
            with formatter.section(section):
                formatter.write_dl(records)

    def _advanced_count(self) -> int:
        return sum(getattr(param, "advanced", False) for param in self.params)

    def _is_whole(self, ctx: click.Context) -> bool:
        return bool(ctx.meta.get(_ALL)) or not self._advanced_count()


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
    help="Show every option, all examples and the exit codes.",
)


class LazyCommand(NamedTuple):
    """A command that is imported when it is run.

    Attributes:
        target: Where it is, as ``module:name``.
        short_help: Its line in the help of its group.
    """

    target: str
    short_help: str


class LazyGroup(_WithExamples, click.Group):
    """A group that shows its help, with examples at the end, without importing its commands.

    Args:
        lazy: The commands by their names, in the order of the help.
    """

    def __init__(
        self, *args: Any, lazy: Mapping[str, LazyCommand] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = lazy or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, as declared."""
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, importing its module if that is not imported yet."""
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
        """Return the command that is meant; for one that is not there, click suggests another."""
        if args and args[0] not in self._lazy:
            self.commands.update({name: self._import(name) for name in self._lazy})
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the names of the commands, each with its line."""
        rows = [(name, command.short_help) for name, command in self._lazy.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
