"""Which photos to split, and their classes: from folders, results, or a file of labels."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from mnv2cli.datasets.formats import LabelBy
from mnv2cli.datasets.labels import OPTIONS, PLURALS, label_of
from mnv2cli.errors import ImageError, InputError, NoImagesError
from mnv2cli.images.opening import open_regular
from mnv2cli.images.signatures import HEAD_BYTES
from mnv2cli.labels.imagenet import Label, distinct_name
from mnv2cli.learning.dataset import Example, from_folder
from mnv2cli.learning.labels_file import labels_in
from mnv2cli.records import Record
from mnv2cli.reporting.places import Places
from mnv2cli.results.any_file import check_any
from mnv2cli.results.label_table import label_columns
from mnv2cli.results.read import read_results
from mnv2cli.sources.options import Filters
from mnv2cli.sources.urls import is_url


@dataclass
class Found:
    """The photos to split.

    Attributes:
        photos: The photos with their classes.
        skipped: The path of each file that is not used, and why.
        unreadable: The path of each photo that cannot be read, and why.
        root: The folder of the classes, as typed; empty for a file.
    """

    photos: list[Example] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    root: str = ""


def find_photos(source: str, filters: Filters, by: LabelBy, base: str = "") -> Found:
    """Return the photos of a folder with a subfolder for each class, or of a file.

    Args:
        source: The folder; or results of ``mnv2 classify``, or a CSV with the columns path and
            label, or the corrections of a report.
        filters: Which files of a folder to use.
        by: What the class of a photo in results is.
        base: For a file, the folder where its photos are now; empty if they have not moved.

    Raises:
        InputError: It cannot be read, or has no such labels.
        NoImagesError: There are no photos.
    """
    found = _of_folder(source, filters) if os.path.isdir(source) else _of_file(source, by, base)
    if not (found.photos or found.unreadable):
        reasons = dict.fromkeys(why.partition(":")[0] for _, why in found.skipped)
        hint = "Give a folder with a subfolder for each class: photos/cat, photos/dog."
        if not found.root:
            hint = "Classify photos first: mnv2 classify FOLDER -o labels.csv"
        raise NoImagesError(
            f"no photos of classes in {source!r}",
            (f"Skipped: {', '.join(reasons)}. " if reasons else "") + hint,
        )
    return found


def _of_folder(folder: str, filters: Filters) -> Found:
    examples = from_folder(folder, filters)
    found = Found(skipped=examples.skipped, root=folder)
    for photo in examples.photos:
        if photo.error:
            found.unreadable.append((photo.path, photo.error))
        elif os.path.islink(photo.path) and not _is_image(photo.path):
            # A folder from elsewhere may have links to private files, which would be copied.
            found.skipped.append((photo.path, "a link to a file that is not an image"))
        else:
            found.photos.append(photo)
    return found


def _is_image(path: str) -> bool:
    from mnv2cli.images.formats import identify

    try:
        with open_regular(path) as file:
            identify(file.read(HEAD_BYTES))
    except (ImageError, OSError):
        return False
    return True


def _of_file(path: str, by: LabelBy, base: str) -> Found:
    check_any(path)
    if is_table := path.lower().endswith(".csv") and label_columns(path) is not None:
        if by != "label":
            raise InputError(
                f"{path!r} has only labels, no {PLURALS[by]}",
                "Omit --label-by.",
            )
        rows = [(photo, label, why, False) for photo, label, why in labels_in(path)]
    else:
        rows = list(_of_results(path, by))
    places = Places.of_results((row[0] for row in rows), path, base)
    found = Found()
    seen: set[tuple[str, str]] = set()
    for photo, label, why, is_error in rows:
        where = places.local(photo)
        if is_error:
            found.unreadable.append((photo, why))
        elif why or not label:
            found.skipped.append((photo, why or f"no {by}"))
        elif is_url(photo):
            found.skipped.append((photo, "not on this machine"))
        elif not where or not os.path.lexists(where):
            found.unreadable.append((where or photo, "does not exist"))
        elif (is_table or os.path.islink(where)) and not _is_image(where):
            found.unreadable.append((where, "not an image"))
        elif (where, label) in seen:
            found.skipped.append((photo, "listed twice"))
        else:
            seen.add((where, label))
            found.photos.append(Example(where, label))
    if not (found.photos or is_table or by == "label") and any(
        why == f"no {by}" for _, why in found.skipped
    ):
        raise InputError(
            f"{path!r} has no {PLURALS[by]}", f"Classify the photos again with {OPTIONS[by]}."
        )
    return found


def _of_results(path: str, by: LabelBy) -> Iterator[tuple[str, str, str, bool]]:
    for record in read_results(path):
        yield record.path, _label(record, by), record.error, bool(record.error)


def _label(record: Record, by: LabelBy) -> str:
    if by == "label" and record.predictions and record.predictions[0].wnid:
        best = record.predictions[0]
        return distinct_name(Label(best.wnid, best.label))  # two classes are named crane
    return label_of(record, by)
