"""The section ``[tags]`` of a file of categories: which names become keywords."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from mnv2cli.errors import InputError
from mnv2cli.labels.categories_file import TAGS, builtin, is_tags, read_sections
from mnv2cli.labels.imagenet import distinct_name, imagenet_labels
from mnv2cli.labels.tree import tree
from mnv2cli.tagging.options import TagLists, TagOptions

_KEYS = {"allow": list, "block": list, "rename": dict}
_EXAMPLE = "See a valid section at the top of: mnv2 labels --toml"


def load_lists(path: str) -> TagLists:
    """Return the lists of a TOML file; empty lists if it has no section ``[tags]``.

    Other sections are categories, and are not checked here.

    Raises:
        InputError: The file cannot be read, or the section is not valid.
    """
    sections = read_sections(path)
    if not is_tags(sections):
        if TAGS in sections and not isinstance(sections[TAGS], dict):
            raise InputError(f"{path}: {TAGS!r} is not a section [{TAGS}]", _EXAMPLE)
        return TagLists()
    section = sections[TAGS]
    for key, value in section.items():
        _check(key, value, path)
    lists = TagLists(section.get("allow", ()), section.get("block", ()), section.get("rename", {}))
    if both := sorted(set(lists.allow) & set(lists.block)):
        raise InputError(f"{path}: [{TAGS}] both allows and blocks {both[0]!r}", "Omit one.")
    return lists


def unknown_names(options: TagOptions, class_names: Iterable[str] = ()) -> Iterator[str]:
    """Yield a message about each name in the lists that no keyword can have, as after a typo.

    Args:
        options: The options with the lists, and the categories.
        class_names: The classes of the model; empty for ImageNet's.
    """
    known = {name.casefold(): name for name in class_names or _names(options)}
    lists = options.lists
    for name in sorted({*lists.allow, *lists.block, *lists.rename} - known.keys()):
        near = get_close_matches(name, known, n=1)
        what = "class of the model" if class_names else "label, category or node"
        meant = f"; did you mean {known[near[0]]!r}?" if near else ""
        yield f"[{TAGS}] has {name!r}, which is not a {what}{meant}"


def _names(options: TagOptions) -> Iterator[str]:
    """Yield the names that keywords can have with ImageNet's classes."""
    for label in imagenet_labels():
        yield from (label.name, distinct_name(label))
    yield from (node.name for node in tree().nodes.values())
    yield from (category.name for category in builtin().all)
    yield from options.category_names


def _check(key: str, value: Any, path: str) -> None:
    if key not in _KEYS:
        near = get_close_matches(key.lower(), _KEYS, n=1)
        meant = f"did you mean {near[0]!r}?" if near else f"use {', '.join(_KEYS)}"
        raise InputError(f"{path}: [{TAGS}] has the unknown key {key!r}; {meant}", _EXAMPLE)
    if not isinstance(value, _KEYS[key]):
        example = '{ "Egyptian cat" = "cat" }' if key == "rename" else '["cat", "dog"]'
        raise InputError(
            f"{path}: [{TAGS}] has a value of the wrong type for {key!r}", f"Use {key} = {example}."
        )
    names = [*value, *value.values()] if isinstance(value, dict) else value
    for name in names:
        if not isinstance(name, str):
            raise InputError(f"{path}: [{TAGS}] has {name!r} in {key!r}, which is not a text")
        if not name.strip():
            raise InputError(f"{path}: [{TAGS}] has an empty name in {key!r}")
        if not name.isprintable():
            raise InputError(f"{path}: [{TAGS}] has {name!r} in {key!r}, with control characters")
    if key == "allow" and not value:
        raise InputError(
            f"{path}: [{TAGS}] allows nothing", "Omit 'allow' to allow all names, or list some."
        )
    if len({name.casefold() for name in value}) < len(value) and key == "rename":
        raise InputError(f"{path}: [{TAGS}] renames a name twice in {key!r}")
