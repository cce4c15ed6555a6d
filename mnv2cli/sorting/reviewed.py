"""Place photos that a person has reviewed by what that person said, whatever their scores."""

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
    """What a person said about photos of some results.

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

    - a class of ImageNet, or another name in the tree that has one meaning. The photo gets the
      class, and its category. Of the two classes ``crane`` and ``maillot``, it is that among the
      predictions of the photo; ``crane (n02012849)`` and ``n02012849`` name one;
    - a category: the photo gets it, and keeps its best label if that belongs to the category;
    - any other name, which is then the label, the category and the node.

    Args:
        chooser: Chooses the folders by labels and scores.
        reviews: What a person said.
    """

    def __init__(self, chooser: Chooser, reviews: Reviews) -> None:
        self._chooser = chooser
        self._corrections = reviews.corrections
        self._categories = reviews.categories
        known = [category.name for category in reviews.categories.all]
        self._names = {name.casefold(): name for name in (*known, *reviews.names)}
        self._nodes: dict[str, str] = {}

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
        best = named = self._prediction(record, label)
        category = self._names.get(label.casefold())
        if category is None:
            category = self._category_of(best.wnid) if best.wnid else label
            category = label if category is None else category
        elif not best.wnid and record.predictions:
            predicted = record.predictions[0]
            if predicted.wnid and self._category_of(predicted.wnid) == category:
                best = replace(predicted, score=1.0)
        return replace(
            record,
            predictions=(best,),
            category=CategoryScore(category, 1.0, 1.0),
            node=named,
        )

    def _prediction(self, record: Record, label: str) -> Prediction:
        """Return a label as a prediction; without an id if it is not in the tree, or ambiguous."""
        predicted = next((each for each in record.predictions if each.label == label), None)
        if predicted is not None:
            return replace(predicted, score=1.0)
        if record.predictions and not record.predictions[0].wnid:
            return Prediction("", label, 1.0)  # classes of the user's: ImageNet's mean nothing
        wnid = self._node(label)
        return Prediction(wnid, tree().nodes[wnid].name if wnid else label, 1.0)

    def _node(self, label: str) -> str:
        """Return the id of the only node that a label names; empty if there is none."""
        if label not in self._nodes:
            nodes = tree().nodes
            named = _WITH_ID.fullmatch(label)
            if named and named["wnid"] in nodes:
                name = nodes[named["wnid"]].name
                is_name = named["name"] is None or named["name"].casefold() == name.casefold()
                found = [named["wnid"]] if is_name else []
            else:
                found = [] if named else tree().named(label)
            self._nodes[label] = found[0] if len(found) == 1 else ""
        return self._nodes[label]

    def _category_of(self, wnid: str) -> str | None:
        """Return the category of all classes below a node, or ``""`` if it is ignored.

        None if the classes belong to several categories.
        """
        nodes, categories = tree(), self._categories
        if wnid in nodes.classes:
            owners = {categories.of_class[nodes.classes[wnid]]}
        else:
            owners = {
                categories.of_class[index]
                for each, index in nodes.classes.items()
                if wnid in nodes.above(each)
            }
        if len(owners) != 1:
            return None
        category = categories.all[owners.pop()]
        return "" if category.ignore else category.name
