"""Forty-one categories that people recognise, each a set of the 1,000 classes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mnv2cli.errors import InputError
from mnv2cli.labels.imagenet import imagenet_labels
from mnv2cli.labels.tree import tree
from mnv2cli.records import CategoryScore, lead

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass
class Category:
    """One category.

    Attributes:
        key: The name of its section in the file.
        name: The name in results, and of its folder.
        nodes: Ids of nodes of the tree; the category claims the classes below them.
        threshold: The lowest score at which an image gets this category, in [0, 1].
        ignore: Give images of this category no category.
    """

    key: str
    name: str
    nodes: list[str] = field(default_factory=list)
    threshold: float = 0.0
    ignore: bool = False


class Categories:
    """Sum the scores of the classes of each category.

    Each class belongs to exactly one category. Where several categories claim a class, the deeper
    node wins: the node that is the fewest steps above the class, so the class itself comes before
    ``spaniel``, and ``spaniel`` before ``dog``. Of nodes equally near, the node of the category
    listed first wins.

    Args:
        categories: The categories, in order.

    Attributes:
        all: The categories, in order.
        of_class: For each of the 1,000 classes, the index of its category in ``all``.

    Raises:
        InputError: No category claims a class.
    """

    def __init__(self, categories: list[Category]) -> None:
        self.all = categories
        self.of_class = _assign(categories)

    def classes(self, category: Category) -> list[int]:
        """Return the indices of a category's classes."""
        index = self.all.index(category)
        return [i for i, owner in enumerate(self.of_class) if owner == index]

    def __call__(self, scores: NDArray[np.float32], min_margin: float = 0.0) -> CategoryScore:
        """Return the best category of an image.

        Args:
            scores: Softmax scores, float32 [1000].
            min_margin: The lead over the next category that a category needs, in [0, 1].

        Returns:
            The category with the largest sum among those that reach their own threshold, and its
            lead over the next. If that category is ignored, the name is empty, and the score is
            still its sum; if no category reaches its threshold, or its lead is too small, the score
            and the lead are 0 as well.
        """
        import numpy as np

        sums = np.bincount(self.of_class, weights=scores, minlength=len(self.all))
        for i, category in enumerate(self.all):
            if sums[i] < category.threshold:
                sums[i] = -1
        order = np.argsort(-sums, kind="stable")
        best, second = sums[order[0]], max(sums[order[1]], 0.0) if len(order) > 1 else 0.0
        if best < 0 or lead(best, second) < min_margin:
            return CategoryScore("", 0.0, 0.0)
        category = self.all[order[0]]
        name = "" if category.ignore else category.name
        return CategoryScore(name, _rounded(min(best, 1.0)), lead(float(best), float(second)))


def _rounded(value: float) -> float:
    return round(float(value), 7)  # a sum of float32 scores is no more precise than that


def _assign(categories: list[Category]) -> list[int]:
    """Return for each class the index of the category with the nearest node above it."""
    nodes = tree()
    owner_of: dict[str, int] = {}
    for index, category in enumerate(categories):
        for wnid in category.nodes:
            owner_of.setdefault(wnid, index)
    owners = []
    for label in imagenet_labels():
        for level in nodes.levels(label.wnid):
            claims = [owner_of[wnid] for wnid in level if wnid in owner_of]
            if claims:
                owners.append(min(claims))
                break
        else:
            raise InputError(
                f"no category claims the class {label.name!r}",
                "Give one of them the node 'entity', which is above every class.",
            )
    return owners
