"""The section ``[tags]`` of a file of categories: which names become keywords."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from mnv2cli.errors import InputError
from mnv2cli.labels.categories_file import TAGS, is_tags, read_sections
from mnv2cli.tagging.options import TagLists

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
