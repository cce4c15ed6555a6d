"""Which images to select, and in which order: the same for records and for rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import nlargest, nsmallest
from itertools import islice
from operator import itemgetter
from random import Random
from typing import Literal, TypeVar

from mnv2cli.errors import InputError
from mnv2cli.records import Record, Status, lead
from mnv2cli.sources.names import natural_key, path_parts
from mnv2cli.sources.patterns import matches as path_matches

T = TypeVar("T")
SortValue = float | str | None
"""What rows are sorted by: of one kind for all rows, or None for a row that comes last."""

Key = Callable[[T], SortValue]
Subject = Literal["label", "category", "node"]
SortBy = Literal["score", "margin", "path", "label"]
SORTS: tuple[SortBy, ...] = ("score", "margin", "path", "label")


@dataclass(frozen=True)
class Conditions:
    """Which images to select: those that meet all conditions; the values of one are alternatives.

    Names are compared without case. The score is that of the category if ``categories`` are given,
    of the node if ``nodes`` are given, else of the best label, or with ``any_rank`` of the best of
    the wanted labels. The margin is the lead over the next score. An image without the score does
    not meet a condition on it.

    Attributes:
        labels: Names or WordNet IDs of the best label.
        categories: Names of the category.
        nodes: Names or WordNet IDs of the node.
        min_score: The smallest score, in [0, 1].
        max_score: The largest score.
        min_margin: The smallest margin.
        max_margin: The largest margin.
        status: ``ok`` or ``error``; empty for both.
        errors: Reasons of errors: the part before the colon.
        paths: Patterns, as in :class:`~mnv2cli.sources.options.Filters`.
        any_rank: Labels match at any rank, not only as the best.

    Raises:
        InputError: The conditions contradict each other, or a string is given for several names.
    """

    labels: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    min_score: float | None = None
    max_score: float | None = None
    min_margin: float | None = None
    max_margin: float | None = None
    status: Status | Literal[""] = ""
    errors: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    any_rank: bool = False

    def __post_init__(self) -> None:
        for several in ("labels", "categories", "nodes", "errors", "paths"):
            if isinstance(getattr(self, several), str):
                raise InputError(f"{several} must be a tuple of names or patterns, not a string")
        for name, low, high in (
            ("score", self.min_score, self.max_score),
            ("margin", self.min_margin, self.max_margin),
        ):
            if low is not None and high is not None and low > high:
                raise InputError(
                    f"no {name} is at least {low:g} and at most {high:g}",
                    f"Exchange --min-{name} and --max-{name}.",
                )
        if self.any_rank and not self.labels:
            raise InputError("--any-rank requires --label", "Name the label to look for.")
        if self.has_margin and (self.any_rank or self.subject == "node"):
            other = "--node" if self.subject == "node" else "--any-rank"
            raise InputError(
                f"{other} cannot be combined with a margin",
                "Only the best label and the category lead the next one.",
            )
        wants_label = self.labels or self.categories or self.nodes or self.has_margin
        if self.status == "error" and (wants_label or self.has_score):
            raise InputError(
                "no image with an error has a label or a score",
                "Omit --status error, or the other conditions.",
            )

    @property
    def has_score(self) -> bool:
        """Whether there is a condition on the score."""
        return self.min_score is not None or self.max_score is not None

    @property
    def has_margin(self) -> bool:
        """Whether there is a condition on the margin."""
        return self.min_margin is not None or self.max_margin is not None

    @property
    def subject(self) -> Subject:
        """What has the score and the margin."""
        if self.categories:
            return "category"
        return "node" if self.nodes else "label"

    @cached_property
    def label_test(self) -> NameTest:
        """Returns whether a label is wanted."""
        return NameTest(self.labels)

    @cached_property
    def category_test(self) -> NameTest:
        """Returns whether a category is wanted."""
        return NameTest(self.categories)

    @cached_property
    def node_test(self) -> NameTest:
        """Returns whether a node is wanted."""
        return NameTest(self.nodes)

    @cached_property
    def error_test(self) -> NameTest:
        """Returns whether the reason of an error is wanted."""
        return NameTest(self.errors)

    def matches(self, record: Record) -> bool:
        """Return whether a record meets the conditions."""
        if self.status and record.status != self.status:
            return False
        if self.errors and not (record.error and self.error_test(record.reason)):
            return False
        if self.paths and not self.path_matches(record.path):
            return False
        if self.labels:
            found = record.predictions if self.any_rank else record.predictions[:1]
            if not any(self.label_test(each.label) or self.label_test(each.wnid) for each in found):
                return False
        if self.categories and not (record.category and self.category_test(record.category.name)):
            return False
        if self.nodes and not (
            record.node and (self.node_test(record.node.label) or self.node_test(record.node.wnid))
        ):
            return False
        return self.accepts(self.score(record), self.margin(record) if self.has_margin else None)

    def accepts(self, score: float | None, margin: float | None) -> bool:
        """Return whether a score and a margin meet the conditions on them."""
        if self.has_score and (
            score is None
            or (self.min_score is not None and score < self.min_score)
            or (self.max_score is not None and score > self.max_score)
        ):
            return False
        return not self.has_margin or (
            margin is not None
            and (self.min_margin is None or margin >= self.min_margin)
            and (self.max_margin is None or margin <= self.max_margin)
        )

    def path_matches(self, path: str) -> bool:
        """Return whether a path matches one of the patterns."""
        parts = path_parts(path)
        return any(path_matches(parts, pattern) for pattern in self.paths)

    def score(self, record: Record) -> float | None:
        """Return the score of a record; None if it has none."""
        if self.subject == "category":
            return record.category.score if record.category and record.category.name else None
        if self.subject == "node":
            return record.node.score if record.node else None
        if self.any_rank:
            wanted = (
                each.score
                for each in record.predictions
                if self.label_test(each.label) or self.label_test(each.wnid)
            )
            return max(wanted, default=None)
        return record.predictions[0].score if record.predictions else None

    def margin(self, record: Record) -> float | None:
        """Return the lead over the next score; None if there is none, or no next one is known."""
        if self.subject == "category":
            return record.category.margin if record.category and record.category.name else None
        best = record.predictions[:2]
        return lead(best[0].score, best[1].score) if len(best) == 2 else None

    def key(self, by: SortBy) -> Key[Record]:
        """Return the key to sort records by; it returns None for a record that has none."""
        if by == "path":
            return lambda record: natural_key(record.path)
        if by == "label":
            return lambda record: name_key(self._name(record))
        return self.score if by == "score" else self.margin

    def _name(self, record: Record) -> str:
        if self.subject == "category":
            return record.category.name if record.category else ""
        if self.subject == "node":
            return record.node.label if record.node else ""
        return record.predictions[0].label if record.predictions else ""


class NameTest:
    """Returns whether a name is one of some names, ignoring case; each name is compared once."""

    def __init__(self, names: Iterable[str]) -> None:
        self._wanted = {name.strip().casefold() for name in names} - {""}
        self._known: dict[str | bytes, bool] = {}

    def __call__(self, name: str | bytes) -> bool:
        """Return whether a name is wanted; it may be the bytes of a cell."""
        found = self._known.get(name)
        if found is None:
            text = name if isinstance(name, str) else name.decode("utf-8", "surrogateescape")
            found = text.casefold() in self._wanted
            if len(self._known) < 10_000:
                self._known[name] = found
        return found


def name_key(name: str) -> str | None:
    """Return the key that sorts names; None if there is no name."""
    return natural_key(name) if name else None


@dataclass(frozen=True, slots=True)
class Order:
    """How many of the selected images are returned, and in which order.

    First a sample is drawn, then it is sorted, then limited.

    Attributes:
        sort: ``score`` (the highest first), ``margin`` (the smallest first), ``path`` or ``label``;
            None for the order of the file, which also orders what is equal. Rows that have no such
            value are last.
        reverse: Reverse the order, but for rows without the value.
        limit: The largest number of images; None for all.
        sample: The number of images that are drawn at random; None for all.
        seed: The same seed draws the same sample of the same file.

    Raises:
        InputError: A value is out of range.
    """

    sort: SortBy | None = None
    reverse: bool = False
    limit: int | None = None
    sample: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.sort is not None and self.sort not in SORTS:
            raise InputError(f"sort must be {' or '.join(SORTS)}, not {self.sort!r}")
        for name, number in (("limit", self.limit), ("sample", self.sample)):
            if number is not None and number < 1:
                raise InputError(f"{name} must be 1 or more, not {number}")

    def sampled(self, rows: Iterable[T]) -> Iterator[T]:
        """Yield the rows of the sample, in their order; all if there is none."""
        if self.sample is None:
            yield from rows
            return
        # Reservoir sampling: Vitter, "Random Sampling with a Reservoir", 1985, algorithm R.
        random = Random(self.seed)
        kept: list[tuple[int, T]] = []
        for number, row in enumerate(rows):
            if number < self.sample:
                kept.append((number, row))
            elif (place := random.randrange(number + 1)) < self.sample:
                kept[place] = (number, row)
        kept.sort(key=lambda each: each[0])
        yield from (row for _, row in kept)

    def sorted(self, rows: Iterable[T], key: Key[T]) -> Iterator[T]:
        """Yield the rows of the sample in order, up to the limit."""
        rows = self.sampled(rows)
        if self.sort is None:
            return islice(list(rows)[::-1] if self.reverse else rows, self.limit)
        keyed = ((key(row), row) for row in rows)
        if self.limit is None:
            pairs = list(keyed)
            return (pairs[place][1] for place in self.order([value for value, _ in pairs]))
        return (row for _, row in self._first(self.limit, keyed))

    def _first(self, number: int, rows: Iterable[tuple[SortValue, T]]) -> list[tuple[SortValue, T]]:
        """Return the first rows in order; those without a key only if too few have one."""
        others: list[tuple[SortValue, T]] = []

        def with_key() -> Iterator[tuple[SortValue, T]]:
            for row in rows:
                if row[0] is not None:
                    yield row
                elif len(others) < number:
                    others.append(row)

        choose = nlargest if self._is_falling else nsmallest
        found = choose(number, with_key(), key=itemgetter(0))  # equal ones in the order of the file
        return [*found, *others][:number]

    @property
    def _is_falling(self) -> bool:
        return self.reverse != (self.sort == "score")

    def order(self, keys: Sequence[SortValue]) -> list[int]:
        """Return the positions of rows in order, up to the limit, by their keys in file order."""
        found = [place for place, key in enumerate(keys) if key is not None]
        found.sort(key=keys.__getitem__, reverse=self._is_falling)  # type: ignore[arg-type]
        found += [place for place, key in enumerate(keys) if key is None]
        return found[: self.limit]
