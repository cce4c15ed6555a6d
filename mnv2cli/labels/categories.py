"""Some forty categories that people recognise, each a set of the 1,000 classes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mnv2cli.errors import InputError
from mnv2cli.labels.imagenet import imagenet_labels
from mnv2cli.labels.tree import tree
from mnv2cli.records import CategoryScore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass
class Category:
    """One category.

    Attributes:
        key: The name of its section.
        name: What is written, and the name of its folder.
        nodes: Ids of the nodes of the tree that it takes the classes of.
        threshold: A score that it needs, in [0, 1]; below it, it is not taken.
        ignore: Never taken.
    """

    key: str
    name: str
    nodes: list[str] = field(default_factory=list)
    threshold: float = 0.0
    ignore: bool = False


class Categories:
    """Sums the scores of the classes of each category.

    Attributes:
        all: The categories, in order.
        of_class: For each of the 1,000 classes the place of its category in ``all``.
    """

    def __init__(self, categories: list[Category]) -> None:
        self.all = categories
        self.of_class = _assign(categories)

    def classes(self, category: Category) -> list[int]:
        """Return the indices of a category's classes."""
        place = self.all.index(category)
        return [i for i, at in enumerate(self.of_class) if at == place]

    def __call__(self, scores: NDArray[np.float32]) -> CategoryScore:
        """Return the best category of an image.

        Args:
            scores: Softmax scores, float32 [1000].

        Returns:
            The category with the largest sum that reaches its own threshold, and by how much it
            is ahead of the next; with an empty name, if none does.
        """
        import numpy as np

        sums = np.bincount(self.of_class, weights=scores, minlength=len(self.all))
        for i, category in enumerate(self.all):
            if category.ignore or sums[i] < category.threshold:
                sums[i] = -1
        order = np.argsort(-sums, kind="stable")
        best, second = sums[order[0]], max(sums[order[1]], 0.0) if len(order) > 1 else 0.0
        if best < 0:
            return CategoryScore("", 0.0, 0.0)
        name = self.all[order[0]].name
        return CategoryScore(name, _rounded(min(best, 1.0)), _rounded(best - second))


def _rounded(value: float) -> float:
    return round(float(value), 7)  # the sum of float32 scores is no more exact


def _assign(categories: list[Category]) -> list[int]:
    """Return for each class the place of the category with the nearest node above it."""
    nodes = tree()
    place_of: dict[str, int] = {}
    for place, category in enumerate(categories):
        for wnid in category.nodes:
            place_of.setdefault(wnid, place)
    places = []
    for label in imagenet_labels():
        for level in nodes.levels(label.wnid):
            claims = [place_of[wnid] for wnid in level if wnid in place_of]
            if claims:
                places.append(min(claims))
                break
        else:
            raise InputError(
                f"no category takes the class {label.name!r}",
                "Give one of them the node 'entity', which is above all.",
            )
    return places
