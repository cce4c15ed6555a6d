"""Options for what a command shows; ``@terminal_options`` passes them as ``terminal``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from mnv2cli.cli.grouping import grouped, section

if TYPE_CHECKING:
    from mnv2cli.cli.terminal.screen import Screen


@dataclass(frozen=True, slots=True)
class TerminalOptions:
    """How much a command shows on stderr.

    Attributes:
        quiet: Show only errors and warnings.
        verbose: Also show each skipped or unreadable file, and messages of libraries.
    """

    quiet: bool = False
    verbose: bool = False

    def screen(self) -> Screen:
        """Return the screen for these options."""
        from mnv2cli.cli.terminal.screen import Screen

        return Screen(quiet=self.quiet, verbose=self.verbose)


def _terminal_options(quiet: bool, verbose: bool) -> TerminalOptions:
    if quiet and verbose:
        raise click.UsageError("--quiet cannot be combined with --verbose.")
    return TerminalOptions(quiet, verbose)


_terminal = section("Terminal")
terminal_options = grouped(
    "terminal",
    _terminal_options,
    _terminal("-q", "--quiet", is_flag=True, help="Show only errors and warnings."),
    _terminal("-v", "--verbose", is_flag=True, help="Show details, such as each skipped image."),
)
