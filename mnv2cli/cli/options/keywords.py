"""Options for classes that come from the keywords of photos."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

Option = Callable[..., Callable[[Any], Any]]


def keyword_options(section: Option) -> tuple[Callable[[Any], Any], ...]:
    """Return the options ``--labels-from-xmp`` and ``--keyword`` in a section of the help."""
    return (
        section(
            "--labels-from-xmp",
            is_flag=True,
            help="Take the class of each photo from its keywords (XMP, IPTC, sidecar).",
        ),
        section(
            "--keyword",
            multiple=True,
            advanced=True,
            metavar="WORD[=CLASS]",
            help="With --labels-from-xmp, use only this keyword, and name its class; repeatable.  "
            "[default: all keywords of enough photos]",
        ),
    )


def check_keywords(
    folder: str | None,
    words: tuple[str, ...],
    *,
    labels_from_xmp: bool,
    others: Mapping[str, object],
) -> None:
    """Check that the options can be combined; raises UsageError.

    Args:
        folder: The folder of the photos; None if there is none.
        words: The chosen keywords.
        labels_from_xmp: Whether classes come from keywords.
        others: The options that also name classes, and their values; None for those not given.
    """
    if not labels_from_xmp:
        if words:
            raise click.UsageError("--keyword requires --labels-from-xmp.")
        return
    for name, value in others.items():
        if value is not None:
            raise click.UsageError(f"--labels-from-xmp cannot be combined with {name}.")
    if folder is None:
        raise click.UsageError("--labels-from-xmp requires FOLDER, which has the photos.")
