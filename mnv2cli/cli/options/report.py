"""The option for a page for browsers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

Section = Callable[..., Callable[[Any], Any]]


def report_option(in_section: Section, **settings: Any) -> Callable[[Any], Any]:
    """Return the decorator for ``--report``, which a command passes as ``report``.

    Args:
        in_section: Declares an option in a section of the help.
        settings: More of the option, such as ``advanced``.
    """
    return in_section(
        "--report",
        type=click.Path(),
        metavar="FILE",
        help="Also write a page for browsers to FILE (.html).",
        **settings,
    )
