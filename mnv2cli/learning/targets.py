"""What the names of folders mean to a model: its classes, or nodes above ImageNet's classes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from mnv2cli.errors import InputError
from mnv2cli.labels.categories_file import builtin
from mnv2cli.labels.imagenet import Label, imagenet_labels
from mnv2cli.labels.tree import tree
from mnv2cli.sources.names import name_key
from mnv2cli.system.messages import count

_ID = re.compile(r"(?:.*\()?(n\d{8})(?:$|[ _)-].*)")
_NAMED = 3  # names in a message

KINDS = {
    "class": ("class of the model", "classes of the model"),
    "id": ("WordNet id", "WordNet ids"),
    "label": ("label", "labels"),
    "category": ("category", "categories"),
    "node": ("node of the WordNet tree", "nodes of the WordNet tree"),
}
"""How a name was matched, for the user: one, and several."""


class AmbiguousNameError(InputError):
    """A name is that of several classes or nodes.

    Attributes:
        choices: Their WordNet ids.
    """

    def __init__(self, message: str, hint: str, choices: tuple[str, ...]) -> None:
        super().__init__(message, hint)
        self.choices = choices


@dataclass(frozen=True)
class Target:
    """What counts as right for the photos of one folder.

    Attributes:
        name: The name of the folder.
        classes: The indices of the model's classes that are right.
        kind: How the name was matched, a key of ``KINDS``.
        title: The name for people: for a WordNet id, that of its node.
    """

    name: str
    classes: frozenset[int]
    kind: str
    title: str


@dataclass(frozen=True)
class Targets:
    """The folders that mean something to a model, and those that do not.

    Attributes:
        matched: What counts as right, by folder.
        unmatched: The names of the other folders.
    """

    matched: dict[str, Target]
    unmatched: tuple[str, ...]

    def described(self) -> str:
        """Return how the names were matched, such as ``3 labels and 1 WordNet id``."""
        kinds = Counter(target.kind for target in self.matched.values())
        parts = [count(kinds[kind], *KINDS[kind]) for kind in KINDS if kinds[kind]]
        return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]])) if parts else ""


def match(names: Iterable[str], class_names: Sequence[str]) -> Targets:
    """Return what the names of folders mean to a model.

    For ImageNet's classes a name is a WordNet id (also followed by a name, as in
    ``n02124075_cat``), a label, a category of ``mnv2 sort`` or a node of the WordNet tree, in this
    order; case is ignored, and an underscore is a space.

    Args:
        names: The names.
        class_names: The classes of the model; empty for ImageNet's.

    Raises:
        InputError: A label or node is ambiguous, or no name means anything.
    """
    names = list(names)
    find = finder_in(class_names)
    found = {name: find(name) for name in names}
    matched = {name: target for name, target in found.items() if target is not None}
    titles = Counter(target.title for target in matched.values())
    for name, target in matched.items():
        if titles[target.title] > 1:  # such as both classes named crane
            matched[name] = replace(target, title=name)
    if names and not matched:
        raise _nothing_matches(names, class_names)
    return Targets(matched, tuple(name for name in names if name not in matched))


def finder_in(class_names: Sequence[str]) -> Callable[[str], Target | None]:
    """Return what finds the meaning of a name, as :func:`match` does; None if it has none."""
    return _own_classes(class_names) if class_names else _imagenet


def _own_classes(class_names: Sequence[str]) -> Callable[[str], Target | None]:
    exact = {name: index for index, name in enumerate(class_names)}
    similar: dict[str, list[int]] = {}
    for index, name in enumerate(class_names):
        similar.setdefault(name_key(name), []).append(index)

    def find(name: str) -> Target | None:
        indices = [exact[name]] if name in exact else similar.get(name_key(name), [])
        if len(indices) != 1:
            return None
        return Target(name, frozenset(indices), "class", class_names[indices[0]])

    return find


def _imagenet(name: str) -> Target | None:
    nodes = tree()
    given = _ID.fullmatch(name)
    if given and given[1] in nodes.nodes:
        return Target(name, _below([given[1]]), "id", nodes.nodes[given[1]].name)
    plain = _plain(name)
    own = _labels().get(plain, [])
    if len(own) > 1:
        raise _ambiguous(name, "two classes", own)
    if own:
        return Target(name, _below([own[0].wnid]), "label", own[0].name)
    for category in builtin().all:
        if _plain(category.name) == plain:
            return Target(name, frozenset(builtin().classes(category)), "category", category.name)
    above = _nodes().get(plain, [])
    if len(above) > 1:
        raise _ambiguous(name, "several nodes", above)
    if not above:
        return None
    return Target(name, _below([above[0].wnid]), "node", above[0].name)


@cache
def _labels() -> dict[str, list[Label]]:
    """The labels of ImageNet by their plain names."""
    return _by_plain_name(imagenet_labels())


@cache
def _nodes() -> dict[str, list[Label]]:
    """The nodes of the tree by their plain names."""
    return _by_plain_name(Label(node.wnid, node.name) for node in tree().nodes.values())


def _by_plain_name(labels: Iterable[Label]) -> dict[str, list[Label]]:
    found: dict[str, list[Label]] = {}
    for label in labels:
        found.setdefault(_plain(label.name), []).append(label)
    return found


def _below(wnids: list[str]) -> frozenset[int]:
    """Return the indices of the classes that are one of the nodes, or below one."""
    nodes = tree()
    wanted = set(wnids)
    return frozenset(i for wnid, i in nodes.classes.items() if nodes.above(wnid) & wanted)


def _plain(name: str) -> str:
    return " ".join(name_key(name).replace("_", " ").split())


def _ambiguous(name: str, what: str, labels: list[Label]) -> AmbiguousNameError:
    ids = tuple(label.wnid for label in labels)
    return AmbiguousNameError(
        f"the folder {name!r} is ambiguous: {what} of ImageNet have this name",
        f"Rename the folder to a WordNet id: {' or '.join(ids)}. To compare them, run: mnv2 labels",
        ids,
    )


def _nothing_matches(names: list[str], class_names: Sequence[str]) -> InputError:
    shown = listed(names)
    if class_names:
        return InputError(
            f"no folder is named like a class of the model: {shown}",
            f"Its classes are {listed(list(class_names))}.",
        )
    return InputError(
        f"no folder is named like a class of ImageNet: {shown}",
        "Name folders after WordNet ids, labels, categories or nodes of the tree (see mnv2 "
        "labels), or give your own model with --model.",
    )


def listed(names: Sequence[str], most: int = _NAMED) -> str:
    """Return the first names, quoted, and the number of the others."""
    shown = ", ".join(map(repr, names[:most]))
    return shown if len(names) <= most else f"{shown} and {len(names) - most:,} more"
