"""The options for a page for browsers, and for the corrections that it exports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

Section = Callable[..., Callable[[Any], Any]]


def report_option(in_section: Section) -> Callable[[Any], Any]:
    """Return the decorator for ``--report``, which a command passes as ``report``.

    Args:
        in_section: Declares an option in a section of the help.
    """
    return in_section(
        "--report",
        type=click.Path(),
        metavar="FILE",
        help="Also write a page of the photos to FILE (.html).",
    )


def corrections_option(in_section: Section, help: str) -> Callable[[Any], Any]:
    """Return the decorator for ``--corrections``, which a command passes as ``corrections``.

    Args:
        in_section: Declares an option in a section of the help.
        help: What the command does with them.
    """
    return in_section(
        "--corrections",
        type=click.Path(exists=True, dir_okay=False),
        metavar="FILE",
        help=help,
    )
