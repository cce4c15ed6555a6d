"""Choose the class folder of a photo by its labels and their scores."""

from __future__ import annotations

from dataclasses import dataclass

from mnv2cli.errors import ImageError, InputError
from mnv2cli.labels.imagenet import Label, distinct_name
from mnv2cli.records import Record, lead
from mnv2cli.sorting.dates import ReadDate, no_date
from mnv2cli.sorting.folders import FolderTemplate
from mnv2cli.sorting.options import FolderOptions

UNSURE, OTHER, UNDATED = "unsure", "other", "undated"

ROOT = "."
"""The folder of photos that go into the destination itself."""


@dataclass(frozen=True)
class Placement:
    """Where a photo belongs.

    Attributes:
        folder: Relative to the destination, with ``/``; empty for a photo that stays,
            :data:`ROOT` for the destination itself.
        reason: The reason, for plans and messages; may be empty.
    """

    folder: str
    reason: str


class FolderChooser:
    """Chooses a folder for each record.

    Args:
        options: How folders are named, and when a photo goes to ``unsure``.
        taken: Returns when a photo was taken.
        origin: Where the records come from, for errors.
    """

    def __init__(
        self, options: FolderOptions, taken: ReadDate = no_date, origin: str = "the file of results"
    ) -> None:
        self._options = options
        self._decisive = options.decisive
        self._template = FolderTemplate(options.template)
        self._taken = taken
        self._origin = origin

    def choose(self, record: Record) -> Placement:
        """Return where a photo belongs.

        Raises:
            InputError: The record lacks a field of the template.
        """
        if record.error:
            return Placement("", record.error)
        options = self._options
        self._check_fields(record)
        score, margin = self._scores(record)
        if score is None:
            if self._decisive == "category" and record.category and record.category.score:
                return Placement(OTHER, "its category is ignored")
            return Placement(UNSURE, f"no {self._decisive} is certain enough")
        lowest = options.lowest_for(record.predictions[0].label if record.predictions else "")
        if score < lowest:
            return Placement(UNSURE, f"score {score:.3g} is below {lowest:g}")
        if options.min_margin and (margin or 0) < options.min_margin:
            return Placement(UNSURE, f"lead {margin or 0:.3g} is below {options.min_margin:g}")
        return Placement(self._template.fill(self._values(record, score)), "")

    def _check_fields(self, record: Record) -> None:
        """Check that a record has the category and the node that the template names."""
        others = ["--by label"] if record.predictions else []
        if record.category is not None:
            others.insert(0, "--by category")
        if record.node is not None:
            others.append("--template '{node}'")
        for name, value, plural, option in (
            ("category", record.category, "categories", "--category"),
            ("node", record.node, "nodes", "--rollup P"),
        ):
            if name in self._template.fields and value is None:
                usable = f"use {' or '.join(others)}, or " if others else ""
                raise InputError(
                    f"{self._origin} has no {plural}: {usable}classify again with {option}"
                )

    def _scores(self, record: Record) -> tuple[float | None, float | None]:
        """Return the decisive score and its lead over the next; each may be None."""
        if self._decisive == "category" and record.category is not None:
            category = record.category
            return (category.score, category.margin) if category.name else (None, None)
        if self._decisive == "node" and record.node is not None:
            return record.node.score, None
        if not record.predictions:
            return None, None
        best = record.predictions[0].score
        if len(record.predictions) > 1:
            return best, lead(best, record.predictions[1].score)
        # The second score is unknown, but at most 1 minus the first.
        return best, max(lead(best, 1 - best), 0.0)

    def _values(self, record: Record, score: float) -> dict[str, str | float]:
        best = record.predictions[0] if record.predictions else None
        label = best.label if best else UNSURE
        if best and best.wnid:
            label = distinct_name(Label(best.wnid, label))
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
            "wnid": (best.wnid or best.label) if best else UNSURE,
            "node": record.node.label if record.node else "",
            "score": score,
            "model": record.model or "unknown",
            "year": year,
            "month": month,
        }
