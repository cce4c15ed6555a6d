"""Which photos are found, and how likely each is: by all scores, or by the labels of a record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol

from mnv2cli.errors import InputError
from mnv2cli.records import Record, Source
from mnv2cli.selecting.names import Meaning, key_of
from mnv2cli.sorting.options import FolderOptions
from mnv2cli.sorting.placement import UNSURE, FolderChooser

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.inference.labelling import Labelling
    from mnv2cli.labels.imagenet import Label

By = Literal["category", "label"]

_SPARE = 1000  # matches that wait to be dropped


@dataclass(frozen=True, slots=True)
class FindOptions:
    """Which photos to find.

    Attributes:
        unsure: Find photos whose category or label is not certain, instead of those of a name.
        by: With ``unsure``, what is not certain; empty for the category, or the label where
            there is none.
        min_score: The lowest score of a photo, in [0, 1]; with ``unsure``, photos below it are
            found. None for 0.5, for ImageNet's labels 0.3, for classes of the user's own model
            their thresholds.
        limit: Find at most this many; None for all.
        categories: Path of a TOML file with the user's categories; None for the built-in ones.
        cache: Keep what is computed for photos, so that the next search takes no time.

    Raises:
        InputError: A value is out of range.
    """

    unsure: bool = False
    by: By | Literal[""] = ""
    min_score: float | None = None
    limit: int | None = None
    categories: str | None = None
    cache: bool = True

    def __post_init__(self) -> None:
        if self.min_score is not None and not 0 <= self.min_score <= 1:
            raise InputError(f"min_score must be 0 to 1, not {self.min_score}")
        if self.limit is not None and self.limit < 1:
            raise InputError(f"limit must be 1 or more, not {self.limit}")
        if self.by and not self.unsure:
            raise InputError("by requires unsure")


@dataclass(frozen=True, slots=True)
class Match:
    """A photo that was found.

    Attributes:
        record: The photo and its labels.
        what: The name that it was found by: of several, the one with the highest score; for an
            unsure photo, its best category or label, which may be empty.
        score: The score of that name: the sum of the scores of its classes, in [0, 1].
    """

    record: Record
    what: str
    score: float


class Judge(Protocol):
    """Decides which photos are found, and how likely each is."""

    least_first: bool

    def of_scores(self, record: Record, scores: NDArray[np.float32]) -> tuple[Match, bool]:
        """Return a photo with its score, from all scores; and whether it is found."""
        ...

    def of_record(self, record: Record) -> tuple[Match, bool]:
        """Return the same from the labels of a record."""
        ...


class Named:
    """Finds photos of names.

    Args:
        meanings: The names; alternatives.
        min_score: The lowest score; None for that of each name.
        labels: The classes of the scores, in order; empty for records.
        labelling: Makes the record of a photo that is found; None for records.
    """

    least_first = False

    def __init__(
        self,
        meanings: Sequence[Meaning],
        min_score: float | None = None,
        labels: Sequence[Label] = (),
        labelling: Labelling | None = None,
    ) -> None:
        self._meanings = meanings
        self._least = [m.min_score if min_score is None else min_score for m in meanings]
        self._classes = [
            [i for i, label in enumerate(labels) if key_of(*label) in meaning.keys]
            for meaning in meanings
        ]
        self._labelling = labelling

    def of_scores(self, record: Record, scores: NDArray[np.float32]) -> tuple[Match, bool]:
        """Return a photo with the score of its best name; it is found if that is high enough."""
        import numpy as np

        sums = [float(scores[each].sum(dtype=np.float64)) for each in self._classes]
        match, is_found = self._best(record, sums)
        if is_found and self._labelling is not None:
            match = replace(match, record=_labelled(self._labelling, record, scores))
        return match, is_found

    def of_record(self, record: Record) -> tuple[Match, bool]:
        """Return the same; of classes that the record does not name, the score counts as 0."""
        return self._best(record, [_score_in(record, meaning) for meaning in self._meanings])

    def _best(self, record: Record, sums: list[float]) -> tuple[Match, bool]:
        rated = [
            (score >= least, score, meaning.name)
            for score, least, meaning in zip(
                (min(round(each, 7), 1.0) for each in sums),  # as precise as a float32
                self._least,
                self._meanings,
                strict=True,
            )
        ]
        is_found, score, name = max(rated, key=lambda each: each[:2])
        return Match(record, name, score), is_found


class Unsure:
    """Finds photos that ``mnv2 sort`` puts into ``unsure``.

    Args:
        options: How folders are named, and below which score a photo is unsure.
        labelling: Makes the record of a photo; None for records.
    """

    least_first = True

    def __init__(self, options: FolderOptions, labelling: Labelling | None = None) -> None:
        self._chooser = FolderChooser(options, origin="the file of results")
        self._is_category = options.decisive == "category"
        self._labelling = labelling

    def of_scores(self, record: Record, scores: NDArray[np.float32]) -> tuple[Match, bool]:
        """Return a photo with the score that decides; it is found if that is too low."""
        assert self._labelling is not None
        return self.of_record(_labelled(self._labelling, record, scores))

    def of_record(self, record: Record) -> tuple[Match, bool]:
        """Return the same from a record."""
        is_found = self._chooser.choose(record).folder == UNSURE
        if self._is_category and record.category is not None:
            return Match(record, record.category.name, record.category.score), is_found
        best = record.predictions[0] if record.predictions else None
        return Match(record, best.label if best else "", best.score if best else 0.0), is_found


class Search:
    """Collects the photos that a judge finds, and the nearest of the others.

    Args:
        judge: Decides.
        limit: Keep at most this many; None for all.

    Attributes:
        searched: The number of readable photos so far.
        number: The number of them that were found, also those beyond the limit.
        nearest: Of the photos that were not found, the likeliest; None if there is none.
    """

    def __init__(self, judge: Judge, limit: int | None = None) -> None:
        self._judge = judge
        self._limit = limit
        self._found: list[Match] = []
        self.searched = 0
        self.number = 0
        self.nearest: Match | None = None

    def of_scores(self, scored: Iterable[tuple[Record, NDArray[np.float32]]]) -> Iterator[Record]:
        """Pass records through, and judge those that are readable by all their scores."""
        for record, scores in scored:
            if not record.error:
                self._add(*self._judge.of_scores(record, scores))
            yield record

    def of_records(self, records: Iterable[Record]) -> Iterator[Record]:
        """Pass records through, and judge those that are readable by their labels."""
        for record in records:
            if not record.error:
                self._add(*self._judge.of_record(record))
            yield record

    def matches(self) -> list[Match]:
        """Return the photos that were found, in order; equal ones as they were read."""
        sign = 1 if self._judge.least_first else -1
        return sorted(self._found, key=lambda match: sign * match.score)[: self._limit]

    def _add(self, match: Match, is_found: bool) -> None:
        self.searched += 1
        if is_found:
            self.number += 1
            self._found.append(match)
            if self._limit is not None and len(self._found) > 2 * self._limit + _SPARE:
                self._found = self.matches()
        elif self.nearest is None or match.score > self.nearest.score:
            self.nearest = match


def _score_in(record: Record, meaning: Meaning) -> float:
    """Return the score of a name in a record, as far as its labels tell."""
    total = sum(p.score for p in record.predictions if key_of(p.wnid, p.label) in meaning.keys)
    category = record.category
    if meaning.kind != "category" or category is None or not category.name:
        return total
    if category.name.casefold() == meaning.name.casefold():
        return category.score
    return min(total, max(category.score - category.margin, 0.0))  # it is not the best


def _labelled(labelling: Labelling, record: Record, scores: NDArray[np.float32]) -> Record:
    return labelling.record(Source(record.path, position=record.position), scores)
