"""Read which photos are of which class from a file of paths and labels."""

from __future__ import annotations

import os
from collections.abc import Iterator

from mnv2cli.errors import InputError
from mnv2cli.learning.dataset import Example, Examples
from mnv2cli.results.corrections import MARKED_AS_WRONG, REJECTED, read_corrections
from mnv2cli.results.label_table import label_columns, label_rows
from mnv2cli.results.read import read_results
from mnv2cli.sources.bases import base_folder
from mnv2cli.sources.names import natural_sorted
from mnv2cli.sources.urls import is_url

_NOT_LEARNED = {"wrong": MARKED_AS_WRONG, "rejected": REJECTED}
"""Why photos with these reviews are not learned."""


def from_labels(path: str) -> Examples:
    """Return the photos that a file names, each with its class.

    Relative paths start at the folder of the file or at the current folder: where more of the
    photos exist, as ``Examples.base`` reports. Photos that do not exist are skipped, with that
    reason.

    Args:
        path: A CSV with the columns ``path`` and ``label``; or the corrections of a report, of
            which the corrected and confirmed labels count; or results of ``mnv2 classify`` in any
            format, of which the best label counts.

    Raises:
        InputError: The file cannot be read, or has other columns.
    """
    if not os.path.isfile(path):
        why = "is not a file" if os.path.lexists(path) else "does not exist"
        raise InputError(f"{path!r} {why}", "Give a CSV with the columns path and label.")
    rows = list(labels_in(path))
    base = base_folder((photo for photo, _, _ in rows), os.path.dirname(path))
    found = Examples(path, (), base=base)
    seen: set[tuple[str, str]] = set()
    for photo, name, error in rows:
        where = photo if os.path.isabs(photo) else os.path.join(base, photo)
        if error:
            found.skipped.append((photo, error))
        elif not name:
            found.skipped.append((photo, "no label"))
        elif is_url(photo):
            found.skipped.append((photo, "not on this machine"))
        elif not os.path.lexists(where):
            found.skipped.append((photo, "does not exist"))
        elif (where, name) in seen:
            found.skipped.append((photo, "listed twice"))
        else:
            seen.add((where, name))
            found.photos.append(Example(where, name))
    found.names = tuple(natural_sorted(list({photo.name for photo in found.photos})))
    return found


def labels_in(path: str) -> Iterator[tuple[str, str, str]]:
    """Yield the path, the label and the error of each row."""
    columns = label_columns(path) if path.lower().endswith(".csv") else None
    if columns and "review" in columns:
        for photo, correction in read_corrections(path).items():
            yield photo, correction.label, _NOT_LEARNED.get(correction.review, "")
    elif columns:
        for row in label_rows(path):
            yield row.path, row.label, ""
    else:
        for record in read_results(path):
            best = record.predictions[0].label if record.predictions else ""
            yield record.path, best, record.error
