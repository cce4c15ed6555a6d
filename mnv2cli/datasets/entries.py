"""Entries of datasets: the JSON objects and rows of single photos, and the records they become.

An entry names an image of the dataset. A label, and the record as JSON text under :data:`KEY`, are
its other content. The text, not an object, keeps one type for all entries, as programs that derive
columns from JSON expect.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from mnv2cli.datasets.formats import Item, LabelBy, ReadOptions
from mnv2cli.datasets.labels import KEY, packed, unpacked
from mnv2cli.errors import InputError
from mnv2cli.records import Prediction, Record

FILE_NAME = "file_name"
LABEL = "label"
SCORE = "score"

LABELS = (LABEL, "labels", "category", "class", "text", "caption", "txt")
"""The usual keys of labels, in the order in which they are looked for."""
_DRIVE = re.compile(r"[A-Za-z]:")
_SURROGATE = re.compile("[\ud800-\udfff]")
_MAX_DEPTH = 64  # of the lists and objects of an entry
_TOO_DEEP = "it is nested too deeply"


class EntryError(ValueError):
    """An entry of a dataset is not valid; the text is the reason."""


@contextmanager
def entry(path: str, where: str) -> Iterator[None]:
    """Turn the errors of reading an entry into one that names the file and the entry.

    Args:
        path: The file of the dataset.
        where: The entry, such as "line 7".

    Raises:
        InputError: The block raised an error about the content of the entry.
    """
    try:
        yield
    except EntryError as error:
        raise _damaged(path, where, str(error)) from error
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise _damaged(path, where, "it is not the entry of a photo") from error


def _damaged(path: str, where: str, why: str) -> InputError:
    return InputError(f"cannot read the dataset {path!r}: {where}: {why}")


# Writing


def score_of(record: Record, by: LabelBy) -> float:
    """Return the score of the label to learn; 0 if the record has none."""
    if by == "category":
        return record.category.score if record.category else 0.0
    if by == "node":
        return record.node.score if record.node else 0.0
    return record.predictions[0].score if record.predictions else 0.0


def entry_of(item: Item, by: LabelBy) -> dict[str, object]:
    """Return the entry of a photo: the name of its image, label, score and record.

    Raises:
        InputError: A label is not valid UTF-8.
    """
    return {
        FILE_NAME: item.file_name,
        LABEL: item.label,
        SCORE: float(score_of(item.record, by)),
        KEY: record_text(item),
    }


def record_text(item: Item) -> str:
    """Return the record of a photo as JSON text; raises InputError as :func:`entry_of`."""
    return json_text(packed(item.record), item)


def json_text(content: object, item: Item) -> str:
    """Return JSON on one line, with all characters of valid UTF-8 as they are.

    Raises:
        InputError: A text is not valid UTF-8; the message names the photo.
    """
    text = json.dumps(content, ensure_ascii=False, allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"cannot write the entry of {item.record.path!r}: the label {item.label!r} or another "
            "text of its record is not valid UTF-8",
            "Rename the label.",
        ) from error
    return text


# Reading


def strict_json(text: str | bytes) -> Any:
    """Return the content of a JSON text.

    Raises:
        ValueError: It is not JSON, has NaN or an infinite number, is nested deeply, or has half of
            a surrogate pair.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8-sig")
    try:
        content = json.loads(text, parse_constant=refuse_constant)
    except EntryError:
        raise
    except ValueError as error:
        raise EntryError("it is not valid JSON") from error
    except RecursionError as error:
        raise EntryError(_TOO_DEEP) from error
    check_json(content)
    return content


def refuse_constant(name: str) -> None:
    """Raise EntryError for NaN or an infinite number, which JSON does not have."""
    raise EntryError(f"{name} is not a number of JSON")


def check_json(value: Any) -> None:
    """Check the depth of parsed JSON, and that its texts are Unicode or stand for bytes.

    Raises:
        EntryError: They are not.
    """
    level = [value]
    for _ in range(_MAX_DEPTH):
        below: list[Any] = []
        for each in level:
            if isinstance(each, str):
                if _SURROGATE.search(each):
                    _check_bytes(each)
            elif isinstance(each, list):
                below += each
            elif isinstance(each, dict):
                below += each
                below += each.values()
        if not below:
            return
        level = below
    raise EntryError(_TOO_DEEP)


def _check_bytes(text: str) -> None:
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise EntryError("it has half of a surrogate pair") from error


def json_object(text: str | bytes) -> dict[str, Any]:
    """Return a JSON object; raises ValueError as :func:`strict_json`, or if it is not one."""
    content = strict_json(text)
    if not isinstance(content, dict):
        raise EntryError("it is not an object")
    return content


def checked_name(name: object) -> str:
    """Return the name of an image, if it stays in the folder of the dataset.

    Raises:
        EntryError: It is not a text, or is a path that leads outside, or a URL.
    """
    if not isinstance(name, str) or not name:
        raise EntryError("the name of its image is missing, or is not a text")
    parts = name.replace("\\", "/").split("/")
    if "\0" in name or ".." in parts or not parts[0] or "://" in name or _DRIVE.match(name):
        raise EntryError(f"the image {name!r} is not in the folder of the dataset")
    return name


def image_path(name: object, folder: str) -> str:
    """Return the path of an image by its name; raises EntryError as :func:`checked_name`."""
    return os.path.join(folder, *checked_name(name).split("/"))


def labels_of(content: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the labels of an entry that another program wrote.

    They are in the first of the usual keys that it has, such as ``label`` or ``text``; else in its
    only other key. Numbers become text.

    Raises:
        EntryError: They are something else than text, numbers or a list of these.
    """
    rest = [key for key in content if key not in (FILE_NAME, SCORE, KEY)]
    key = next((key for key in LABELS if key in content), rest[0] if len(rest) == 1 else None)
    given = content[key] if key is not None else None
    return (
        tuple(map(_label, given))
        if isinstance(given, list)
        else tuple(filter(None, [_label(given) if given is not None else ""]))
    )


def _label(given: object) -> str:
    if isinstance(given, str):
        return given
    if isinstance(given, int | float):
        return str(given)
    raise EntryError(f"a label is neither text nor a number, but {type(given).__name__}")


def record_of(content: Mapping[str, Any], path: str, options: ReadOptions) -> Record:
    """Return the record of an entry.

    Args:
        content: The entry.
        path: The path of its image in the dataset.
        options: Whether the original path is wanted.

    Raises:
        KeyError, TypeError, ValueError or AttributeError: It is damaged.
    """
    own = content.get(KEY)
    if own is not None:
        found = own_record(own)
        return found if options.original else replace(found, path=path)
    labels = labels_of(content)
    given = content.get(SCORE)
    is_score = isinstance(given, int | float) and not isinstance(given, bool)
    score = float(given) if is_score and len(labels) == 1 and 0 <= given <= 1 else 1.0  # type: ignore[operator, arg-type]
    return Record(path, tuple(Prediction("", label, score) for label in labels))


def own_record(own: object) -> Record:
    """Return the record that this tool wrote into an entry, as JSON text or an object.

    Raises:
        KeyError, TypeError, ValueError or AttributeError: It is not one.
    """
    content = json_object(own) if isinstance(own, str) else own
    if not isinstance(content, dict):
        raise EntryError(f"{KEY!r} is not the record of a photo")
    try:
        return unpacked(content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EntryError(f"{KEY!r} is not the record of a photo") from error
