"""COCO-style JSON: images, categories, and one annotation per image that covers all of it.

The record is in each image under the key ``mnv2``. COCO's format of data is described at
https://cocodataset.org/#format-data.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from mnv2cli.datasets.entries import EntryError, entry, json_text, score_of
from mnv2cli.datasets.formats import DatasetFormat, Item, ReadOptions, WriteOptions
from mnv2cli.datasets.json_stream import json_entries, json_head
from mnv2cli.datasets.labels import KEY, packed
from mnv2cli.datasets.referenced import (
    Spool,
    base_of,
    best_first,
    named_record,
    object_of,
    score_or_one,
    text_json,
    text_of,
)
from mnv2cli.errors import InputError
from mnv2cli.records import Prediction, Record

_LISTS = ("images", "annotations", "categories")
_IMAGES = re.compile(r'"images"\s*:\s*\[')
_LABELS = re.compile(r'"(?:annotations|categories|licenses|info|images)"\s*:\s*[\[{]')
_ID_KINDS = (int, str)

Id = int | str


class CocoWriter:
    """Writes images as they come; annotations and categories follow at the end."""

    def __init__(self, path: str, options: WriteOptions) -> None:
        self._options = options
        self._ids = {label: number for number, label in enumerate(options.labels, 1)}
        self._above: dict[str, Counter[str]] = defaultdict(Counter)
        self._count = 0
        self._annotated = 0
        self._annotations = Spool(path)
        self._file = open(path, "wb")  # noqa: SIM115
        head = {"description": options.name, "version": "1.0", "contributor": "mnv2"}
        self._file.write(b'{"info": ' + json.dumps(head).encode() + b',\n"licenses": [],\n')
        self._file.write(b'"images": [')

    def write(self, item: Item) -> None:
        """Write an image, and its annotation if it has a label."""
        self._count += 1
        image = {
            "id": self._count,
            "file_name": item.file_name,
            "width": item.width,
            "height": item.height,
            KEY: packed(item.record),
        }
        start = b"\n" if self._count == 1 else b",\n"
        self._file.write(start + json_text(image, item).encode())
        if item.label:
            self._annotate(item)

    def _annotate(self, item: Item) -> None:
        self._annotated += 1
        annotation = {
            "id": self._annotated,
            "image_id": self._count,
            "category_id": self._ids[item.label],
            "score": float(score_of(item.record, self._options.label_by)),
            "bbox": [0, 0, item.width, item.height],
            "area": item.width * item.height,
            "segmentation": [],
            "iscrowd": 0,
        }
        self._annotations.write(json.dumps(annotation).encode())
        category = item.record.category
        if self._options.label_by != "category" and category and category.name:
            self._above[item.label][category.name] += 1

    def finish(self) -> None:
        """Write the annotations, and the categories with the ones that most photos have above."""
        self._file.write(b'\n],\n"annotations": [\n')
        self._annotations.move_to(self._file)
        self._file.write(b'\n],\n"categories": [')
        for label, number in self._ids.items():
            counts = self._above.get(label) or {"": 0}
            above = min(counts, key=lambda name: (-counts[name], name))
            self._file.write(b"\n" if number == 1 else b",\n")
            name, supercategory = text_json(label), text_json(above)
            self._file.write(
                b'{"id": %d, "name": %b, "supercategory": %b}' % (number, name, supercategory)
            )
        self._file.write(b"\n]}\n")
        self._file.flush()

    def close(self) -> None:
        """Close the files."""
        self._annotations.close()
        self._file.close()


class _Labels:
    """What the first pass of reading finds: the labels of images, by their IDs."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._names: dict[Id, str] = {}
        self._given: dict[Id, list[tuple[Id, float]]] = {}
        self._images: set[Id] = set()
        found: set[str] = set()
        for each in json_entries(path):
            if each.name is None and each.group in _LISTS and each.value != []:
                raise InputError(f"cannot read the dataset {path!r}: {each.group!r} is not a list")
            found.add(each.group)
            if each.group in _LISTS and each.name is not None:
                with entry(path, each.where):
                    self._add(each.group, object_of(each.value))
        if "images" not in found:
            raise InputError(f"cannot read the dataset {path!r}: it has no images")
        for image, labels in self._given.items():
            with entry(path, f"an annotation of the image {image!r}"):
                if image not in self._images:
                    raise EntryError("the dataset has no such image")
                for category, _ in labels:
                    if category not in self._names:
                        raise EntryError(f"the dataset has no category {category!r}")

    def _add(self, group: str, item: dict[str, Any]) -> None:
        if group == "annotations":
            image, category = id_of(item, "image_id"), id_of(item, "category_id")
            score = score_or_one(item.get("score"))
            labels = self._given.setdefault(image, [])
            if (category, score) not in labels:
                labels.append((category, score))
            return
        number = id_of(item, "id")
        if group == "categories":
            if number in self._names:
                raise EntryError(f"the ID {number!r} occurs twice")
            self._names[number] = text_of(item.get("name"), "the name of the category")
        else:
            if number in self._images:
                raise EntryError(f"the ID {number!r} occurs twice")
            self._images.add(number)

    def of(self, image: Id) -> tuple[Prediction, ...]:
        """Return the labels of an image, best first."""
        given = self._given.get(image, ())
        return best_first(Prediction("", self._names[label], score) for label, score in given)


def id_of(item: dict[str, Any], key: str) -> Id:
    """Return an ID of an entry; raises EntryError if it is neither an integer nor a text."""
    found = item.get(key)
    if isinstance(found, bool) or not isinstance(found, _ID_KINDS):
        raise EntryError(f"{key!r} is missing, or is neither an integer nor a text")
    return found


def read_coco(path: str, options: ReadOptions) -> Iterator[Record]:
    """Yield the record of each image; its labels are the categories of all its annotations.

    The file is read twice: for the annotations, then for the images.

    Raises:
        InputError: It is not COCO, or is damaged; the message has the entry.
    """
    labels = _Labels(path)
    folder = base_of(path, options)
    for each in json_entries(path):
        if each.group == "images" and each.name is not None:
            with entry(path, each.where):
                item = object_of(each.value)
                found = labels.of(id_of(item, "id"))
                record = named_record(item.get("file_name"), found, item.get(KEY), folder, options)
            yield record


def is_coco(path: str) -> bool:
    """Return whether a file begins as a COCO dataset does."""
    head = json_head(path)
    if not head.startswith("{"):
        return False
    found = {match.group() for match in _LABELS.finditer(head)}
    return bool(_IMAGES.search(head)) and len(found) > 1


COCO = DatasetFormat(
    "coco",
    "COCO-style JSON: images, categories and annotations of whole images",
    ".json",
    ("reference",),
    CocoWriter,
    read_coco,
    is_coco,
    needs_size=True,
)
