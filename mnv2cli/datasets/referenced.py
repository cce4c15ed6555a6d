"""What datasets that reference images share: where the images are, whose labels count, spools."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from typing import IO, Any, get_args

from mnv2cli.datasets.entries import EntryError, checked_name, own_record
from mnv2cli.datasets.formats import Item, LabelBy, ReadOptions
from mnv2cli.datasets.labels import label_of
from mnv2cli.errors import InputError
from mnv2cli.records import Prediction, Record

NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""A sign that XML 1.0 forbids."""

_IS_ABSOLUTE = re.compile(r"[/\\]|[A-Za-z]:")
_URL = re.compile(r"(?:https?|s3|s3a|gs|gcs|az|abfs)://[^\s/]", re.IGNORECASE)
_MAX_NAME = 4096


class Spool:
    """A temporary file without a name for what follows in a dataset: it vanishes when closed.

    Args:
        path: The file of the dataset, on whose disk it is.
        separator: What is written between two parts.
    """

    def __init__(self, path: str, separator: bytes = b",\n") -> None:
        folder = path if os.path.isdir(path) else os.path.dirname(path)
        self._file = tempfile.TemporaryFile(dir=folder or None)  # noqa: SIM115
        self._separator = separator
        self._start = b""

    def write(self, part: bytes) -> None:
        """Append a part."""
        self._file.write(self._start + part)
        self._start = self._separator

    def move_to(self, file: IO[bytes]) -> None:
        """Append its content to a file."""
        self._file.seek(0)
        shutil.copyfileobj(self._file, file, 1 << 20)

    def close(self) -> None:
        """Remove it."""
        self._file.close()


def predictions_of(item: Item, by: LabelBy) -> tuple[Prediction, ...]:
    """Return the label to learn as a prediction, and after a label those that were less likely."""
    record = item.record
    if by == "label":
        return record.predictions
    if by == "node":
        return (record.node,) if record.node and record.node.label else ()
    found = record.category
    return (Prediction("", found.name, found.score),) if found and found.name else ()


def named_record(
    name: object, labels: Iterable[Prediction], own: object, folder: str, options: ReadOptions
) -> Record:
    """Return the record of an image: the one that this tool wrote, unless its label was changed.

    Args:
        name: How the dataset names the image.
        labels: The labels that the dataset has for it.
        own: What the dataset has of this tool's record; None for nothing.
        folder: The folder where relative names start.
        options: Whether the original path is wanted.

    Raises:
        EntryError: The name leads outside of the folder, or the record is damaged.
    """
    labels = tuple(labels)
    record = own_record(own) if own is not None else None
    path = image_place(name, folder, is_own=record is not None)
    if record is None:
        return Record(path, labels)
    if not options.original:
        record = replace(record, path=path)
    if labels and labels[0].label not in _possible(record):
        return Record(record.path, labels)
    return record


def _possible(record: Record) -> set[str]:
    return {label_of(record, by) for by in get_args(LabelBy)}


def image_place(name: object, folder: str, *, is_own: bool = False) -> str:
    """Return the path of an image by its name in a dataset; a URL is returned unchanged.

    Args:
        name: The name.
        folder: The folder where relative names start.
        is_own: Absolute names may be anywhere, because this tool wrote them.

    Raises:
        EntryError: It is not a text, or an absolute or relative path that leads outside.
    """
    if not isinstance(name, str) or not name or len(name) > _MAX_NAME:
        raise EntryError("the name of its image is missing, too long, or not a text")
    if "\0" not in name:
        if _URL.match(name):
            return name
        if _IS_ABSOLUTE.match(name) and ".." not in re.split(r"[/\\]", name):
            if is_own or _is_below(name, folder):
                return os.path.normpath(name)
            raise EntryError(
                f"the image {name!r} is not in the folder {folder!r}, where its images are"
            )
    return os.path.join(folder, *checked_name(name).split("/"))


def _is_below(name: str, folder: str) -> bool:
    if not os.path.isabs(name):
        return False
    above = os.path.join(os.path.abspath(folder), "")
    return os.path.normpath(name).startswith(above)


def base_of(path: str, options: ReadOptions) -> str:
    """Return the folder where relative names start: the dataset's, if no other is given."""
    if options.base is not None:
        return options.base
    return path if os.path.isdir(path) else os.path.dirname(path)


def text_of(value: object, what: str) -> str:
    """Return a text that is not empty; raises EntryError for anything else."""
    if not isinstance(value, str) or not value:
        raise EntryError(f"{what} is missing, or is not a text")
    return value


def score_or_one(value: object) -> float:
    """Return a score; 1 if there is none.

    Raises:
        EntryError: It is not a number from 0 to 1.
    """
    if value is None:
        return 1.0
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise EntryError("its score is not a number")
    if not 0 <= value <= 1 or math.isnan(value):
        raise EntryError("its score is not between 0 and 1")
    return float(value)


def best_first(predictions: Iterable[Prediction]) -> tuple[Prediction, ...]:
    """Return one prediction per label, by score; equal ones in their order."""
    best: dict[str, Prediction] = {}
    for each in predictions:
        known = best.get(each.label)
        if known is None or known.score < each.score:
            best[each.label] = each
    return tuple(sorted(best.values(), key=lambda each: -each.score))


def object_of(value: Any, what: str = "it") -> dict[str, Any]:
    """Return an object of JSON; raises EntryError for anything else."""
    if not isinstance(value, dict):
        raise EntryError(f"{what} is not an object")
    return value


def text_json(text: str) -> bytes:
    """Return the JSON of a text of the options; raises InputError if it is not UTF-8."""
    try:
        return json.dumps(text, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InputError(f"the label {text!r} is not valid UTF-8", "Rename the label.") from error


def xml_text(text: str) -> str:
    """Return a text with a replacement for each sign that XML forbids, such as NUL."""
    return NOT_XML.sub("\ufffd", text)
