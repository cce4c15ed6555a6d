"""Predictions from a results file of ``mnv2 classify``, in place of a run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mnv2cli.errors import InputError
from mnv2cli.labels.imagenet import imagenet_labels
from mnv2cli.labels.tree import tree
from mnv2cli.learning.targets import match
from mnv2cli.records import Record
from mnv2cli.results.read import read_results

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NO_LABEL = "(no label)"
"""The class of photos whose scores were all below the minimum of the run."""


@dataclass(frozen=True)
class Results:
    """The predictions of a file.

    Attributes:
        records: The record of each photo, by its path without symbolic links.
        model: The name of the model; several are joined by a comma.
        class_names: The classes that the file names; empty for ImageNet's.
        ranks: The number of predictions of each photo that has any.
    """

    records: dict[str, Record]
    model: str
    class_names: tuple[str, ...]
    ranks: int

    def with_classes(self, names: Iterable[str]) -> Results:
        """Return the results with more classes, for a model with its own: a file names no others.

        Names that are those of classes already, ignoring case, are not added.

        Raises:
            InputError: None of several names is a class that the file names.
        """
        given = list(names)
        if not given or not self.class_names:
            return self
        found = match(given, self.class_names)
        return replace(self, class_names=(*self.class_names, *found.unmatched))

    def scores(self, records: Sequence[Record]) -> NDArray[np.float32]:
        """Return the scores of records, float32 [n, c + 1]; the last column is ``NO_LABEL``."""
        import numpy as np

        if self.class_names:
            columns = {("", name): i for i, name in enumerate(self.class_names)}
        else:
            columns = {(wnid, ""): i for wnid, i in tree().classes.items()}
        names = self.class_names or imagenet_labels()
        scores = np.zeros((len(records), len(names) + 1), np.float32)
        for row, record in enumerate(records):
            for each in record.predictions:
                key = (each.wnid, "") if each.wnid else ("", each.label)
                if key in columns:
                    scores[row, columns[key]] = each.score
            if not record.predictions:
                scores[row, -1] = np.finfo(np.float32).tiny
        return scores


def load_results(path: str, folders: Iterable[str]) -> Results:
    """Return the predictions of a file.

    Args:
        path: The file, in any format that ``mnv2 classify`` writes.
        folders: The names of the folders; for a model with its own classes, they are among these,
            because the file may not name all.

    Raises:
        InputError: The file cannot be read, has no predictions, or those of both ImageNet's classes
            and other ones.
    """
    if not os.path.exists(path):
        raise InputError(f"the results file {path!r} does not exist", "Check its path.")
    records: dict[str, Record] = {}
    models: dict[str, None] = {}
    names: dict[str, None] = {}
    kinds, ranks = set(), 0
    for record in read_results(path):
        records[os.path.realpath(record.path)] = record
        models |= dict.fromkeys([record.model] if record.model else [])
        names |= {each.label: None for each in record.predictions}
        kinds |= {bool(each.wnid) for each in record.predictions}
        ranks = max(ranks, len(record.predictions))
    if not names:
        raise InputError(
            f"{path!r} has no labels", "Classify the photos again: mnv2 classify FOLDER -o FILE"
        )
    if len(kinds) > 1:
        raise InputError(
            f"{path!r} mixes the labels of ImageNet with those of another model",
            "Give the results of one model.",
        )
    own: tuple[str, ...] = ()
    if kinds == {False}:
        _check_any_known(path, names, folders)
        own = tuple(dict.fromkeys([*names, *folders]))
    return Results(records, ", ".join(models), own, ranks)


def _check_any_known(path: str, names: Iterable[str], folders: Iterable[str]) -> None:
    match(folders, list(names))  # raises if the file is of another model
