"""Write the page for browsers that ``--report`` asks for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from mnv2cli.cli.inputs import is_same

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mnv2cli.cli.report_job import Known
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.cli.terminal.summary import Line
    from mnv2cli.images.options import ImageOptions
    from mnv2cli.reporting.content import Content
    from mnv2cli.reporting.write import ReportTarget


def check_page(path: str, *, force: bool, inputs: Iterable[str | None] = ()) -> None:
    """Check that a page can be written, before any work is done.

    Args:
        path: The file.
        force: Overwrite it.
        inputs: Files that the command reads or writes otherwise.

    Raises:
        UsageError: It is one of ``inputs``.
        InputError: It cannot be written.
    """
    from mnv2cli.reporting.write import check_report

    for each in filter(None, inputs):
        if _is_one_file(each, path):
            raise click.UsageError(f"The report would overwrite {each!r}: name another file.")
    check_report(path, force=force)


def _is_one_file(path: str, other: str) -> bool:
    """Return whether two paths are of one file, which may not exist yet."""
    return is_same(path, other) or os.path.realpath(path) == os.path.realpath(other)


def write_page(
    content: Content,
    target: ReportTarget,
    screen: Screen,
    images: ImageOptions,
    known: Known = lambda record: record.thumbnail,
) -> list[Line]:
    """Make thumbnails of the photos, with progress, and write the page.

    Args:
        content: What it shows.
        target: The file.
        screen: Shows the progress.
        images: How photos are decoded.
        known: Returns the thumbnails that have been made before.

    Returns:
        The lines of a summary that name what was written.

    Raises:
        OutputError: It cannot be written.
    """
    from mnv2cli.cli.report_job import ReportJob
    from mnv2cli.reporting.places import Places

    job = ReportJob(target, images, screen)
    job.write(content, Places(), known)
    return job.written()
