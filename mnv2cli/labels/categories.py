"""Some forty categories that people recognise, each a set of the 1,000 classes."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from mnv2cli.errors import InputError
from mnv2cli.labels.imagenet import imagenet_labels
from mnv2cli.labels.tree import tree
from mnv2cli.records import CategoryScore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LARGEST_FILE = 64 << 10  # bytes; the built-in one has 8,000
_MOST_SECTIONS = 500
_KEYS: dict[str, Any] = {
    "nodes": list,
    "add": list,
    "merge": list,
    "name": str,
    "threshold": (int, float),
    "ignore": bool,
}


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


def builtin_text() -> str:
    """Return the built-in categories as the TOML file that they are."""
    return files("mnv2cli.labels").joinpath("data/categories.toml").read_text(encoding="utf-8")


@cache
def builtin() -> Categories:
    """Return the built-in categories."""
    return Categories(list(_read(_parse(builtin_text(), "built-in"), {}, "built-in").values()))


def load(path: str) -> Categories:
    """Return the built-in categories with a user's TOML file laid over them.

    Raises:
        InputError: The file cannot be read, or says what cannot be done.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(_LARGEST_FILE + 1)
        text = data.decode("utf-8")
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"the categories file {path!r} cannot be read: {reason}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"the categories file {path!r} is not UTF-8 text") from error
    if len(data) > _LARGEST_FILE:
        raise InputError(f"the categories file {path!r} is far too large")
    base = _read(_parse(builtin_text(), "built-in"), {}, "built-in")
    return Categories(list(_read(_parse(text, path), base, path).values()))


def _parse(text: str, path: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(
            f"the categories file {path!r} is no TOML: {error}",
            "mnv2 labels --toml prints a file to start from.",
        ) from error


def _read(sections: dict[str, Any], base: dict[str, Category], path: str) -> dict[str, Category]:
    """Lay the sections of a file over categories; later ones take nodes from earlier ones."""
    if len(sections) > _MOST_SECTIONS:
        raise InputError(f"{path}: {len(sections):,} sections are too many")
    categories = dict(base)
    for key, section in sections.items():
        _check(key, section, path)
        old = categories.get(key)
        if old is None and not {"nodes", "add", "merge"} & set(section):
            known = ", ".join(base)
            raise InputError(
                f"{path}: there is no category {key!r}, and no nodes are given for a new one",
                f"There are: {known}.",
            )
        category = Category(key, key) if old is None else old
        if "nodes" in section:
            category.nodes = []
        new = _nodes(section.get("nodes", []) + section.get("add", []), key, path)
        for other_key in section.get("merge", []):
            if other_key not in categories or other_key == key:
                raise InputError(f"{path}: [{key}] merges {other_key!r}, which is no category")
            category.nodes += categories.pop(other_key).nodes
        for other in categories.values():
            other.nodes = [node for node in other.nodes if node not in new]
        category.nodes = list(dict.fromkeys(category.nodes + new))
        category.name = section.get("name", category.name)
        category.threshold = float(section.get("threshold", category.threshold))
        category.ignore = section.get("ignore", category.ignore)
        categories[key] = category
    names = [category.name.casefold() for category in categories.values()]
    for category in categories.values():
        if names.count(category.name.casefold()) > 1:
            raise InputError(
                f"{path}: two categories are named {category.name!r}", "To join them, use merge."
            )
    return categories


def _check(key: str, section: Any, path: str) -> None:
    if not isinstance(section, dict):
        raise InputError(f"{path}: {key!r} stands outside of a section such as [dog]")
    for name, value in section.items():
        if name not in _KEYS:
            raise InputError(f"{path}: [{key}] has {name!r}, but knows only {', '.join(_KEYS)}")
        fits = isinstance(value, _KEYS[name]) and (name == "ignore") == isinstance(value, bool)
        if isinstance(value, list):
            fits = all(isinstance(item, str) for item in value)
        if not fits:
            raise InputError(f"{path}: [{key}] has a value of the wrong kind for {name!r}")
    if not 0 <= section.get("threshold", 0) <= 1:
        raise InputError(f"{path}: the threshold of [{key}] is not from 0 to 1")
    if not section.get("name", key).strip():
        raise InputError(f"{path}: [{key}] has an empty name")
    if not section.get("name", key).isprintable():
        raise InputError(f"{path}: [{key}] has a name with control characters")


def _nodes(names: list[str], key: str, path: str) -> list[str]:
    found = []
    for name in names:
        ids = tree().named(name)
        if not ids:
            raise InputError(
                f"{path}: [{key}] names {name!r}, which is not in the tree",
                "mnv2 labels --tree prints it.",
            )
        if len(ids) > 1:
            choices = ", ".join(f"'{name} ({wnid})'" for wnid in ids)
            raise InputError(f"{path}: [{key}] names {name!r}, which may be {choices}")
        found += ids
    return found


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
