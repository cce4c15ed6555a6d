"""What a name means: a category, a label of the model, or a node of the WordNet tree."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mnv2cli.errors import InputError
from mnv2cli.labels.imagenet import Label
from mnv2cli.labels.thresholds import DEFAULT_THRESHOLDS, OWN_THRESHOLD
from mnv2cli.labels.tree import tree

if TYPE_CHECKING:
    from mnv2cli.labels.categories import Categories

Kind = Literal["category", "label", "node"]
KINDS: tuple[Kind, ...] = ("category", "label", "node")
"""What a name can be; of several, the first is meant."""

_WNID = re.compile(r"n\d{8}")


class UnknownNameError(InputError):
    """A name is neither a category, nor a label, nor a node.

    Attributes:
        name: The name, without its kind.
        is_of_another_kind: It is a name of another kind, which the hint shows.
    """

    def __init__(self, message: str, name: str, others: Sequence[str] = ()) -> None:
        hint = "To see all names, run: mnv2 labels, or mnv2 labels --tree"
        super().__init__(message, f"Use {' or '.join(others)}." if others else hint)
        self.name = name
        self.is_of_another_kind = bool(others)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a name means.

    Attributes:
        name: The name as it is spelled in the model, the categories or the tree.
        kind: What it is.
        keys: The classes that it stands for: WordNet IDs, or names of classes that have none. Empty
            for a category of results whose classes are unknown.
        min_score: The lowest score of a photo of it, unless the user chooses one.
    """

    name: str
    kind: Kind
    keys: frozenset[str]
    min_score: float


def key_of(wnid: str, label: str) -> str:
    """Return the key of a class: its WordNet ID, or the name of a class without one."""
    return wnid or label


class Names:
    """All names that photos can be found by.

    Args:
        labels: The classes of the model.
        categories: The categories in use; None for a model that has no classes of ImageNet.
        thresholds: By class of the user's own model, the score that a photo of it needs.
        others: Further categories, of which only the names are known.
    """

    def __init__(
        self,
        labels: Sequence[Label],
        categories: Categories | None = None,
        thresholds: Mapping[str, float] | None = None,
        others: Iterable[str] = (),
    ) -> None:
        self._labels = labels
        self._categories = categories
        self._thresholds = thresholds or {}
        self._others = sorted(others)
        self._has_tree = any(label.wnid for label in labels)
        self._finders = {
            "category": self._category,
            "label": self._label,
            "node": self._node,
        }

    def meanings(self, what: str) -> list[Meaning]:
        """Return what a name means: first what it is taken for, then what else it could mean.

        Case does not matter, and an underscore is a space. ``label:crane``, ``category:dog`` and
        ``node:dog`` mean one kind only. Two classes of one name are meant both.

        Raises:
            UnknownNameError: There is no such name.
        """
        kind, colon, rest = what.partition(":")
        kinds: Sequence[Kind] = KINDS
        name = what
        if colon and not self._label(what):
            kinds = [each for each in KINDS if each == kind.strip().casefold()]
            name = rest.strip() if kinds else what
            kinds = kinds or KINDS
        found: list[Meaning] = []
        for each in kinds:
            meaning = self._finders[each](name)
            if meaning and meaning.keys not in [other.keys for other in found]:
                found.append(meaning)
        if not found:
            wanted = kinds[0] if len(kinds) == 1 else ""
            others = [f"{each}:{name}" for each in KINDS if wanted and self._finders[each](name)]
            raise UnknownNameError(self._unknown(name, wanted), name, others)
        return found

    def all(self) -> list[str]:
        """Return all names, to suggest the right one."""
        found = {label.name for label in self._labels}
        found.update(self._others)
        if self._categories:
            found.update(category.name for category in self._categories.all)
        if self._has_tree:
            found.update(node.name for node in tree().nodes.values())
        return sorted(found)

    def _unknown(self, name: str, kind: str) -> str:
        if kind in ("category", "node") and not self._has_tree and not self._others:
            plural = {"category": "categories", "node": "nodes"}[kind]
            return f"{kind}:{name}: {plural} require ImageNet's classes, and the model has its own"
        if kind:
            return f"{name!r} is not a {kind}"
        kinds = "a category, a label or a node" if self._has_tree else "a class of the model"
        return f"{name!r} is not {kinds}"

    def _category(self, name: str) -> Meaning | None:
        wanted = _plain(name)
        for category in self._categories.all if self._categories else ():
            if wanted in (_plain(category.name), _plain(category.key)):
                assert self._categories is not None
                keys = frozenset(
                    key_of(*self._labels[i]) for i in self._categories.classes(category)
                )
                least = max(category.threshold, DEFAULT_THRESHOLDS["category"])
                return Meaning(category.name, "category", keys, least)
        for other in self._others:
            if wanted == _plain(other):
                return Meaning(other, "category", frozenset(), DEFAULT_THRESHOLDS["category"])
        return None

    def _label(self, name: str) -> Meaning | None:
        wanted, wnid = _plain(name), _wnid(name)
        found = [
            label
            for label in self._labels
            if (wnid and label.wnid == wnid) or _plain(label.name) == wanted
        ]
        if not found:
            return None
        own = self._thresholds.get(found[0].name, OWN_THRESHOLD)
        least = DEFAULT_THRESHOLDS["label"] if self._has_tree else own
        return Meaning(found[0].name, "label", frozenset(key_of(*each) for each in found), least)

    def _node(self, name: str) -> Meaning | None:
        if not self._has_tree:
            return None
        nodes, wanted, wnid = tree(), _plain(name), _wnid(name)
        ids = [wnid] if wnid in nodes.nodes else []
        ids = ids or [
            node.wnid
            for node in nodes.nodes.values()
            if node.wnid not in nodes.classes and _plain(node.name) == wanted
        ]
        if not ids:
            return None
        keys = frozenset(each for each in nodes.classes if nodes.above(each) & set(ids))
        # The sum of many scores, as that of a category.
        return Meaning(nodes.nodes[ids[0]].name, "node", keys, DEFAULT_THRESHOLDS["category"])


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").split()).casefold()


def _wnid(name: str) -> str:
    """Return the WordNet ID that a name is or ends with, as in ``crane (n02012849)``."""
    text = name.strip().rpartition("(")[2].rstrip(")").strip().lower()
    return text if _WNID.fullmatch(text) else ""
