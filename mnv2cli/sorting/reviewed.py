"""Place reviewed photos by the labels of the review, whatever their scores."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from mnv2cli.labels.categories import Categories
from mnv2cli.labels.categories_file import builtin, load
from mnv2cli.labels.tree import tree
from mnv2cli.records import CategoryScore, Prediction, Record
from mnv2cli.results.corrections import (
    MARKED_AS_WRONG,
    REJECTED,
    Correction,
    matched,
)
from mnv2cli.sorting.placement import UNSURE, Placement

_WITH_ID = re.compile(r"(?:(?P<name>.+) \()?(?P<wnid>n[0-9]{8})(?(name)\))")
"""A class by its id, or by its name and its id, as placement writes names that two classes have."""


class Chooser(Protocol):
    """Chooses where a photo belongs."""

    def choose(self, record: Record) -> Placement:
        """Return where a photo belongs."""
        ...


@dataclass(frozen=True)
class Reviews:
    """The corrections of some results.

    Attributes:
        corrections: The corrections, by the paths of the photos.
        categories: Give labels their category.
        names: More names of categories, such as those in the results.
        unmatched: The paths of corrections that belong to no photo.
    """

    corrections: Mapping[str, Correction]
    categories: Categories = field(default_factory=builtin)
    names: Collection[str] = ()
    unmatched: Sequence[str] = ()

    @property
    def foreign(self) -> str:
        """The first name that is not one of ``categories``; empty if all are."""
        known = {category.name for category in self.categories.all}
        return next((name for name in self.names if name not in known), "")


def review(
    records: Sequence[Record],
    corrections: Mapping[str, Correction],
    categories: str | None = None,
) -> Reviews:
    """Return the reviews of the photos of some results.

    Args:
        records: The photos.
        corrections: By path; paths are compared as by
            :func:`~mnv2cli.results.corrections.matched`.
        categories: The file of the categories of the results; None for the built-in ones.

    Raises:
        InputError: No correction belongs to a photo, or the file of categories is not valid.
    """
    found, unmatched = matched(corrections, (record.path for record in records))
    names = dict.fromkeys(each.category.name for each in records if each.category)
    names.pop("", None)
    made = builtin() if categories is None else load(categories)
    return Reviews(found, made, tuple(names), unmatched)


class ReviewedChooser:
    """Chooses a folder for each record; reviewed photos go where their label says.

    A reviewed photo gets its label with the score 1, because a person is sure, so it passes every
    threshold and margin. Its label may be

    - a class of ImageNet, or another name in the tree. The photo gets the class, and its category.
      Of two classes ``crane``, it gets the one among its predictions; ``crane (n02012849)`` and
      ``n02012849`` name one. If neither is known, its label is the name alone, and it has their
      category if that is the same;
    - a category, which the photo gets, and whose name is also its label;
    - any other name, which is then the label, the category and the node.

    Args:
        chooser: Chooses the folders by labels and scores.
        reviews: The corrections.
    """

    def __init__(self, chooser: Chooser, reviews: Reviews) -> None:
        self._chooser = chooser
        self._corrections = reviews.corrections
        self._categories = reviews.categories
        known = [category.name for category in reviews.categories.all]
        self._names = {name.casefold(): name for name in (*known, *reviews.names)}
        self._ids: dict[str, list[str]] = {}
        self._owners: dict[tuple[str, ...], str | None] = {}

    def choose(self, record: Record) -> Placement:
        """Return where a photo belongs; it stays if it cannot be read, or is rejected.

        Raises:
            InputError: The record is not reviewed, and lacks a field of the template.
        """
        given = self._corrections.get(record.path)
        if record.error or given is None:
            return self._chooser.choose(record)
        if given.review == "rejected":
            return Placement("", REJECTED)
        if given.review == "wrong":
            return Placement(UNSURE, MARKED_AS_WRONG)
        placement = self._chooser.choose(self._labelled(record, given.label))
        reason = "; ".join(filter(None, [given.review, placement.reason]))
        return Placement(placement.folder, reason)

    def _labelled(self, record: Record, label: str) -> Record:
        """Return a record with a label in place of its predictions."""
        meanings = self._meanings(record, label)
        best = meanings[0] if len(meanings) == 1 else Prediction("", label, 1.0)
        category = self._names.get(label.casefold())
        if category is None:
            category = self._category_of(tuple(each.wnid for each in meanings if each.wnid))
        if category is None:
            category = label
        return replace(
            record, predictions=(best,), category=CategoryScore(category, 1.0, 1.0), node=best
        )

    def _meanings(self, record: Record, label: str) -> list[Prediction]:
        """Return what a label may mean; a class of the user's has no id."""
        predicted = next((each for each in record.predictions if each.label == label), None)
        if predicted is not None:
            return [replace(predicted, score=1.0)]
        if record.predictions and not record.predictions[0].wnid:
            return [Prediction("", label, 1.0)]  # the model has classes of the user's only
        if label not in self._ids:
            self._ids[label] = _ids(label)
        nodes = tree().nodes
        return [Prediction(wnid, nodes[wnid].name, 1.0) for wnid in self._ids[label]]

    def _category_of(self, wnids: tuple[str, ...]) -> str | None:
        if wnids not in self._owners:
            self._owners[wnids] = _category_of(wnids, self._categories)
        return self._owners[wnids]


def _category_of(wnids: Collection[str], categories: Categories) -> str | None:
    """Return the category of all classes below some nodes, or ``""`` if it is ignored.

    None if there are no nodes, or the classes belong to several categories.
    """
    nodes = tree()
    owners = {
        categories.of_class[index]
        for each, index in nodes.classes.items()
        if not nodes.above(each).isdisjoint(wnids)
    }
    if len(owners) != 1:
        return None
    category = categories.all[owners.pop()]
    return "" if category.ignore else category.name


def _ids(label: str) -> list[str]:
    """Return the ids of the nodes of the tree that a label may name."""
    named = _WITH_ID.fullmatch(label)
    if named is None:
        return tree().named(label)
    node = tree().nodes.get(named["wnid"])
    is_name = node and named["name"] in (None, node.name)
    return [node.wnid] if node and is_name else []
