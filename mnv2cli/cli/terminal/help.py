"""Help that reads well: options in sections, examples at the end."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click


class SectionOption(click.Option):
    """An option that knows under which heading of the help it stands."""

    def __init__(self, *args: Any, section: str = "Options", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section


class _WithExamples(click.Command):
    """Help that ends with examples.

    Args:
        examples: Pairs of what for and command line.
    """

    def __init__(
        self, *args: Any, examples: tuple[tuple[str, str], ...] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, as they are typed, each below what it is for."""
        with formatter.section("Examples"):
            for purpose, line in self.examples:
                formatter.write(f"{'':{formatter.current_indent}}# {purpose}\n")
                formatter.write(f"{'':{formatter.current_indent}}{line}\n")


class ExampleCommand(_WithExamples):
    """A command whose help has its options in sections and ends with examples."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, a section at a time, in the order of their declaration."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None and isinstance(param, click.Option):
                sections.setdefault(getattr(param, "section", "Terminal"), []).append(record)
        for section, records in sections.items():
            with formatter.section(section):
                formatter.write_dl(records)


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
