"""Label Studio: tasks whose predictions are the labels, and its exports read back.

The record is in the ``data`` of each task under the key ``mnv2``, which Label Studio keeps: in
``data`` of exports as JSON, and beside the labels in those as JSON_MIN. What people chose counts
more than the record.

Facts: the pages predictions, task_format and export of https://labelstud.io/guide/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from mnv2cli.datasets.entries import EntryError, entry, json_text, own_record, score_of
from mnv2cli.datasets.formats import DatasetFormat, Item, ReadOptions, WriteOptions
from mnv2cli.datasets.json_stream import json_entries, json_head
from mnv2cli.datasets.labels import KEY, packed
from mnv2cli.datasets.referenced import (
    base_of,
    best_first,
    image_place,
    named_record,
    object_of,
    score_or_one,
    text_of,
)
from mnv2cli.errors import InputError
from mnv2cli.records import Prediction, Record
from mnv2cli.sources.names import IMAGE_SUFFIXES, suffix_of

IMAGE = "image"
LABEL = "label"
LOCAL_FILES = "/data/local-files/?d="
"""How Label Studio names files of its local storage; the default of the option ``image_url``."""

_CHOICES = "choices"
_CONTROLS = (LABEL, "choice", _CHOICES, "class", "category")
_MODEL = "mnv2"
_UPLOADED = re.compile(r"/data/upload/(?:\d+/)?(?:[0-9a-f]{8}-)?(.+)", re.DOTALL)
_TASKS = re.compile(r'"(?:predictions|annotations|completions)"\s*:\s*\[')
_DATA = re.compile(r'"data"\s*:\s*\{')
_MIN = re.compile(r'"annotation_id"\s*:')


class LabelStudioWriter:
    """Writes one task per line."""

    def __init__(self, path: str, options: WriteOptions) -> None:
        self._by = options.label_by
        given = options.own.get("image_url")
        self._url = given if isinstance(given, str) and given else LOCAL_FILES
        self._start = b"[\n"
        self._file = open(path, "wb")  # noqa: SIM115

    def write(self, item: Item) -> None:
        """Write the task of a photo."""
        data = {IMAGE: image_url(item.file_name, self._url), KEY: packed(item.record)}
        task = {"data": data, "predictions": self._predictions(item)}
        self._file.write(self._start + json_text(task, item).encode())
        self._start = b",\n"

    def _predictions(self, item: Item) -> list[dict[str, object]]:
        if not item.label:
            return []
        chosen = {
            "from_name": LABEL,
            "to_name": IMAGE,
            "type": _CHOICES,
            "value": {_CHOICES: [item.label]},
        }
        score = min(float(score_of(item.record, self._by)), 1.0)
        model = item.record.model or _MODEL
        return [{"model_version": model, "score": score, "result": [chosen]}]

    def finish(self) -> None:
        """Close the list."""
        self._file.write(b"[\n]\n" if self._start == b"[\n" else b"\n]\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def image_url(name: str, prefix: str) -> str:
    """Return the URL of an image: the prefix, and the name with percent-encoding."""
    name = name.lstrip("/") if prefix.endswith("/") else name
    return prefix + quote(name, safe="/")


def read_label_studio(path: str, options: ReadOptions) -> Iterator[Record]:
    """Yield the record of each task.

    Its labels are what a person chose: the choices in its last annotation that was not cancelled.
    If it has none, it is the record that this tool wrote, else the choices of its first prediction.

    Raises:
        InputError: It is not such a list, or is damaged; the message has the entry.
    """
    folder = base_of(path, options)
    for each in json_entries(path):
        if each.group:
            raise InputError(f"cannot read the dataset {path!r}: it is not a list of tasks")
        with entry(path, each.where):
            record = _record(object_of(each.value), folder, options)
        yield record


def _record(task: dict[str, Any], folder: str, options: ReadOptions) -> Record:
    is_min = "data" not in task
    data = task if is_min else object_of(task["data"], "'data'")
    own = data.get(KEY)
    name = _image_name(_image_of(data))
    people = _min_labels(task) if is_min else _annotated(task)
    if people is None:
        return named_record(name, () if own is not None else _predicted(task), own, folder, options)
    if own is not None and options.original:
        return Record(own_record(own).path, people)
    return Record(image_place(name, folder, is_own=own is not None), people)


def _image_of(data: Mapping[str, Any]) -> str:
    if IMAGE in data:
        return text_of(data[IMAGE], "the image")
    for value in data.values():
        if isinstance(value, str) and suffix_of(value) in IMAGE_SUFFIXES:
            return value
    raise EntryError("it has no image")


def _image_name(url: str) -> str:
    """Return the name of an image by its URL in Label Studio; another URL is returned unchanged."""
    try:
        parts = urlsplit(url)
        if parts.path.endswith("/data/local-files/"):
            return parse_qs(parts.query, strict_parsing=True, errors="strict")["d"][0]
        if uploaded := _UPLOADED.fullmatch(parts.path):
            return unquote(uploaded[1], errors="strict")
        return url if parts.scheme else unquote(url, errors="strict")
    except (ValueError, KeyError) as error:
        raise EntryError(f"the image {url!r} is not a valid URL") from error


def _annotated(task: dict[str, Any]) -> tuple[Prediction, ...] | None:
    """Return the choices of people, which may be none; None if nobody has annotated it."""
    given = task.get("annotations", task.get("completions"))
    for annotation in reversed(_list(given, "'annotations'")):
        content = object_of(annotation, "an annotation")
        if content.get("was_cancelled") or content.get("skipped"):
            continue
        return tuple(Prediction("", label, 1.0) for label in _chosen(content) or ())
    return None


def _predicted(task: dict[str, Any]) -> tuple[Prediction, ...]:
    for prediction in _list(task.get("predictions"), "'predictions'"):
        if isinstance(prediction, int):  # exports have the IDs only
            continue
        content = object_of(prediction, "a prediction")
        score = score_or_one(content.get("score"))
        labels = _chosen(content)
        if labels is not None:
            return best_first(Prediction("", label, score) for label in labels)
    return ()


def _chosen(content: dict[str, Any]) -> list[str] | None:
    """Return the choices of an annotation or a prediction; None if it has none."""
    found: dict[str, list[str]] = {}
    for each in _list(content.get("result"), "'result'"):
        result = object_of(each, "a result")
        if result.get("type") == _CHOICES:
            value = object_of(result.get("value"), "the value of a result")
            name = text_of(result.get("from_name"), "'from_name'")
            found.setdefault(name, []).extend(_texts(value.get(_CHOICES)))
    names = [name for name in _CONTROLS if name in found] or list(found)
    return list(dict.fromkeys(found[names[0]])) if names else None


def _min_labels(task: dict[str, Any]) -> tuple[Prediction, ...] | None:
    """Return the choices in an entry of JSON_MIN, where a single one is a text."""
    for key, value in sorted(task.items(), key=lambda each: each[0] not in _CONTROLS):
        is_choice = isinstance(value, dict) and _CHOICES in value
        if key in _CONTROLS or is_choice:
            values = value if isinstance(value, list) else [value]
            texts = [text for each in values for text in _min_texts(each)]
            return tuple(Prediction("", text, 1.0) for text in dict.fromkeys(texts))
    return None


def _min_texts(value: Any) -> list[str]:
    return _texts(value[_CHOICES] if isinstance(value, dict) else [value])


def _texts(value: Any) -> list[str]:
    return [text_of(each, "a choice") for each in _list(value, "'choices'")]


def _list(value: Any, what: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise EntryError(f"{what} is not a list")
    return value


def is_label_studio(path: str) -> bool:
    """Return whether a file begins as tasks of Label Studio do."""
    head = json_head(path)
    if not re.match(r"\[\s*\{", head):
        return False
    return bool((_TASKS.search(head) and _DATA.search(head)) or _MIN.search(head))


LABEL_STUDIO = DatasetFormat(
    "label-studio",
    "Label Studio tasks with predictions",
    ".json",
    ("reference",),
    LabelStudioWriter,
    read_label_studio,
    is_label_studio,
    options=("image_url",),
)
