"""Options for a plan as a file, which mnv2 sort and mnv2 tag share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from mnv2cli.cli.grouping import together


def plan_file_options(heading: Callable[..., Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """Return --plan and --apply, in a section of the help."""
    return together(
        heading(
            "--plan",
            "write_to",
            type=click.Path(dir_okay=False),
            metavar="FILE",
            help="Write the plan as CSV, for editing; change nothing else.  [default: apply it]",
        ),
        heading(
            "--apply",
            type=click.Path(exists=True, dir_okay=False),
            metavar="FILE",
            help="Apply a plan from --plan.  [default: create one]",
        ),
    )
