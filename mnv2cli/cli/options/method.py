"""Options for what to do with each photo; passed to a command as ``method``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from mnv2cli.cli.grouping import grouped

if TYPE_CHECKING:
    from mnv2cli.sorting.actions import Method


def _method(*, copy: bool, **others: bool) -> Method:
    chosen = [name for name, value in {"copy": copy, **others}.items() if value]
    if len(chosen) > 1:
        raise click.UsageError(
            f"--{chosen[0]} cannot be combined with --{chosen[1]}: choose one method."
        )
    return chosen[0] if chosen else "copy"  # type: ignore[return-value]


def method_options(option: Callable[..., Any]) -> Callable[[Any], Any]:
    """Return the decorator for the options, in a section of the help.

    Args:
        option: Declares an option in that section.
    """
    return grouped(
        "method",
        _method,
        option("--move", is_flag=True, help="Move photos instead of copying them."),
        option("--symlink", is_flag=True, help="Create symbolic links, relative if possible."),
        option("--hardlink", is_flag=True, help="Create hard links, which use no extra space."),
        option("--copy", is_flag=True, help="Copy photos (the default)."),
    )
