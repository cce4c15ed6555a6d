"""The tree of concepts above the 1,000 classes, from WordNet 3.0.

Strictly it is a directed acyclic graph: a node may have two parents. The score of a class counts
once in each node above it.
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
"""``entity``, the root."""


@dataclass(frozen=True)
class Node:
    """A concept: a class, or a concept above several classes.

    Attributes:
        wnid: WordNet id, such as ``n02084071``.
        name: The label of a class, or the first word in WordNet, such as ``dog``.
        parents: Ids of the parents.
    """

    wnid: str
    name: str
    parents: tuple[str, ...]


class Tree:
    """All nodes by id; created once by :func:`tree`.

    Attributes:
        nodes: The nodes by id.
        classes: The index of each class by its id.
        children: The ids of each node's children.
    """

    def __init__(self, nodes: dict[str, Node]) -> None:
        self.nodes = nodes
        self.classes = {label.wnid: i for i, label in enumerate(imagenet_labels())}
        self.children: dict[str, list[str]] = {}
        for node in nodes.values():
            for parent in node.parents:
                self.children.setdefault(parent, []).append(node.wnid)
        self._named: dict[str, list[str]] = {}  # ids by name, ignoring case
        for node in nodes.values():
            self._named.setdefault(node.name.casefold(), []).append(node.wnid)
        self._depths: dict[str, int] = {}
        self._above: dict[str, frozenset[str]] = {}

    def above(self, wnid: str) -> frozenset[str]:
        """Return the ids of a node and of every node above it."""
        if wnid not in self._above:
            parents = (self.above(parent) for parent in self.nodes[wnid].parents)
            self._above[wnid] = frozenset({wnid}).union(*parents)
        return self._above[wnid]

    def depth(self, wnid: str) -> int:
        """Return the number of steps on the longest path to the root."""
        if wnid not in self._depths:
            parents = self.nodes[wnid].parents
            self._depths[wnid] = 1 + max(map(self.depth, parents)) if parents else 0
        return self._depths[wnid]

    def levels(self, wnid: str) -> Iterator[list[str]]:
        """Yield the node, then the nodes one step above it, two steps above it, and so on."""
        level = [wnid]
        while level:
            yield level
            level = list(dict.fromkeys(p for node in level for p in self.nodes[node].parents))

    def named(self, name: str) -> list[str]:
        """Return the ids of the classes with a name, or else of the other nodes; ignore case.

        ``crane (n02012849)`` and ``n02012849`` name exactly one node.
        """
        wnid = name.rpartition("(")[2].rstrip(")").strip()
        if wnid in self.nodes:
            return [wnid]
        found = self._named.get(name.casefold(), [])
        return [w for w in found if w in self.classes] or list(found)


@cache
def tree() -> Tree:
    """Return the tree of 1,860 nodes.

    Source: WordNet 3.0, Princeton University; ``scripts/make_tree.py`` writes the file.
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
    """Find the most specific name with a score: "spaniel", else "dog", else "animal".

    Args:
        threshold: The lowest score of the node, in (0, 1].
    """

    def __init__(self, threshold: float) -> None:
        import numpy as np

        self._threshold = threshold
        nodes = tree()
        # Deepest first: the first node that reaches the threshold is the answer.
        self._ids = sorted(nodes.nodes, key=lambda wnid: (-nodes.depth(wnid), wnid))
        places = {wnid: i for i, wnid in enumerate(self._ids)}
        self._depths = np.array([nodes.depth(wnid) for wnid in self._ids])
        self._below = np.zeros((len(self._ids), len(nodes.classes)), np.float32)
        for wnid, index in nodes.classes.items():
            self._below[[places[above] for above in nodes.above(wnid)], index] = 1

    def __call__(self, scores: NDArray[np.float32]) -> Prediction:
        """Return the deepest node whose classes' scores add up to the threshold or more.

        Args:
            scores: Softmax scores, float32 [1000].

        Returns:
            The node with its summed score in [0, 1]; of equally deep nodes, the node with the
            highest score. If rounding keeps even the root below the threshold, the root.
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
