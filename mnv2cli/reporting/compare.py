"""Compare two runs over the same images, joined by path.

Paths are joined as absolute, normal paths: ``./a/../b.jpg`` is ``b.jpg``, and relative paths start
in the current folder, so a file with relative and one with absolute paths can be compared there.
URLs are joined unchanged. If a file has a path in several rows, its last row counts.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from mnv2cli.errors import InputError
from mnv2cli.reporting.content import Entry
from mnv2cli.reporting.difference import (
    Change,
    ChangeKind,
    ClassChange,
    Difference,
    LabelChange,
    Pair,
    ScoreChange,
)
from mnv2cli.reporting.rows import ClassName, Names, Rows, read_rows, shown_names
from mnv2cli.results.any_file import read_any
from mnv2cli.sources.urls import is_url

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

MOST_CHANGED = 10
"""Images that are named as the most changed."""

_LONGEST_SHOWN = 200  # characters of a path in a message


def compare(after: str, before: str) -> Difference:
    """Return the difference of two results files.

    Args:
        after: The file of the later run, in any format of results.
        before: The file of the earlier run.

    Raises:
        InputError: A file cannot be read, has features instead of labels, or no image is in both.
        NoImagesError: A file has no rows.
    """
    names = Names()
    rows_after, rows_before = read_rows(after, names), read_rows(before, names)
    for rows in (rows_after, rows_before):
        if not rows.has_labels:
            raise InputError(
                f"cannot compare {rows.file!r}: it has features, not labels",
                "Compare results of mnv2 classify.",
            )
    joined = _Joined(rows_before, rows_after)
    if not len(joined.table):
        raise InputError(
            f"no image of {after!r} is in {before!r}: the paths differ, such as "
            f"{_shown(rows_after.paths[0])} and {_shown(rows_before.paths[0])}",
            "Relative paths start in the current folder: run this where they are right.",
        )
    return joined.difference()


def _shown(path: str) -> str:
    """Return a path in quotes for a message; of a long one the end."""
    return repr(path if len(path) <= _LONGEST_SHOWN else f"...{path[3 - _LONGEST_SHOWN :]}")


def with_before(entries: Iterable[Entry], other: str) -> list[Entry]:
    """Return entries with the record of another run, by path, as ``before``.

    Args:
        entries: Those of the later run.
        other: The results file of the earlier run. Of its predictions the best one is kept.

    Returns:
        The entries in order; ``before`` is None for an image that the other run lacks.

    Raises:
        InputError: The file cannot be read, or is not a results file.
    """
    key = path_key()
    known = {
        key(each.path): replace(
            each, predictions=each.predictions[:1], embedding=None, thumbnail=None
        )
        for each in read_any(other)
    }
    return [replace(each, before=known.get(key(each.record.path))) for each in entries]


def path_key() -> Callable[[str], str]:
    """Return a function that returns the same text for all paths of an image."""
    start = os.getcwd()
    join, norm, case = os.path.join, os.path.normpath, os.path.normcase

    def key(path: str) -> str:
        return path if is_url(path) else case(norm(join(start, path)))

    return key


def _last_rows(paths: list[str]) -> dict[str, int]:
    """Return the row of each image: its last one, at the place of its first one."""
    key = path_key()
    return {key(path): row for row, path in enumerate(paths)}


class _ShownNames(NamedTuple):
    """The names of classes and categories by their numbers; -1 is the last one, which is empty."""

    classes: list[str]
    categories: list[str]
    reasons: list[str]


class _Joined:
    """The images of two files, side by side."""

    def __init__(self, before: Rows, after: Rows) -> None:
        import pandas as pd

        self._files = {"before": before, "after": after}
        self._rows = {name: _last_rows(rows.paths) for name, rows in self._files.items()}
        here, there = self._rows["after"], self._rows["before"]
        shared = [(there[key], row) for key, row in here.items() if key in there]
        classes = list(after.names.classes)
        first = _first_of_each(classes)
        columns: dict[str, Any] = {}
        for place, (name, rows) in enumerate(self._files.items()):
            chosen = rows.table.take([each[place] for each in shared])
            for column in ("reason", "label", "score", "category", "category_score"):
                columns[f"{column}_{name}"] = chosen[column].to_numpy()
            columns[f"label_{name}"] = first[columns[f"label_{name}"]]
            columns[f"row_{name}"] = chosen.index.to_numpy()
        self.table = pd.DataFrame(columns)
        self._names = _ShownNames(
            [*shown_names(classes), ""], [*after.names.categories, ""], [*after.names.reasons, ""]
        )
        self._has_categories = before.has_categories and after.has_categories

    def difference(self) -> Difference:
        table = self.table
        read_before, read_after = table["reason_before"] < 0, table["reason_after"] < 0
        compared = table[read_before & read_after]
        other_label = compared["label_before"] != compared["label_after"]
        other_category = self._other_category(compared)
        changed, same = compared[other_label], compared[~other_label]
        both_unreadable = int((~read_before & ~read_after).sum())
        is_empty = compared.empty
        before, after = self._files["before"], self._files["after"]
        count_before, count_after = (len(self._rows[name]) for name in self._files)
        return Difference(
            before=before.file,
            after=after.file,
            images_before=count_before,
            images_after=count_after,
            repeated_before=len(before.paths) - count_before,
            repeated_after=len(after.paths) - count_after,
            only_before=count_before - len(table),
            only_after=count_after - len(table),
            both=len(table),
            compared=len(compared),
            same_label=len(same),
            agreement=None if is_empty else len(same) / len(compared),
            label_changed=len(changed),
            category_changed=int(other_category.sum()) if self._has_categories else None,
            unchanged=int((~other_label & ~other_category).sum()) + both_unreadable,
            now_unreadable=int((read_before & ~read_after).sum()),
            now_readable=int((~read_before & read_after).sum()),
            mean_before=_mean(compared["score_before"]),
            mean_after=_mean(compared["score_after"]),
            pairs=_pairs(changed, "label", self._names.classes),
            category_pairs=_pairs(compared[other_category], "category", self._names.categories),
            classes=self._classes(compared, changed),
            most_changed_scores=tuple(self._most_changed_scores(same)),
            most_changed_labels=tuple(self._most_changed_labels(changed)),
            changes=self._changes,
        )

    def _other_category(self, compared: pd.DataFrame) -> pd.Series[bool]:
        differs = compared["category_before"] != compared["category_after"]
        return differs & self._has_categories

    def _classes(self, compared: pd.DataFrame, changed: pd.DataFrame) -> tuple[ClassChange, ...]:
        before, after = (compared[f"label_{name}"].value_counts() for name in self._files)
        lost, gained = (changed[f"label_{name}"].value_counts() for name in self._files)
        made = [
            ClassChange(self._names.classes[number], *(int(each.get(number, 0)) for each in counts))
            for counts in [(before, after, gained, lost)]
            for number in {*gained.index, *lost.index}
        ]
        return tuple(sorted(made, key=lambda each: (-each.gained - each.lost, each.name)))

    def _most_changed_scores(self, same: pd.DataFrame) -> Iterator[ScoreChange]:
        by = (same["score_after"] - same["score_before"]).abs()
        for row in _largest(same, by[by > 0]):
            name = self._names.classes[row["label_after"]]
            yield ScoreChange(self._path(row), name, row["score_before"], row["score_after"])

    def _most_changed_labels(self, changed: pd.DataFrame) -> Iterator[LabelChange]:
        scores = changed[["score_before", "score_after"]]
        for row in _largest(changed, scores.min(axis=1, skipna=False).dropna()):
            yield LabelChange(
                self._path(row),
                self._names.classes[row["label_before"]],
                row["score_before"],
                self._names.classes[row["label_after"]],
                row["score_after"],
            )

    def _path(self, row: dict[str, Any]) -> str:
        number: int = row["row_after"]
        return self._files["after"].paths[number]

    def _changes(self) -> Iterator[Change]:
        """Yield the changes in the order of the later run, then the images that it lacks."""
        names = self._names
        before, after = (_Shown(rows, names) for rows in self._files.values())
        rows = _dicts(self.table)
        there, here = self._rows["before"], self._rows["after"]
        for key, number in here.items():
            path = after.paths[number]
            if key not in there:
                yield Change(path, "only_after", "", None, *after.label(number))
                continue
            row = next(rows)
            one, other = before.label(row["row_before"]), after.label(number)
            if (row["reason_before"] < 0) != (row["reason_after"] < 0):
                kind: ChangeKind = "readable" if row["reason_after"] < 0 else "unreadable"
                yield Change(path, kind, *one, *other)
            elif row["reason_after"] < 0:
                if row["label_before"] != row["label_after"]:
                    yield Change(path, "label", *one, *other)
                if self._has_categories and row["category_before"] != row["category_after"]:
                    shown = [
                        (names.categories[row[f"category_{name}"]],
                         _or_none(row[f"category_score_{name}"]))
                        for name in self._files
                    ]  # fmt: skip
                    yield Change(path, "category", *shown[0], *shown[1])
        for key, number in there.items():
            if key not in here:
                yield Change(before.paths[number], "only_before", *before.label(number), "", None)


class _Shown:
    """The label or error of each row of a file, by its number."""

    def __init__(self, rows: Rows, names: _ShownNames) -> None:
        self.paths = rows.paths
        self._names = names
        self._reasons: list[int] = rows.table["reason"].tolist()
        self._labels: list[int] = rows.table["label"].tolist()
        self._scores: list[float] = rows.table["score"].tolist()

    def label(self, number: int) -> tuple[str, float | None]:
        """Return the best label of a row and its score, or why it could not be read."""
        if (reason := self._reasons[number]) >= 0:
            return self._names.reasons[reason], None
        return self._names.classes[self._labels[number]], _or_none(self._scores[number])


def _or_none(score: float) -> float | None:
    return None if math.isnan(score) else score


def _mean(column: pd.Series[float]) -> float | None:
    return _or_none(float(column.mean()))


def _dicts(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield rows one by one: all of them at once would take much memory."""
    columns = [table[name].tolist() for name in table.columns]
    for values in zip(*columns, strict=True):
        yield dict(zip(table.columns, values, strict=True))


def _largest(table: pd.DataFrame, by: pd.Series[float]) -> list[dict[str, Any]]:
    chosen = by.nlargest(MOST_CHANGED).index
    return list(_dicts(table.loc[chosen]))


def _pairs(changed: pd.DataFrame, column: str, names: list[str]) -> tuple[Pair, ...]:
    both = [f"{column}_before", f"{column}_after"]
    counts = changed.groupby(both).size().reset_index(name="count")
    made = [Pair(names[row[both[0]]], names[row[both[1]]], row["count"]) for row in _dicts(counts)]
    return tuple(sorted(made, key=lambda each: (-each.count, each.before, each.after)))


def _first_of_each(classes: list[ClassName]) -> NDArray[np.int32]:
    """Return the number of the class that each number stands for; the last one, of -1, is -1.

    A class is known by its WordNet ID. A run whose classes have none names the same ones.
    """
    import numpy as np

    by_wnid: dict[str, int] = {}
    by_label: dict[str, list[int]] = {}
    for number, each in enumerate(classes):
        if each.wnid and by_wnid.setdefault(each.wnid, number) == number:
            by_label.setdefault(each.label, []).append(number)
    found = []
    for number, each in enumerate(classes):
        same = by_label.get(each.label, [])
        alone = same[0] if len(same) == 1 else number
        found.append(by_wnid[each.wnid] if each.wnid else alone)
    return np.array([*found, -1], np.int32)
