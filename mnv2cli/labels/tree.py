"""The tree of concepts above the 1,000 classes, from WordNet 3.0.

Strictly it is no tree: a node may have two parents, and a class's score counts once in each node
above it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from mnv2cli.labels.imagenet import imagenet_labels
from mnv2cli.records import Prediction

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ROOT = "n00001740"
"""``entity``, which is above everything."""


@dataclass(frozen=True)
class Node:
    """A concept: a class, or what classes have in common.

    Attributes:
        wnid: WordNet id, such as ``n02084071``.
        name: For a class its label, else the first word that WordNet has for it, such as ``dog``.
        parents: Ids of the nodes right above.
    """

    wnid: str
    name: str
    parents: tuple[str, ...]


class Tree:
    """All nodes by id; made once by :func:`tree`."""

    def __init__(self, nodes: dict[str, Node]) -> None:
        self.nodes = nodes
        self.classes = {label.wnid: i for i, label in enumerate(imagenet_labels())}
        self.children: dict[str, list[str]] = {}
        for node in nodes.values():
            for parent in node.parents:
                self.children.setdefault(parent, []).append(node.wnid)
        self._depths: dict[str, int] = {}
        self._above: dict[str, frozenset[str]] = {}

    def above(self, wnid: str) -> frozenset[str]:
        """Return the ids of a node and of all nodes above it."""
        if wnid not in self._above:
            parents = (self.above(parent) for parent in self.nodes[wnid].parents)
            self._above[wnid] = frozenset({wnid}).union(*parents)
        return self._above[wnid]

    def depth(self, wnid: str) -> int:
        """Return how many steps the longest way up to the root has."""
        if wnid not in self._depths:
            parents = self.nodes[wnid].parents
            self._depths[wnid] = 1 + max(map(self.depth, parents)) if parents else 0
        return self._depths[wnid]

    def levels(self, wnid: str) -> Iterator[list[str]]:
        """Yield the node, then all that are one step above, two steps, and so on."""
        level = [wnid]
        while level:
            yield level
            level = list(dict.fromkeys(p for node in level for p in self.nodes[node].parents))

    def named(self, name: str) -> list[str]:
        """Return the ids that a name may mean: a class before other nodes; case does not count.

        ``crane (n02012849)`` and ``n02012849`` mean one node alone.
        """
        wnid = name.rpartition("(")[2].rstrip(")").strip()
        if wnid in self.nodes:
            return [wnid]
        wanted = name.casefold()
        found = [w for w, node in self.nodes.items() if node.name.casefold() == wanted]
        return [w for w in found if w in self.classes] or found


@cache
def tree() -> Tree:
    """Return the tree; some 1,860 nodes.

    Source: WordNet 3.0, Princeton University; ``scripts/make_tree.py`` makes the file.
    """
    labels = {label.wnid: label.name for label in imagenet_labels()}
    text = files("mnv2cli.labels").joinpath("data/wordnet.csv").read_text(encoding="utf-8")
    return Tree(
        {
            row["wnid"]: Node(
                row["wnid"],
                labels.get(row["wnid"], row["name"]),
                tuple(row["parents"].split()),
            )
            for row in csv.DictReader(text.splitlines())
        }
    )


class Rollup:
    """Finds the most exact name that is sure enough: "spaniel", else "dog", else "animal".

    Args:
        threshold: The score that a node needs, in (0, 1].
    """

    def __init__(self, threshold: float) -> None:
        import numpy as np

        self._threshold = threshold
        nodes = tree()
        # Deepest first, so that the first one that passes is the answer.
        self._ids = sorted(nodes.nodes, key=lambda wnid: (-nodes.depth(wnid), wnid))
        places = {wnid: i for i, wnid in enumerate(self._ids)}
        self._depths = np.array([nodes.depth(wnid) for wnid in self._ids])
        self._below = np.zeros((len(self._ids), len(nodes.classes)), np.float32)
        for wnid, index in nodes.classes.items():
            self._below[[places[above] for above in nodes.above(wnid)], index] = 1

    def __call__(self, scores: NDArray[np.float32]) -> Prediction:
        """Return the deepest node whose classes' scores sum up to the threshold.

        Args:
            scores: Softmax scores, float32 [1000].

        Returns:
            The node with its summed score in [0, 1]; of equally deep ones the best. The root
            where not even that passes, for rounding.
        """
        import numpy as np

        sums = self._below @ scores
        passing = np.flatnonzero(sums >= self._threshold)
        if not len(passing):
            passing = np.array([len(sums) - 1])
        deepest = passing[self._depths[passing] == self._depths[passing[0]]]
        best = deepest[sums[deepest].argmax()]
        wnid = self._ids[best]
        score = min(float(str(sums[best])), 1.0)  # the shortest decimal of the float32
        return Prediction(wnid, tree().nodes[wnid].name, score)
