"""Tag photos from Python: plan, write, undo."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from mnv2cli.records import Record
from mnv2cli.tagging.actions import TagPlan, WriteOptions
from mnv2cli.tagging.options import PlaceOptions, TagOptions
from mnv2cli.tagging.plan import make_plan

if TYPE_CHECKING:
    from mnv2cli.tagging.run import TagOutcome


def plan_tags(
    records: Iterable[Record],
    options: TagOptions | None = None,
    place: PlaceOptions | None = None,
    write: WriteOptions | None = None,
) -> TagPlan:
    """Plan which keywords photos get; change nothing.

    Args:
        records: The photos with their labels, as from ``Classifier.classify`` or any other source.
            Categories become keywords only if the records have them.
        options: Which keywords a photo gets.
        place: Which files they are written to: sidecars, or with ``embed`` the photos.
        write: How files are written.

    Returns:
        The plan: a list of actions, which may be changed before it is written.

    Raises:
        InputError: There are no photos, or one is not on this machine.
    """
    return make_plan(records, options, place, write)


def write_tags(plan: TagPlan) -> TagOutcome:
    """Write the keywords of a plan, after finishing an interrupted run in its folder.

    Returns:
        The counts of files, those that failed with the reasons, and the journal.

    Raises:
        InputError: Another run uses the folder, an interrupted undo must be finished first, or
            photos are to be changed and ExifTool is not installed.
        OutputError: The folder cannot be written, or its disk is full. No file is lost, and the
            next call with this plan resumes it.
    """
    from mnv2cli.tagging.apply import apply

    return apply(plan)


def undo_tags(path: str | os.PathLike[str]) -> TagOutcome:
    """Undo the last tag run in a folder, or that of one journal: restore files byte for byte.

    Args:
        path: The folder, as ``plan.root``; or a journal, as ``outcome.journal``.

    Returns:
        The counts of files that are again what they were. Files that changed since they were
        tagged are kept as they are, and are in ``failed`` with the reason.

    Raises:
        InputError: There is nothing to undo, or another run uses the folder.
        JournalError: The journal cannot be read, or was not written there.
        OutputError: A file cannot be written; the next call resumes.
    """
    from mnv2cli.tagging.undo import undo

    outcome, _ = undo(os.fspath(path))
    return outcome
