"""The figures of a results file: errors, labels, categories, scores, folders."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from mnv2cli.reporting.rows import ClassName, Rows, read_rows, shown_names
from mnv2cli.sources.names import natural_key

if TYPE_CHECKING:
    import pandas as pd

BINS = 10
"""Bins of a histogram: from 0 to 0.1, ..., from 0.9 to 1."""

LEAST_SURE = 10
"""Photos that are named as the least sure."""


@dataclass(frozen=True, slots=True)
class Count:
    """A name and its number of images, such as a model or a reason."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Group:
    """The images with the same label, category or node.

    Attributes:
        name: Its name; with the WordNet ID if two in the file share a name.
        wnid: The WordNet ID; empty for a category.
        count: The number of images.
        mean_score: The mean of their scores for it, in [0, 1].
    """

    name: str
    wnid: str
    count: int
    mean_score: float


@dataclass(frozen=True, slots=True)
class Scores:
    """The distribution of scores, or of margins.

    Attributes:
        mean: Their mean, in [0, 1].
        median: Their median, in [0, 1].
        histogram: The number of images in each of ten equal bins.
    """

    mean: float
    median: float
    histogram: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Unsure:
    """An image whose best labels are close to each other.

    Attributes:
        path: The image.
        margin: The lead of the best label over the second; for files with one label see
            :class:`~mnv2cli.reporting.rows.Rows`.
        label: The best label.
        score: Its score.
        second: The second; empty if it is not in the file.
        second_score: Its score; None if it is not in the file.
    """

    path: str
    margin: float
    label: str
    score: float
    second: str
    second_score: float | None


@dataclass(frozen=True, slots=True)
class Folder:
    """The images directly in a folder.

    Attributes:
        folder: The folder; empty for the current one.
        images: The number of images.
        unreadable: How many of them could not be read.
        most: Their most frequent category, or label in a file without categories; empty for none.
        most_count: The number of images with it.
        mean_score: The mean of the scores of their best labels; None without labels.
    """

    folder: str
    images: int
    unreadable: int
    most: str
    most_count: int
    mean_score: float | None


@dataclass(frozen=True, slots=True)
class Summary:
    """All figures of a file; lists are in the order of counts, the largest first.

    Attributes:
        file: The results file.
        images: The number of rows.
        read: How many of the images could be read.
        unreadable: How many could not.
        repeated: Rows whose path is also in an earlier row.
        unlabelled: Images that were read, but have no label: no score reached ``--min-score``, or
            it is a features file.
        uncategorised: Images that were read, but have no category; None without categories.
        errors: Reasons why images could not be read.
        models: The models of the run.
        labels: The best labels.
        categories: The categories; None if the file has none.
        nodes: The nodes of the tree; None if the file has none.
        scores: The scores of the best labels; None if no image has one.
        margins: Their lead over the second labels; None if no image has one.
        least_sure: The ten images with the smallest margins.
        folders: The folders.
    """

    file: str
    images: int
    read: int
    unreadable: int
    repeated: int
    unlabelled: int
    uncategorised: int | None
    errors: tuple[Count, ...]
    models: tuple[Count, ...]
    labels: tuple[Group, ...]
    categories: tuple[Group, ...] | None
    nodes: tuple[Group, ...] | None
    scores: Scores | None
    margins: Scores | None
    least_sure: tuple[Unsure, ...]
    folders: tuple[Folder, ...]

    def as_object(self) -> dict[str, Any]:
        """Return all figures as an object of JSON; its keys are the attributes."""
        return asdict(self)

    def table(self) -> Iterator[tuple[str, str, int, float | None]]:
        """Yield section, name, count and mean score of each count; the mean is None without one."""
        for name, number in (
            ("all", self.images),
            ("read", self.read),
            ("unreadable", self.unreadable),
            ("repeated", self.repeated),
            ("unlabelled", self.unlabelled),
            ("uncategorised", self.uncategorised),
        ):
            if number is None:
                continue
            mean = self.scores.mean if self.scores and name == "all" else None
            yield "images", name, number, mean
        for section, counts in (("error", self.errors), ("model", self.models)):
            for each in counts:
                yield section, each.name, each.count, None
        for section, groups in (
            ("label", self.labels),
            ("category", self.categories),
            ("node", self.nodes),
        ):
            for group in groups or ():
                yield section, group.name, group.count, group.mean_score
        for section, scores in (("score", self.scores), ("margin", self.margins)):
            for place, number in enumerate(scores.histogram if scores else ()):
                yield section, f"{place / BINS:.1f} to {(place + 1) / BINS:.1f}", number, None
        for folder in self.folders:
            yield "folder", folder.folder, folder.images, folder.mean_score


def summarise(path: str) -> Summary:
    """Return the figures of a file, of any size: its rows are columns of numbers in memory.

    Args:
        path: A file that ``mnv2 classify``, ``merge`` or ``embed`` wrote, in any format. Features
            have no labels: their images and folders are counted.

    Raises:
        InputError: The file cannot be read, or is not such a file.
        NoImagesError: It has no rows.
    """
    return summary_of(read_rows(path))


def summary_of(rows: Rows) -> Summary:
    """Return the figures of rows that have been read."""
    table, names = rows.table, rows.names
    read = table[table["reason"] < 0]
    labelled = table[table["label"] >= 0]
    return Summary(
        file=rows.file,
        images=len(table),
        read=len(read),
        unreadable=len(table) - len(read),
        repeated=len(table) - len(set(rows.paths)),
        unlabelled=len(read) - len(labelled),
        uncategorised=int((read["category"] < 0).sum()) if rows.has_categories else None,
        errors=_counts(table["reason"], list(names.reasons)),
        models=_counts(table["model"], list(names.models)),
        labels=_groups(table, "label", "score", list(names.classes)),
        categories=_groups(table, "category", "category_score", _as_classes(names.categories))
        if rows.has_categories
        else None,
        nodes=_groups(table, "node", "node_score", list(names.classes)) if rows.has_nodes else None,
        scores=_scores(labelled["score"]),
        margins=_scores(labelled["margin"]),
        least_sure=tuple(_least_sure(rows)),
        folders=tuple(_folders(rows)),
    )


def _as_classes(names: Sequence[str] | dict[str, int]) -> list[ClassName]:
    return [ClassName(name, "") for name in names]


def _counts(column: pd.Series[int], names: list[str]) -> tuple[Count, ...]:
    counts = column[column >= 0].value_counts()
    made = [
        Count(names[number], many)
        for number, many in zip(counts.index.tolist(), counts.tolist(), strict=True)
    ]
    return tuple(sorted(made, key=lambda each: (-each.count, each.name)))


def _groups(
    table: pd.DataFrame, column: str, score: str, classes: list[ClassName]
) -> tuple[Group, ...]:
    found = table[table[column] >= 0].groupby(column)[score].agg(["size", "mean"])
    present = [classes[number] for number in found.index.tolist()]
    columns = (found[name].tolist() for name in ("size", "mean"))
    made = [
        Group(name, each.wnid, size, mean)
        for name, each, size, mean in zip(shown_names(present), present, *columns, strict=True)
    ]
    return tuple(sorted(made, key=lambda each: (-each.count, each.name, each.wnid)))


def _scores(column: pd.Series[float]) -> Scores | None:
    import numpy as np

    if column.empty:
        return None
    # 0.3 is in the bin that starts at 0.3, although 3 * 0.1 is more.
    bins = np.floor(np.round(column.to_numpy() * BINS, 6)).astype(int).clip(0, BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    return Scores(float(column.mean()), float(column.median()), tuple(counts.tolist()))


def _least_sure(rows: Rows) -> Iterator[Unsure]:
    """Yield the images with the smallest margins; of equals the first in the file."""
    chosen = rows.table[rows.table["label"] >= 0].nsmallest(LEAST_SURE, "margin")
    classes = [*rows.names.classes, ClassName("", "")]  # -1 is none
    columns = (chosen[name].tolist()
               for name in ("margin", "label", "score", "second", "second_score"))  # fmt: skip
    for row, margin, label, score, second, second_score in zip(
        chosen.index.tolist(), *columns, strict=True
    ):
        shown = shown_names([classes[label], classes[second]])
        last = second_score if second >= 0 else None
        yield Unsure(rows.paths[row], margin, shown[0], score, shown[1], last)


def _folders(rows: Rows) -> Iterator[Folder]:
    """Yield the folders, those with most images first."""
    table = rows.table
    column = "category" if rows.has_categories else "label"
    names = [*rows.names.categories]
    if column == "label":
        names = shown_names(list(rows.names.classes))
    found = table.groupby("folder").agg(images=("label", "size"), score=("score", "mean"))
    found["unreadable"] = (table["reason"] >= 0).groupby(table["folder"]).sum()
    pairs = table[table[column] >= 0].groupby(["folder", column]).size()
    best = pairs.reset_index(name="many").sort_values("many", ascending=False, kind="stable")
    most = best.drop_duplicates("folder").set_index("folder")
    found["most"] = most[column].reindex(found.index, fill_value=-1)
    found["many"] = most["many"].reindex(found.index, fill_value=0)
    folders, names = list(rows.names.folders), [*names, ""]  # -1 is none
    columns = (found[name].tolist() for name in ("images", "unreadable", "most", "many", "score"))
    made = [
        Folder(folders[number], images, bad, names[code], many,
               None if math.isnan(score) else score)
        for number, images, bad, code, many, score in zip(
            found.index.tolist(), *columns, strict=True
        )
    ]  # fmt: skip
    yield from sorted(made, key=lambda each: (-each.images, natural_key(each.folder)))
