"""Which class folder a photo belongs in, by what was seen in it and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from mnv2cli.errors import ImageError, InputError
from mnv2cli.labels.imagenet import imagenet_labels
from mnv2cli.records import Record
from mnv2cli.sorting.dates import ReadDate, no_date
from mnv2cli.sorting.folders import FolderTemplate
from mnv2cli.sorting.options import FolderOptions

UNSURE, OTHER, UNDATED = "unsure", "other", "undated"


@cache
def _shared_labels() -> frozenset[str]:
    names = [label.name for label in imagenet_labels()]
    return frozenset(name for name in names if names.count(name) > 1)


@dataclass(frozen=True)
class Placement:
    """Where a photo belongs.

    Attributes:
        folder: Relative to the destination, with ``/``; empty to stay where it is.
        reason: Why there.
    """

    folder: str
    reason: str


class FolderChooser:
    """Chooses a folder for each record.

    Args:
        options: Which folders.
        taken: Returns when a photo was taken.
    """

    def __init__(self, options: FolderOptions, taken: ReadDate = no_date) -> None:
        self._options = options
        self._decisive = options.decisive
        self._template = FolderTemplate(options.template)
        self._taken = taken

    def choose(self, record: Record) -> Placement:
        """Return where a photo belongs.

        Raises:
            InputError: The record lacks what the template or the margin needs.
        """
        if record.error:
            return Placement("", record.error)
        options = self._options
        score, margin = self._scores(record)
        if score is None:
            return Placement(UNSURE, "no class reaches its threshold")
        if score < options.threshold:
            return Placement(UNSURE, f"score {score:.3g} is below {options.threshold:g}")
        if options.margin and (margin or 0) < options.margin:
            return Placement(UNSURE, f"only {margin or 0:.3g} ahead of the next")
        return Placement(self._template.fill(self._values(record, score)), "")

    def _scores(self, record: Record) -> tuple[float | None, float | None]:
        """Return the decisive score, and by how much it is ahead."""
        if self._decisive == "category":
            if record.category is None:
                raise InputError(
                    "these results have no categories",
                    "Write them with: mnv2 classify --category",
                )
            category = record.category
            return (category.score, category.margin) if category.name else (None, None)
        if self._decisive == "node":
            if record.node is None:
                raise InputError(
                    "these results have no nodes", "Write them with: mnv2 classify --rollup P"
                )
            return record.node.score, None
        if not record.predictions:
            return None, None
        best = record.predictions[0].score
        if len(record.predictions) > 1:
            return best, best - record.predictions[1].score
        # The second one is not known: it has at the most what the first one leaves.
        return best, max(best - (1 - best), 0.0)

    def _values(self, record: Record, score: float) -> dict[str, str | float]:
        best = record.predictions[0] if record.predictions else None
        label = best.label if best else UNSURE
        if best and label in _shared_labels():
            label = f"{label} ({best.wnid})"
        year = month = UNDATED
        if {"year", "month"} & self._template.fields:
            try:
                date = self._taken(record.path)
            except (ImageError, OSError):
                date = ""
            if date:
                year, month = date[:4], date[5:7]
        return {
            "category": record.category.name if record.category else "",
            "label": label,
            "wnid": best.wnid if best else UNSURE,
            "node": record.node.label if record.node else "",
            "score": score,
            "model": record.model or "unknown",
            "year": year,
            "month": month,
        }
