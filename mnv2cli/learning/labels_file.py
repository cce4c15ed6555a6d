"""Read which photos are of which class from a file of paths and labels."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator

from mnv2cli.errors import InputError
from mnv2cli.learning.dataset import Example, Examples
from mnv2cli.results.read import read_results
from mnv2cli.results.text_file import lines, open_text
from mnv2cli.sources.bases import base_folder
from mnv2cli.sources.names import natural_sorted
from mnv2cli.sources.urls import is_url

_LABEL_COLUMNS = ("label", "class")


def from_labels(path: str) -> Examples:
    """Return the photos that a file names, each with its class.

    Relative paths start at the folder of the file or at the current folder: where more of the
    photos exist, as ``Examples.base`` reports. Photos that do not exist are skipped, with that
    reason.

    Args:
        path: A CSV with the columns ``path`` and ``label``, or results of ``mnv2 classify`` in any
            format, of which the best label counts.

    Raises:
        InputError: The file cannot be read, or has other columns.
    """
    if not os.path.isfile(path):
        why = "is not a file" if os.path.lexists(path) else "does not exist"
        raise InputError(f"{path!r} {why}", "Give a CSV with the columns path and label.")
    rows = list(_rows(path))
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


def _rows(path: str) -> Iterator[tuple[str, str, str]]:
    """Yield the path, the label and the error of each row."""
    if path.lower().endswith(".csv"):
        with open_text(path) as file:
            header = next(iter(lines(file, path)), "")
        if (columns := _simple_columns(header)) is not None:
            yield from _simple_rows(path, *columns)
            return
    for record in read_results(path):
        best = record.predictions[0].label if record.predictions else ""
        yield record.path, best, record.error


def _simple_columns(header: str) -> tuple[int, int, str] | None:
    """Return the columns of the path and the label, and what separates cells; None for results."""
    separator = ";" if header.count(";") > header.count(",") else ","
    names = [
        name.strip().casefold() for name in next(csv.reader([header], delimiter=separator), [])
    ]
    label = next((names.index(name) for name in _LABEL_COLUMNS if name in names), None)
    if label is None or "path" not in names or "rank" in names:
        return None
    return names.index("path"), label, separator


def _simple_rows(
    path: str, photo: int, label: int, separator: str
) -> Iterator[tuple[str, str, str]]:
    try:
        with open_text(path) as file:
            reader = csv.reader(lines(file, path), delimiter=separator)
            next(reader, None)
            for row in filter(None, reader):
                if len(row) <= max(photo, label):
                    raise InputError(
                        f"line {reader.line_num} of {path!r} has too few cells",
                        "Each line requires a path and a label.",
                    )
                yield row[photo], row[label].strip(), ""
    except csv.Error as error:
        raise InputError(f"{path!r} is not valid CSV: {error}") from error
