"""Categories as a TOML file: the built-in one, and a user's file that overrides it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from mnv2cli.config.regular import read_regular
from mnv2cli.config.toml import TOMLDecodeError, loads, long_key
from mnv2cli.errors import InputError
from mnv2cli.labels.categories import Categories, Category
from mnv2cli.labels.imagenet import imagenet_labels
from mnv2cli.labels.tree import tree
from mnv2cli.system.messages import count, reason

_LARGEST_FILE = 64 << 10  # bytes; the built-in file has 8,000
_MAX_SECTIONS = 500
_MAX_LISTED = 3  # classes in an error
_KEYS: dict[str, Any] = {
    "nodes": list,
    "add": list,
    "merge": list,
    "name": str,
    "threshold": (int, float),
    "ignore": bool,
}


_OF_CATEGORIES = {"nodes", "add", "merge"}  # a new category has one of these

TAGS = "tags"
"""The section that is not a category, but the lists of ``mnv2 tag``."""


def builtin_text() -> str:
    """Return the built-in categories as the text of their TOML file."""
    return files("mnv2cli.labels").joinpath("data/categories.toml").read_text(encoding="utf-8")


@cache
def builtin() -> Categories:
    """Return the built-in categories."""
    return Categories(list(_builtin_by_key().values()))


def load(path: str) -> Categories:
    """Return the built-in categories with a user's TOML file applied on top.

    A section of the file changes the built-in category of that name or adds a category. A built-in
    category that the file does not name is dropped if other categories claim all its classes.

    Raises:
        InputError: The file cannot be read, is not valid, or describes a category without classes.
    """
    sections = read_sections(path)
    if is_tags(sections):
        del sections[TAGS]
    by_key = _override(_builtin_by_key(), sections, path)
    found = Categories(list(by_key.values()))
    empty = [category for category in found.all if not found.classes(category)]
    for category in empty:
        if category.key in sections:
            raise _empty_error(category, found, sections[category.key], path)
    if empty:
        return Categories([category for category in found.all if category not in empty])
    return found


def read_sections(path: str) -> dict[str, Any]:
    """Return the content of a user's file, not yet checked.

    Raises:
        InputError: The file cannot be read, or is not TOML.
    """
    try:
        data = read_regular(path, _LARGEST_FILE + 1)
        text = data.decode("utf-8-sig")  # Windows editors write a byte order mark
    except OSError as error:
        raise InputError(f"cannot read the categories file {path!r}: {reason(error)}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"the categories file {path!r} is not UTF-8 text") from error
    if len(data) > _LARGEST_FILE:
        raise InputError(
            f"the categories file {path!r} is larger than {_LARGEST_FILE >> 10} kB",
            "Keep only the sections that you change.",
        )
    return _parse(text, path)


def is_tags(sections: Mapping[str, Any]) -> bool:
    """Return whether a file has the section of tags; a category of its name has nodes."""
    section = sections.get(TAGS)
    return isinstance(section, dict) and not _OF_CATEGORIES & section.keys()


def _empty_error(
    category: Category, categories: Categories, section: dict[str, Any], path: str
) -> InputError:
    """Return the error that explains why a category has no classes."""
    nodes = tree()
    if not category.nodes:
        has_nodes = section.get("nodes") or section.get("add")
        why = "a later section names its nodes too" if has_nodes else "it has no nodes"
        return InputError(
            f"{path}: [{category.key}] has no classes: {why}",
            "To put its images into another category, use merge = [...] there; to leave "
            "them without a category, use ignore = true.",
        )
    owners: dict[str, list[str]] = {}
    for label, index in zip(imagenet_labels(), categories.of_class, strict=True):
        if nodes.above(label.wnid) & set(category.nodes):
            owners.setdefault(categories.all[index].key, []).append(label.name)
    names = [nodes.nodes[wnid].name for wnid in category.nodes]
    taken = []
    for key, labels in owners.items():
        more = len(labels) - _MAX_LISTED
        listed = ", ".join(labels[:_MAX_LISTED]) + (f" and {more} more" if more > 0 else "")
        taken.append(f"[{key}] claims {listed}")
    below = count(sum(map(len, owners.values())), "class", "classes")
    return InputError(
        f"{path}: [{category.key}] has no classes: of the {below} below {', '.join(names)}, "
        + "; ".join(taken),
        "Deeper nodes win over nodes above them: name the classes themselves, or merge the "
        "categories that have them.",
    )


def _builtin_by_key() -> dict[str, Category]:
    # Not cached: applying a file changes them.
    return _override({}, _parse(builtin_text(), "built-in"), "built-in")


def _parse(text: str, path: str) -> dict[str, Any]:
    hint = "To see a valid file, run: mnv2 labels --toml"
    if line := long_key(text):
        why = f"a key has too many parts (at line {line})"
        raise InputError(f"the categories file {path!r} is not valid TOML: {why}", hint)
    try:
        return loads(text)
    except TOMLDecodeError as error:
        raise InputError(
            f"the categories file {path!r} is not valid TOML: {error}", hint
        ) from error


def _override(
    base: dict[str, Category], sections: dict[str, Any], path: str
) -> dict[str, Category]:
    """Apply the sections of a file to categories; later ones take nodes from earlier ones."""
    if len(sections) > _MAX_SECTIONS:
        raise InputError(
            f"{path}: {len(sections):,} sections are more than the limit of {_MAX_SECTIONS}"
        )
    categories = dict(base)
    for key, section in sections.items():
        _check_section(key, section, path)
        old = categories.get(key)
        if old is None and not _OF_CATEGORIES & set(section):
            known = ", ".join(base)
            raise InputError(
                f"{path}: [{key}] is not a built-in category, and a new one requires nodes",
                f"Add nodes = [...], or use one of: {known}.",
            )
        category = Category(key, key) if old is None else old
        if "nodes" in section:
            category.nodes = []
        new = _nodes(section.get("nodes", []) + section.get("add", []), key, path)
        for other_key in section.get("merge", []):
            if other_key not in categories or other_key == key:
                raise InputError(
                    f"{path}: [{key}] cannot merge {other_key!r}: not another category"
                )
            category.nodes += categories.pop(other_key).nodes
        for other in categories.values():
            other.nodes = [node for node in other.nodes if node not in new]
        category.nodes = list(dict.fromkeys(category.nodes + new))
        category.name = section.get("name", category.name)
        category.threshold = float(section.get("threshold", category.threshold))
        category.ignore = section.get("ignore", category.ignore)
        categories[key] = category
    _check_names(list(categories.values()), path)
    return categories


def _check_section(key: str, section: Any, path: str) -> None:
    if not isinstance(section, dict):
        raise InputError(f"{path}: {key!r} is not in a section such as [dog]")
    for name, value in section.items():
        if name not in _KEYS:
            raise InputError(
                f"{path}: [{key}] has the unknown key {name!r}; use {', '.join(_KEYS)}"
            )
        fits = isinstance(value, _KEYS[name]) and (name == "ignore") == isinstance(value, bool)
        if isinstance(value, list):
            fits = all(isinstance(item, str) for item in value)
        if not fits:
            raise InputError(f"{path}: [{key}] has a value of the wrong type for {name!r}")
    if not 0 <= section.get("threshold", 0) <= 1:
        raise InputError(f"{path}: the threshold of [{key}] is not between 0 and 1")
    if not section.get("name", key).strip():
        raise InputError(f"{path}: [{key}] has an empty name")
    if not section.get("name", key).isprintable():
        raise InputError(f"{path}: [{key}] has a name with control characters")


def _check_names(categories: list[Category], path: str) -> None:
    names = [category.name.casefold() for category in categories]
    for category in categories:
        if names.count(category.name.casefold()) > 1:
            raise InputError(
                f"{path}: two categories are named {category.name!r}",
                "To join them, use merge = [...].",
            )


def _nodes(names: list[str], key: str, path: str) -> list[str]:
    found = []
    for name in names:
        ids = tree().named(name)
        if not ids:
            raise InputError(
                f"{path}: [{key}] names {name!r}, which is not in the tree",
                "To see the tree, run: mnv2 labels --tree",
            )
        if len(ids) > 1:
            choices = ", ".join(f"'{name} ({wnid})'" for wnid in ids)
            raise InputError(
                f"{path}: [{key}] names {name!r}, which is ambiguous",
                f"Use one of: {choices}.",
            )
        found += ids
    return found
