"""The rows of a page as columns of JSON, which its scripts read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Hashable, Iterable
from hashlib import sha256
from typing import Any

from mnv2cli import __version__
from mnv2cli.records import CategoryScore, Prediction, Record
from mnv2cli.reporting.classes import class_names
from mnv2cli.reporting.content import Content, Entry

CHUNK = 50
"""Thumbnails in an element of the page."""

SCALE = 10_000
"""Scores are integers: their multiple of 1/10,000."""


class _Index:
    """Numbers values in the order of their first use."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}

    def __getitem__(self, value: Hashable) -> int:
        return self._numbers.setdefault(value, len(self._numbers))

    def __iter__(self) -> Any:
        return iter(self._numbers)


class _Columns:
    """Collects the columns of entries."""

    def __init__(self, href: Callable[[str], str]) -> None:
        self._href = href
        self.labels, self.categories, self.targets, self.models = (_Index() for _ in range(4))
        self.folders = _Index()
        self.hrefs: list[str] = []  # of the folders
        names = ("folder", "name", "count", "label", "score", "category", "categoryScore",
                 "node", "nodeScore", "target", "truth", "before", "beforeScore",
                 "right")  # fmt: skip
        self.rows: dict[str, list[Any]] = {name: [] for name in names}
        self.errors: dict[int, str] = {}
        self.notes: dict[int, str] = {}
        self.urls: dict[int, str] = {}  # of photos that are not in their folders

    def add(self, row: int, entry: Entry) -> None:
        record, rows = entry.record, self.rows
        folder, name = _split(record.path)
        number = self.folders[folder]
        if number == len(self.hrefs):
            self.hrefs.append(self._href(record.path))
        rows["folder"].append(number)
        rows["name"].append(name)
        rows["count"].append(len(record.predictions))
        for each in record.predictions:
            rows["label"].append(self._label(each))
            rows["score"].append(_scaled(each.score))
        self._add_category(record.category)
        rows["node"].append(-1 if record.node is None else self._label(record.node))
        rows["nodeScore"].append(0 if record.node is None else _scaled(record.node.score))
        rows["target"].append(self.targets[entry.target] if entry.target else -1)
        rows["truth"].append(self.labels[entry.truth, ""] if entry.truth else -1)
        before = next(iter(entry.before.predictions), None) if entry.before else None
        rows["before"].append(-1 if before is None else self._label(before))
        rows["beforeScore"].append(0 if before is None else _scaled(before.score))
        rows["right"].append(-1 if entry.right is None else int(entry.right))
        if entry.url:
            self.urls[row] = entry.url
        if record.error:
            self.errors[row] = record.error
        if entry.note:
            self.notes[row] = entry.note
        if record.model:
            self.models[record.model]

    def _add_category(self, category: CategoryScore | None) -> None:
        name = category.name if category else ""
        self.rows["category"].append(self.categories[name] if name else -1)
        self.rows["categoryScore"].append(_scaled(category.score) if category else 0)

    def _label(self, prediction: Prediction) -> int:
        return self.labels[prediction.label, prediction.wnid]

    def used_rows(self) -> dict[str, list[Any]]:
        """Return the columns without those that have no value in any row."""
        used = dict(self.rows)
        for name, more in (
            ("category", ("categoryScore",)),
            ("node", ("nodeScore",)),
            ("target", ()),
            ("truth", ()),
            ("before", ("beforeScore",)),
            ("right", ()),
        ):
            if all(value < 0 for value in used[name]):
                for each in (name, *more):
                    del used[each]
        return used


def page_data(
    content: Content, href: Callable[[str], str], thumbnails: dict[str, Any]
) -> dict[str, Any]:
    """Return what the scripts of a page read, as an object of JSON.

    Args:
        content: What the page shows.
        href: Returns the URL of the folder of a photo, with a final slash; empty for none.
        thumbnails: ``kind``, ``embedded``, ``files`` or ``none``; for files also their ``folder``,
            and how many are in a ``group``.
    """
    columns = _Columns(href)
    for row, entry in enumerate(content.entries):
        columns.add(row, entry)
    rows_of: dict[str, list[int]] = {}
    if content.corrections:
        for row, entry in enumerate(content.entries):
            rows_of.setdefault(entry.record.path, []).append(row)
    labels = list(columns.labels)
    records = [entry.record for entry in content.entries]
    more = class_names(records)
    return {
        "tool": f"mnv2 {__version__}",
        "title": content.title,
        "results": content.results,
        "identity": identity(records),
        "models": list(columns.models),
        "names": [name for name, _ in labels],
        "wnids": [wnid for _, wnid in labels],
        "categories": list(columns.categories),
        "targets": list(columns.targets),
        "classes": list(dict.fromkeys([*content.classes, *more.own])),
        "moreLabels": more.labels,
        "moreCategories": more.categories,
        "folders": list(columns.folders),
        "hrefs": columns.hrefs,
        "rows": columns.used_rows(),
        "errors": columns.errors,
        "notes": columns.notes,
        "urls": columns.urls,
        "corrections": [
            [row, each.review, each.label]
            for path, each in content.corrections.items()
            for row in rows_of.get(path, ())
        ],
        "thumbnails": {"chunk": CHUNK, **thumbnails},
    }


def identity(records: Iterable[Record]) -> str:
    """Return a digest of results, by which a page finds its unsaved corrections again."""
    digest = sha256()
    for record in records:
        best = record.predictions[0] if record.predictions else Prediction("", "", 0.0)
        text = "\0".join((record.path, record.error, best.label, str(_scaled(best.score))))
        digest.update(text.encode("utf-8", "surrogateescape") + b"\n")
    return digest.hexdigest()[:32]


def to_script(value: object) -> str:
    """Return JSON for a ``script`` element: ASCII, and without anything that could end it."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _scaled(score: float) -> int:
    """Return a score as an integer; only those of nothing and of all are 0 and the scale."""
    scaled = round(score * SCALE)
    return min(max(scaled, 1), SCALE - 1) if 0 < score < 1 else scaled


def _split(path: str) -> tuple[str, str]:
    """Return the folder of a path with its final separator, and the name."""
    name = os.path.basename(path.replace("\\", "/") if os.name == "nt" else path)
    return path[: len(path) - len(name)], name
