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


class ExampleGroup(_WithExamples, click.Group):
    """A group of commands in the order of their declaration, whose help ends with examples."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, as declared."""
        return list(self.commands)


class LazyCommand(NamedTuple):
    """A command that is imported when it is run.

    Attributes:
        target: Where it is, as ``module:name``.
        short_help: Its line in the help of its group.
    """

    target: str
    short_help: str


class LazyGroup(ExampleGroup):
    """A group that shows its help without importing its commands.

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
        return list(dict.fromkeys([*self._lazy, *self.commands]))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, importing its module if that is not imported yet."""
        if cmd_name not in self._lazy:
            return super().get_command(ctx, cmd_name)
        target, short_help = self._lazy[cmd_name]
        module, _, name = target.partition(":")
        command: click.Command = getattr(import_module(module), name)
        command.short_help = short_help
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is meant; for one that is not there, click suggests another."""
        if args and args[0] not in self._lazy:
            for name in self._lazy:  # click looks for what is near among these
                if command := self.get_command(ctx, name):
                    self.commands.setdefault(name, command)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the names of the commands, each with its line."""
        rows = [(name, command.short_help) for name, command in self._lazy.items()]
        rows += [
            (name, command.get_short_help_str())
            for name, command in self.commands.items()
            if name not in self._lazy
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
