"""The difference of two runs: its figures, and each change of an image."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

ChangeKind = Literal["label", "category", "unreadable", "readable", "only_before", "only_after"]

NO_LABEL, NO_CATEGORY = "no label", "no category"
"""What stands for an empty name of a label or category."""


@dataclass(frozen=True, slots=True)
class Change:
    """How an image differs between two runs.

    Attributes:
        path: The image, as in the later run; as in the earlier one if it is only there.
        change: Its ``label`` or ``category`` differs; it is now ``unreadable`` or ``readable``;
            or it is in one file only.
        before: Its label (for ``category`` its category, for an unreadable image the reason) in
            the earlier run; empty for none.
        before_score: The score; None without one.
        after: The same in the later run.
        after_score: The score.
    """

    path: str
    change: ChangeKind
    before: str
    before_score: float | None
    after: str
    after_score: float | None


@dataclass(frozen=True, slots=True)
class Pair:
    """Images whose label or category changed from one to another; empty names for none."""

    before: str
    after: str
    count: int


@dataclass(frozen=True, slots=True)
class ClassChange:
    """A class before and after, among the images that both runs could read.

    Attributes:
        name: The class; empty for images without label.
        before: The number of images with this label in the earlier run.
        after: The number in the later run.
        gained: Images that have this label only in the later run.
        lost: Images that had it only in the earlier run.
    """

    name: str
    before: int
    after: int
    gained: int
    lost: int


@dataclass(frozen=True, slots=True)
class ScoreChange:
    """An image whose label stayed and whose score changed."""

    path: str
    label: str
    before_score: float
    after_score: float


@dataclass(frozen=True, slots=True)
class LabelChange:
    """An image whose label changed."""

    path: str
    before: str
    before_score: float
    after: str
    after_score: float


@dataclass(frozen=True)
class Difference:
    """The difference of two runs.

    Attributes:
        before: The file of the earlier run.
        after: The file of the later run.
        images_before: Images of the earlier run; repeated paths count as one.
        images_after: Images of the later run.
        repeated_before: Rows of the earlier run that a later row with the same path replaces.
        repeated_after: The same of the later run.
        only_before: Images that are only in the earlier run.
        only_after: Images that are only in the later run.
        both: Images that are in both.
        compared: Images that both runs could read.
        same_label: How many of these have the same best label.
        agreement: Their share, in [0, 1]; None if there is nothing to compare.
        label_changed: How many have another label.
        category_changed: How many have another category; None unless both files have categories.
        unchanged: Images with the same label and category, or unreadable in both runs.
        now_unreadable: Images that only the earlier run could read.
        now_readable: Images that only the later run could read.
        mean_before: The mean score of the best labels of the compared images in the earlier run;
            None if there are none.
        mean_after: The same in the later run.
        pairs: Changes from label to label, the most frequent first.
        category_pairs: The same of categories.
        classes: The classes with changes, those with most first.
        most_changed_scores: The images whose score changed most, of those with the same label.
        most_changed_labels: Of the images with another label, those where both runs were the
            surest: the smaller of the two scores is the largest.
        changes: Called without arguments, yields each change of each image.
    """

    before: str
    after: str
    images_before: int
    images_after: int
    repeated_before: int
    repeated_after: int
    only_before: int
    only_after: int
    both: int
    compared: int
    same_label: int
    agreement: float | None
    label_changed: int
    category_changed: int | None
    unchanged: int
    now_unreadable: int
    now_readable: int
    mean_before: float | None
    mean_after: float | None
    pairs: tuple[Pair, ...]
    category_pairs: tuple[Pair, ...]
    classes: tuple[ClassChange, ...]
    most_changed_scores: tuple[ScoreChange, ...]
    most_changed_labels: tuple[LabelChange, ...]
    changes: Callable[[], Iterator[Change]] = field(repr=False, compare=False)

    def as_object(self) -> dict[str, Any]:
        """Return all figures as an object of JSON; its keys are the attributes."""
        figures = {each.name: getattr(self, each.name) for each in fields(self)}
        del figures["changes"]
        return {
            name: [asdict(each) for each in value] if isinstance(value, tuple) else value
            for name, value in figures.items()
        }
