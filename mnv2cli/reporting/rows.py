"""The rows of any file of results or features, as columns: one reader for all formats.

A column of texts has a number for each row, so that several hundred thousand rows are small.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from mnv2cli.errors import NoImagesError
from mnv2cli.records import Record, lead
from mnv2cli.results.any_file import has_features, read_any

if TYPE_CHECKING:
    import pandas as pd

_NAN = float("nan")


class ClassName(NamedTuple):
    """A class of a model, or a node of the tree.

    Attributes:
        label: Its name.
        wnid: Its WordNet ID; two classes with the same name have different ones.
    """

    label: str
    wnid: str


@dataclass(frozen=True)
class Names:
    """The texts of columns, each with its number: its position.

    Attributes:
        classes: Labels and nodes.
        categories: Categories.
        reasons: Why images could not be read.
        models: Models.
        folders: Folders of images.
    """

    classes: dict[ClassName, int] = field(default_factory=dict)
    categories: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    models: dict[str, int] = field(default_factory=dict)
    folders: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Rows:
    """The rows of a file.

    Attributes:
        file: The file.
        has_labels: Whether images can have labels: it is not a features file.
        paths: The images.
        table: A row for each image: the numbers of ``folder``, ``reason``, ``model``, ``label``,
            ``second``, ``category`` and ``node`` (int, -1 for none) and ``score``,
            ``second_score``, ``margin``, ``category_score`` and ``node_score`` (float, NaN for
            none). Label, score and margin are those of the best label; the margin is its lead over
            the second. If that is not in the file, the margin is the least it can be: the second
            has at most the rest of the sum, which is 1.
        names: The texts behind the numbers.
        has_categories: Whether an image has a category, or could have had one.
        has_nodes: The same for nodes.
    """

    file: str
    has_labels: bool
    paths: list[str]
    table: pd.DataFrame
    names: Names
    has_categories: bool
    has_nodes: bool


def read_rows(path: str, names: Names | None = None) -> Rows:
    """Read a file into columns; its records are not kept.

    Args:
        path: As for :func:`read_any`.
        names: Texts that have numbers already, such as those of another file.

    Raises:
        InputError: As for :func:`read_any`.
        NoImagesError: It has no rows.
    """
    import pandas as pd

    columns = _Columns(names or Names())
    for record in read_any(path):
        columns.add(record)
    if not columns.paths:
        raise NoImagesError(f"{path!r} has no rows", "Run mnv2 classify again.")
    has_labels = not has_features(path)
    made = {name: _buffer(values) for name, values in columns.numbers.items()}
    made |= {name: _buffer(values) for name, values in columns.scores.items()}
    return Rows(
        path, has_labels, columns.paths, pd.DataFrame(made, copy=False), columns.names,
        columns.has_categories, columns.has_nodes,
    )  # fmt: skip


def _buffer(values: array[int] | array[float]) -> object:
    import numpy as np

    return np.frombuffer(values, np.int32 if values.typecode == "i" else np.float64)


class _Columns:
    """Collects the columns of records."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.paths: list[str] = []
        self.numbers = {
            name: array("i")
            for name in ("folder", "reason", "model", "label", "second", "category", "node")
        }
        self.scores = {
            name: array("d")
            for name in ("score", "second_score", "margin", "category_score", "node_score")
        }
        self.has_categories = self.has_nodes = False

    def add(self, record: Record) -> None:
        if record.error:  # edited results may have labels beside it
            record = Record(record.path, error=record.error, model=record.model)
        names, numbers, scores = self.names, self.numbers, self.scores
        self.paths.append(record.path)
        folder = os.path.dirname(record.path)
        numbers["folder"].append(names.folders.setdefault(folder, len(names.folders)))
        numbers["reason"].append(_number(names.reasons, record.reason or record.error))
        numbers["model"].append(_number(names.models, record.model))
        self._add_labels(record)
        category, node = record.category, record.node
        self.has_categories |= category is not None
        self.has_nodes |= node is not None
        named = category is not None and category.name != ""
        numbers["category"].append(_number(names.categories, category.name if category else ""))
        scores["category_score"].append(category.score if category and named else _NAN)
        numbers["node"].append(-1 if node is None else self._class(node.label, node.wnid))
        scores["node_score"].append(_NAN if node is None else node.score)

    def _add_labels(self, record: Record) -> None:
        best = record.predictions[:2]
        for name, place in (("label", 0), ("second", 1)):
            each = best[place] if place < len(best) else None
            self.numbers[name].append(-1 if each is None else self._class(each.label, each.wnid))
        first = best[0].score if best else _NAN
        second = best[1].score if len(best) > 1 else _NAN
        self.scores["score"].append(first)
        self.scores["second_score"].append(second)
        least = second if len(best) > 1 else 1 - first
        self.scores["margin"].append(max(0.0, lead(first, least)) if best else _NAN)

    def _class(self, label: str, wnid: str) -> int:
        classes = self.names.classes
        return classes.setdefault(ClassName(label, wnid), len(classes))


def _number(known: dict[str, int], text: str) -> int:
    return known.setdefault(text, len(known)) if text else -1


def shown_names(classes: Sequence[ClassName]) -> list[str]:
    """Return the names of classes, with the WordNet ID where two of them share a name."""
    seen: dict[str, str] = {}
    shared = {each.label for each in classes if seen.setdefault(each.label, each.wnid) != each.wnid}
    return [
        f"{each.label} ({each.wnid})" if each.label in shared and each.wnid else each.label
        for each in classes
    ]
