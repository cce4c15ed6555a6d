"""Options for how photos get into their folders; ``@method_options`` passes them as ``method``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mnv2cli.cli.grouping import grouped, section

if TYPE_CHECKING:
    from mnv2cli.sorting.actions import Method

SORTING = "Sorting"
"""The section of these options in the help."""


def _method(*, copy: bool, **others: bool) -> Method:
    chosen = [name for name, value in {"copy": copy, **others}.items() if value]
    if len(chosen) > 1:
        raise click.UsageError(
            f"--{chosen[0]} cannot be combined with --{chosen[1]}: choose one method."
        )
    return chosen[0] if chosen else "copy"  # type: ignore[return-value]


_sorting = section(SORTING)
method_options = grouped(
    "method",
    _method,
    _sorting("--move", is_flag=True, help="Move photos instead of copying them."),
    _sorting("--symlink", is_flag=True, help="Create symbolic links, relative if possible."),
    _sorting("--hardlink", is_flag=True, help="Create hard links, which use no extra space."),
    _sorting("--copy", is_flag=True, help="Copy photos (the default)."),
)
