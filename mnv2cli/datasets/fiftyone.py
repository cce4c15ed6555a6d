"""FiftyOne: a folder with labels.json and data.json, its FiftyOneImageClassificationDataset.

Each photo has its labels with confidence: the one to learn first, then the less likely ones. This
type is plain JSON that every version of FiftyOne reads; its other one, FiftyOneDataset, contains
documents of its database, which belong to one version. ``data.json`` maps the keys of the labels
to the images, so that names may have any suffix, and images may be elsewhere. FiftyOne strips a
suffix from the keys in it. The record is in the first label under the key ``mnv2``, which FiftyOne
ignores.
Facts: https://docs.voxel51.com/user_guide/import_datasets.html.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import IO, Any

from mnv2cli.datasets.entries import EntryError, entry, json_text
from mnv2cli.datasets.formats import DatasetFormat, Item, ReadOptions, WriteOptions
from mnv2cli.datasets.json_stream import json_entries, json_head
from mnv2cli.datasets.labels import KEY, packed
from mnv2cli.datasets.referenced import (
    Spool,
    base_of,
    best_first,
    named_record,
    object_of,
    predictions_of,
    score_or_one,
    text_json,
    text_of,
)
from mnv2cli.errors import InputError
from mnv2cli.records import Prediction, Record

LABELS = "labels.json"
DATA = "data.json"

_STRIPPED = ".image"  # FiftyOne removes the suffix of keys in data.json
_HEAD = re.compile(r'"(?:classes|labels)"\s*:\s*[\[{]')


class FiftyOneWriter:
    """Writes labels and the places of images as they come; the classes follow at the end."""

    def __init__(self, path: str, options: WriteOptions) -> None:
        self._options = options
        self._classes = set(options.labels)
        self._unlabelled = Spool(path)
        self._seen: set[int] = set()
        self._labels = _begin(os.path.join(path, LABELS), b'{"labels": {')
        self._data = _begin(os.path.join(path, DATA), b"{")
        self._start = b"\n"

    def write(self, item: Item) -> None:
        """Write the labels of a photo and the place of its image."""
        name = item.file_name
        number = hash(name)  # equal ones of different names are too rare to matter
        if number in self._seen:
            raise InputError(f"the photo {name!r} occurs twice", "Remove one of its rows.")
        self._seen.add(number)
        record = packed(item.record)
        key = json_text(name, item)
        found = predictions_of(item, self._options.label_by) if item.label else ()
        labels = [_label(each) for each in found if each.label]
        if labels:
            labels[0][KEY] = record
            self._classes.update(str(each["label"]) for each in labels)
        else:
            self._unlabelled.write(f"{key}: {json_text(record, item)}".encode())
        self._labels.write(self._start + f"{key}: {json_text(labels, item)}".encode())
        is_elsewhere = self._options.images == "reference"
        place = f"../{name}" if is_elsewhere and not os.path.isabs(name) else name
        stripped = json_text(name + _STRIPPED, item)
        self._data.write(self._start + f"{stripped}: {json_text(place, item)}".encode())
        self._start = b",\n"

    def finish(self) -> None:
        """Write the classes, and the records of photos without labels."""
        self._labels.write(b'\n},\n"classes": [\n')
        self._labels.write(b",\n".join(map(text_json, sorted(self._classes))))
        self._labels.write(b"\n],\n" + json.dumps(KEY).encode() + b": {\n")
        self._unlabelled.move_to(self._labels)
        self._labels.write(b"\n}}\n")
        self._data.write(b"\n}\n")
        self._labels.flush()
        self._data.flush()

    def close(self) -> None:
        """Close the files."""
        self._unlabelled.close()
        self._labels.close()
        self._data.close()


def _begin(path: str, start: bytes) -> IO[bytes]:
    file = open(path, "wb")  # noqa: SIM115
    file.write(start)
    return file


def _label(prediction: Prediction) -> dict[str, object]:
    made: dict[str, object] = {"label": prediction.label, "confidence": float(prediction.score)}
    if prediction.wnid:
        made["attributes"] = {"wnid": prediction.wnid}
    return made


def read_fiftyone(path: str, options: ReadOptions) -> Iterator[Record]:
    """Yield the record of each photo that has an entry in the labels.

    Raises:
        InputError: It is not such a dataset, or is damaged; the message has the key of the photo.
    """
    labels = os.path.join(path, LABELS) if os.path.isdir(path) else path
    if not os.path.isfile(labels):
        raise InputError(f"cannot read the dataset {path!r}: it has no {LABELS}")
    folder = os.path.dirname(labels)
    places = _Places(folder, options)
    classes, unlabelled = _classes(labels)
    seen: set[str] = set()
    for each in json_entries(labels):
        if each.group != "labels" or (each.name is None and each.value == {}):
            continue
        with entry(labels, each.where):
            if not isinstance(each.name, str):
                raise EntryError("the labels are not an object")
            if each.name in seen:
                raise EntryError("it occurs twice")
            seen.add(each.name)
            given = each.value if isinstance(each.value, list) else [each.value]
            found = [_prediction(label, classes) for label in given if label is not None]
            own = given[0].get(KEY) if given and isinstance(given[0], dict) else None
            if own is None and not found:
                own = unlabelled.get(each.name)
            record = places.record(each.name, best_first(found), own)
        yield record


def _classes(path: str) -> tuple[list[str], dict[str, Any]]:
    """Return the names of classes, and the records of photos without labels."""
    classes: list[str] = []
    unlabelled: dict[str, Any] = {}
    is_dataset = False
    for each in json_entries(path):
        is_dataset = is_dataset or each.group == "labels"
        if each.group == KEY and isinstance(each.name, str):
            unlabelled[each.name] = each.value
        elif each.group == "classes" and each.name is not None:
            with entry(path, each.where):
                classes.append(text_of(each.value, "the name of the class"))
    if not is_dataset and not classes:
        raise InputError(f"cannot read the dataset {path!r}: it has no labels")
    return classes, unlabelled


def _prediction(given: Any, classes: list[str]) -> Prediction:
    content = given if isinstance(given, dict) else {"label": given}
    label = content.get("label")
    if isinstance(label, int) and not isinstance(label, bool):
        if classes and not 0 <= label < len(classes):
            raise EntryError(f"the dataset has no class {label}")
        label = classes[label] if classes else str(label)
    attributes = object_of(content.get("attributes") or {}, "'attributes'")
    wnid = attributes.get("wnid", "")
    if not isinstance(wnid, str):
        raise EntryError("its wnid is not a text")
    return Prediction(wnid, text_of(label, "a label"), score_or_one(content.get("confidence")))


class _Places:
    """Where the images of a dataset are, by the keys of its labels."""

    def __init__(self, folder: str, options: ReadOptions) -> None:
        self._options = options
        self._base = base_of(folder, options)
        self._above = os.path.dirname(os.path.abspath(folder))
        self._data: dict[str, str] = {}
        self._files: dict[str, str] = {}
        manifest = os.path.join(folder, DATA)
        if os.path.isfile(manifest):
            for each in json_entries(manifest):
                with entry(manifest, each.where):
                    if each.name is not None:
                        raise EntryError("the place of the image is not a text")
                    place = text_of(each.value, "the place of the image")
                    self._data[os.path.splitext(each.group)[0]] = place
        elif os.path.isdir(os.path.join(folder, "data")):
            self._files = _files(folder)

    def record(self, key: str, labels: tuple[Prediction, ...], own: Any) -> Record:
        """Return the record of a photo; raises EntryError."""
        place = self._data.get(key) or self._files.get(key) or key
        is_own = own is not None
        inner = place.removeprefix("../")
        if is_own and inner != place:  # referenced by this tool, beside the folder of the dataset
            base = self._above if self._options.base is None else self._base
            return named_record(inner, labels, own, base, self._options)
        return named_record(place, labels, own, self._base, self._options)


def _files(folder: str) -> dict[str, str]:
    """Return the names of files in the folder ``data``, by their names without suffix."""
    found: dict[str, str] = {}
    start = os.path.join(folder, "data")
    for above, folders, names in os.walk(start):
        folders.sort()
        for name in sorted(names):
            inner = os.path.relpath(os.path.join(above, name), folder).replace(os.sep, "/")
            key = os.path.splitext(inner)[0].removeprefix("data/")
            found.setdefault(key, os.fsencode(inner).decode("utf-8", "replace"))
    return found


def is_fiftyone(path: str) -> bool:
    """Return whether a folder has labels of FiftyOne, or a file is such labels."""
    file = os.path.join(path, LABELS) if os.path.isdir(path) else path
    if os.path.basename(file) != LABELS:
        return False
    head = json_head(file)
    return head.startswith("{") and bool(_HEAD.search(head))


FIFTYONE = DatasetFormat(
    "fiftyone",
    "FiftyOne image classification, with the confidence of each label",
    "",
    ("reference", "copy", "hardlink", "symlink"),
    FiftyOneWriter,
    read_fiftyone,
    is_fiftyone,
)
