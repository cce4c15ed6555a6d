"""Find photos of a label, a category or a node, the likeliest first; or those that are unsure."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Literal, Protocol

from mnv2cli.errors import InputError
from mnv2cli.labels.imagenet import imagenet_labels
from mnv2cli.records import Record
from mnv2cli.results.any_file import read_any
from mnv2cli.selecting.names import Meaning, Names, UnknownNameError, key_of
from mnv2cli.sorting.options import FolderOptions
from mnv2cli.sorting.placement import UNSURE, FolderChooser

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.inference.classifier import Classifier, StrPath
    from mnv2cli.inference.labelling import Labelling
    from mnv2cli.labels.categories import Categories
    from mnv2cli.labels.imagenet import Label
    from mnv2cli.records import Source

By = Literal["category", "label"]

_SHOWN = 5  # labels of a record
_SPARE = 1000  # matches that wait to be dropped


@dataclass(frozen=True, slots=True)
class FindOptions:
    """Which photos to find.

    Attributes:
        unsure: Find photos whose category or label is not certain, instead of those of a name.
        by: With ``unsure``, what is not certain; empty for the category, or the label where there
            are no categories.
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


def find(
    what: str | Iterable[str],
    *paths: StrPath,
    options: FindOptions | None = None,
    classifier: Classifier | None = None,
    results: StrPath | None = None,
) -> list[Match]:
    """Return the photos of a category, a label or a node of the tree, the likeliest first.

    Args:
        what: A name, or several, which are alternatives; empty with ``options.unsure``.
        paths: Files, folders, globs and URLs; with results, only photos in these, if given.
        options: Which photos to find.
        classifier: Classifies the photos; None for a new one.
        results: Results of an earlier run, by which photos are found without classifying them.

    Raises:
        InputError: A name is unknown, or results cannot be read.
        WeightsError: The weights are not available.
    """
    options = options or FindOptions()
    whats = [what] if isinstance(what, str) and what else list(what)
    if bool(whats) == options.unsure:
        raise InputError("name what to find, or use unsure: one of the two")
    places = [os.fspath(path) for path in paths]
    if results is not None:
        path = os.fspath(results)
        judge, _ = judge_of_results(path, whats, options)
        search = Search(judge, options.limit)
        _exhaust(search.of_records(within(read_any(path), places)))
        return search.matches()
    from mnv2cli.inference.classifier import Classifier
    from mnv2cli.inference.scoring import score_run, scores_store

    classifier = classifier or Classifier()
    judge, _ = judge_of(classifier, whats, options)
    search = Search(judge, options.limit)
    store = scores_store(classifier) if options.cache else None
    sources: Iterator[Source] = classifier.sources(places)
    try:
        run = score_run(classifier, sources, store, sample=lambda: classifier.sample(places))
        with closing(run):
            _exhaust(search.of_scores(run))
    finally:
        if store:
            store.close()
    return search.matches()


def judge_of(
    classifier: Classifier, whats: Sequence[str], options: FindOptions
) -> tuple[Judge, list[list[Meaning]]]:
    """Return what decides by the scores of a classifier, and what each name means.

    Raises:
        InputError: A name is unknown, or an option requires ImageNet's classes.
    """
    from mnv2cli.inference.networks import class_labels, labelling_of
    from mnv2cli.labels.options import LabelOptions

    network = classifier.network
    labels = class_labels(network, unknown=bool(classifier.options.labels.unknown))
    is_own = bool(network.class_names)
    for option, is_given in (
        ("--categories", options.categories is not None),
        ("--by category", options.by == "category"),
    ):
        if is_own and is_given:
            raise InputError(
                f"{option} requires ImageNet's classes, and {network.model} has its own",
                f"Omit {option} or --model.",
            )
    categories = None if is_own else _categories(options.categories)
    top = min(_SHOWN, len(labels))
    shown = LabelOptions(top=top, unknown=classifier.options.labels.unknown)
    labelling = labelling_of(network, shown, categories)
    if not options.unsure:
        names = Names(labels, categories, network.thresholds)
        meanings = [names.meanings(what) for what in whats]
        chosen = [each[0] for each in meanings]
        return Named(chosen, options.min_score, labels, labelling), meanings
    thresholds = {}
    if is_own:
        from mnv2cli.labels.thresholds import OWN_THRESHOLD

        thresholds = dict.fromkeys(network.class_names, OWN_THRESHOLD) | dict(network.thresholds)
    by = options.by or ("label" if is_own else "category")
    folders = FolderOptions(f"{{{by}}}", options.min_score, thresholds=thresholds)
    return Unsure(folders, labelling), []


def names_of(classifier: Classifier, options: FindOptions) -> Names:
    """Return all names that photos can be found by."""
    from mnv2cli.inference.networks import class_labels

    labels = class_labels(classifier.network)
    return Names(
        labels, None if classifier.network.class_names else _categories(options.categories)
    )


def judge_of_results(
    path: str, whats: Sequence[str], options: FindOptions
) -> tuple[Judge, list[list[Meaning]]]:
    """Return what decides by the labels in results, and what each name means there.

    The score of a category is that in the results; where they have none, and for nodes, it is the
    sum over the labels that they have.

    Raises:
        InputError: A name is unknown, or the file is not results.
    """
    first = next((each for each in read_any(path) if each.predictions or each.category), None)
    if first is None:
        raise InputError(f"{path!r} has no labels", "Label the photos with: mnv2 classify")
    if options.unsure:
        by = options.by or ("category" if first.category is not None else "label")
        return Unsure(FolderOptions(f"{{{by}}}", options.min_score)), []
    is_imagenet = not first.predictions or bool(first.predictions[0].wnid)
    if is_imagenet:
        names = Names(imagenet_labels(), _categories(options.categories))
        try:
            meanings = [names.meanings(what) for what in whats]
        except UnknownNameError:  # perhaps one of the categories in the results
            is_imagenet = False
    if not is_imagenet:
        names = names_in_results(path, options)
        meanings = [names.meanings(what) for what in whats]
    return Named([each[0] for each in meanings], options.min_score), meanings


def names_in_results(path: str, options: FindOptions) -> Names:
    """Return all names that rows of results can be found by: ImageNet's, or their own."""
    from mnv2cli.labels.imagenet import Label

    own: dict[str, None] = {}
    others, has_wnid = set(), False
    for record in read_any(path):
        for each in record.predictions:
            has_wnid = has_wnid or bool(each.wnid)
            if not each.wnid:
                own[each.label] = None
        if record.category and record.category.name:
            others.add(record.category.name)
    if has_wnid or not own:
        return Names(imagenet_labels(), _categories(options.categories), others=others)
    return Names([Label("", name) for name in own], others=others)


def within(records: Iterable[Record], paths: Sequence[str]) -> Iterator[Record]:
    """Yield the records of images that are, or are in, one of some paths; all if there is none."""
    if not paths:
        yield from records
        return
    places = [os.path.abspath(path) for path in paths]
    folders = tuple(os.path.join(place, "") for place in places)
    for record in records:
        path = os.path.abspath(record.path)
        if path in places or path.startswith(folders):
            yield record


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
    from mnv2cli.records import Source

    return labelling.record(Source(record.path, position=record.position), scores)


def _categories(path: str | None) -> Categories:
    from mnv2cli.labels.categories_file import builtin, load

    return load(path) if path else builtin()


def _exhaust(records: Iterable[Record]) -> None:
    for _ in islice(records, None):
        pass
