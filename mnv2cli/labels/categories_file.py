"""Categories as a TOML file: the built-in one, and the user's that is laid over it."""

from __future__ import annotations

import sys
from functools import cache
from importlib.resources import files
from typing import Any

from mnv2cli.errors import InputError
from mnv2cli.labels.categories import Categories, Category
from mnv2cli.labels.tree import tree
from mnv2cli.system.messages import reason

_LARGEST_FILE = 64 << 10  # bytes; the built-in one has 8,000
_MAX_SECTIONS = 500
_KEYS: dict[str, Any] = {
    "nodes": list,
    "add": list,
    "merge": list,
    "name": str,
    "threshold": (int, float),
    "ignore": bool,
}


def builtin_text() -> str:
    """Return the built-in categories as the TOML file that they are."""
    return files("mnv2cli.labels").joinpath("data/categories.toml").read_text(encoding="utf-8")


@cache
def builtin() -> Categories:
    """Return the built-in categories."""
    return Categories(list(_builtin_by_key().values()))


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
        why = reason(error, lower=False)
        raise InputError(f"the categories file {path!r} cannot be read: {why}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"the categories file {path!r} is not UTF-8 text") from error
    if len(data) > _LARGEST_FILE:
        raise InputError(f"the categories file {path!r} is far too large")
    return Categories(list(_lay_over(_builtin_by_key(), _parse(text, path), path).values()))


def _builtin_by_key() -> dict[str, Category]:
    # Not cached: laying a file over them changes them.
    return _lay_over({}, _parse(builtin_text(), "built-in"), "built-in")


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


def _lay_over(
    base: dict[str, Category], sections: dict[str, Any], path: str
) -> dict[str, Category]:
    """Lay the sections of a file over categories; later ones take nodes from earlier ones."""
    if len(sections) > _MAX_SECTIONS:
        raise InputError(f"{path}: {len(sections):,} sections are too many")
    categories = dict(base)
    for key, section in sections.items():
        _check_section(key, section, path)
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
    _check_names(list(categories.values()), path)
    return categories


def _check_section(key: str, section: Any, path: str) -> None:
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


def _check_names(categories: list[Category], path: str) -> None:
    names = [category.name.casefold() for category in categories]
    for category in categories:
        if names.count(category.name.casefold()) > 1:
            raise InputError(
                f"{path}: two categories are named {category.name!r}", "To join them, use merge."
            )


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
