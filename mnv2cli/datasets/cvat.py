"""CVAT for images 1.1: XML with one tag per image, which has score, rank and WordNet ID.

The record is in each image as a processing instruction, ``<?mnv2 {...}?>``, which CVAT ignores; its
exports have the labels only. A tag whose source is ``manual`` counts more than the record. Signs
that XML forbids, such as NUL, are replaced in labels, but not in the record; in the name of an
image they are refused. Facts: https://docs.cvat.ai/docs/other/xml_format.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mnv2cli.datasets.entries import EntryError, entry, json_text, own_record
from mnv2cli.datasets.formats import DatasetFormat, Item, ReadOptions, WriteOptions
from mnv2cli.datasets.json_stream import json_head
from mnv2cli.datasets.labels import KEY, packed
from mnv2cli.datasets.referenced import (
    NOT_XML,
    Spool,
    best_first,
    image_place,
    named_record,
    predictions_of,
    score_or_one,
    text_of,
    xml_text,
)
from mnv2cli.errors import InputError
from mnv2cli.records import Prediction, Record
from mnv2cli.results.check import check_regular
from mnv2cli.results.schema import score_text
from mnv2cli.system.messages import reason

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

ANNOTATIONS = "annotations.xml"

_IMAGES = "images"
_ATTRIBUTES = ("score", "rank", "wnid")
_SHAPES = ("box", "polygon", "polyline", "points", "cuboid", "ellipse", "mask", "skeleton")
_BEGIN = re.compile(r"(?:<\?xml[^>]*\?>)?(?:\s|<!--.*?-->)*<annotations[\s>]", re.DOTALL)
_ESCAPED = re.compile(f">|{NOT_XML.pattern}")
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE]-?\d{1,3})?")


class CvatWriter:
    """Writes images into a temporary file; they follow the task, which has their number."""

    def __init__(self, path: str, options: WriteOptions) -> None:
        self._options = options
        self._count = 0
        self._images = Spool(path, b"")
        self._file = open(path, "wb")  # noqa: SIM115

    def write(self, item: Item) -> None:
        """Write a photo and its tag.

        Raises:
            InputError: XML cannot have its name, or a text of its record is not valid UTF-8.
        """
        from lxml import etree

        name = item.file_name
        if NOT_XML.search(name):
            raise InputError(
                f"XML cannot have the name {name!r}: it has a control character",
                "Rename the photo.",
            )
        size = {"width": str(item.width), "height": str(item.height)}
        image = etree.Element("image", {"id": str(self._count), "name": name, **size})
        record = _ESCAPED.sub(_escape, json_text(packed(item.record), item))
        image.append(etree.ProcessingInstruction(KEY, record))
        if item.label:
            self._tag(image, item)
        etree.indent(image, level=1)
        self._images.write(b"  " + etree.tostring(image, encoding="utf-8") + b"\n")
        self._count += 1

    def _tag(self, image: Element, item: Item) -> None:
        from lxml import etree

        best = predictions_of(item, self._options.label_by)[0]
        tag = etree.SubElement(image, "tag", label=xml_text(item.label), source="auto")
        values = (score_text(float(best.score)), "1", best.wnid)
        for name, value in zip(_ATTRIBUTES, values, strict=True):
            if value:
                etree.SubElement(tag, "attribute", name=name).text = xml_text(value)

    def finish(self) -> None:
        """Write the task with its labels, then the images."""
        from lxml import etree

        meta = etree.Element("meta")
        task = etree.SubElement(meta, "task")
        values = {"id": "0", "name": xml_text(self._options.name), "size": str(self._count)}
        values |= {"mode": "annotation", "overlap": "0", "bugtracker": "", "flipped": "False"}
        for name, value in values.items():
            etree.SubElement(task, name).text = value
        labels = etree.SubElement(task, "labels")
        for label in dict.fromkeys(map(xml_text, self._options.labels)):
            _define(labels, label)
        etree.indent(meta, level=1)
        self._file.write(b'<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n')
        self._file.write(b"  <version>1.1</version>\n  ")
        self._file.write(etree.tostring(meta, encoding="utf-8") + b"\n")
        self._images.move_to(self._file)
        self._file.write(b"</annotations>\n")
        self._file.flush()

    def close(self) -> None:
        """Close the files."""
        self._images.close()
        self._file.close()


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def _define(labels: Element, name: str) -> None:
    """Define a label of the task, with the attributes that its tags have."""
    from lxml import etree

    label = etree.SubElement(labels, "label")
    etree.SubElement(label, "name").text = name
    attributes = etree.SubElement(label, "attributes")
    for each in _ATTRIBUTES:
        attribute = etree.SubElement(attributes, "attribute")
        values = {"name": each, "mutable": "False", "input_type": "text"}
        for key, value in {**values, "default_value": "", "values": ""}.items():
            etree.SubElement(attribute, key).text = value


def read_cvat(path: str, options: ReadOptions) -> Iterator[Record]:
    """Yield the record of each image: its tags are the labels, else the labels of its shapes.

    Args:
        path: The XML file, or a folder with ``annotations.xml`` and the images in ``images``.
        options: Where the images are.

    Raises:
        InputError: It is not CVAT for images 1.1, or is damaged; the message has the image.
    """
    file = os.path.join(path, ANNOTATIONS) if os.path.isdir(path) else path
    folder = os.path.dirname(file) if options.base is None else options.base
    if os.path.isdir(path) and options.base is None:
        inner = os.path.join(path, _IMAGES)
        folder = inner if os.path.isdir(inner) else path
    seen: set[str] = set()
    for image in _images(file):
        number = image.get("id", "")
        with entry(file, f"image {number or '?'!r}"):
            if not number.isdecimal():
                raise EntryError("its ID is missing, or is not a number")
            if number in seen:
                raise EntryError("its ID occurs twice")
            seen.add(number)
            record = _record(image, folder, options)
        yield record


def _images(path: str) -> Iterator[Element]:
    """Yield the elements of images, each before it is forgotten."""
    from lxml import etree

    check_regular(path)
    try:
        with open(path, "rb") as file:
            context = etree.iterparse(
                file,
                events=("start", "end"),
                resolve_entities=False,
                no_network=True,
                load_dtd=False,
                huge_tree=False,
            )
            root: Any = None
            for event, element in context:
                if root is None:
                    root = element
                    _check_root(root, path)
                if event == "end" and element.getparent() is root:
                    if element.tag == "image":
                        yield element
                    elif element.tag == "track":
                        raise InputError(
                            f"cannot read the dataset {path!r}: it is CVAT for video",
                            "Export it as CVAT for images.",
                        )
                    _forget(element)
    except OSError as error:
        raise InputError(f"cannot read the dataset {path!r}: {reason(error)}") from error
    except etree.XMLSyntaxError as error:
        why = (error.msg or "it is empty").partition("\n")[0]
        raise InputError(f"cannot read the dataset {path!r}: it is not valid XML: {why}") from error


def _check_root(root: Element, path: str) -> None:
    about = root.getroottree().docinfo
    if about.internalDTD is not None or about.externalDTD is not None:
        raise InputError(f"cannot read the dataset {path!r}: it has a document type definition")
    if root.tag != "annotations":
        raise InputError(f"cannot read the dataset {path!r}: it is not XML of CVAT")


def _forget(element: Element) -> None:
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _record(image: Element, folder: str, options: ReadOptions) -> Record:
    name = image.get("name")
    own = next((each.text for each in image if _is_own(each)), None)
    tags = [_label(each) for each in image.iterchildren("tag")]
    chosen = [label for label, is_manual in tags if is_manual]
    if chosen and own is not None:
        place = image_place(name, folder, is_own=True)
        return Record(own_record(own).path if options.original else place, best_first(chosen))
    labels = best_first(chosen or [label for label, _ in tags])
    if own is not None:
        return _own(name, labels, own, folder, options)
    if not labels:
        labels = best_first(_label(each)[0] for each in image.iterchildren(*_SHAPES))
    return named_record(name, labels, None, folder, options)


def _own(
    name: object, labels: tuple[Prediction, ...], own: str, folder: str, options: ReadOptions
) -> Record:
    """Return the record of this tool, whose labels may have signs that XML does not."""
    record = own_record(own)
    known = {xml_text(each.label) for each in (*record.predictions, record.node) if each}
    if record.category:
        known.add(xml_text(record.category.name))
    is_same = bool(labels) and labels[0].label in known
    return named_record(name, () if is_same else labels, own, folder, options)


def _is_own(node: Any) -> bool:
    from lxml import etree

    return node.tag is etree.PI and node.target == KEY


def _label(element: Element) -> tuple[Prediction, bool]:
    """Return the label of a tag or a shape, and whether a person gave it."""
    values = {each.get("name"): each.text or "" for each in element.iterchildren("attribute")}
    score = values.get("score", "")
    is_manual = element.get("source") == "manual"
    given = float(score) if _NUMBER.fullmatch(score) and not is_manual else None
    label = text_of(element.get("label"), "the label of a tag")
    return Prediction(values.get("wnid", ""), label, score_or_one(given)), is_manual


def is_cvat(path: str) -> bool:
    """Return whether a file, or annotations.xml in a folder, begins as XML of CVAT does."""
    file = os.path.join(path, ANNOTATIONS) if os.path.isdir(path) else path
    return bool(_BEGIN.match(json_head(file, 1 << 12)))


CVAT = DatasetFormat(
    "cvat",
    "CVAT for images 1.1: XML with a tag per image",
    ".xml",
    ("reference",),
    CvatWriter,
    read_cvat,
    is_cvat,
    needs_size=True,
)
