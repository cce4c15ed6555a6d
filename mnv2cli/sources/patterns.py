"""Patterns of --include and --exclude, and what distinguishes a glob from a name."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

_MAGIC = re.compile(r"[*?\[]")


def is_glob(text: str) -> bool:
    """Return whether a path that does not exist is meant as a pattern."""
    return _MAGIC.search(text) is not None


def matches(parts: tuple[str, ...], pattern: str) -> bool:
    """Return whether a path, as its parts, matches an include or exclude pattern.

    A pattern without a slash is matched with the last part alone, one with a slash with all of
    them; ``**`` stands for any number of parts. Case does not count.
    """
    pattern = pattern.lower()
    if "/" not in pattern:
        return fnmatchcase(parts[-1].lower(), pattern) if parts else False
    wanted = tuple(part for part in pattern.split("/") if part not in ("", "."))
    return _matches_parts(tuple(part.lower() for part in parts), wanted)


def _matches_parts(parts: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    if not wanted:
        return not parts
    if wanted[0] == "**":
        return any(_matches_parts(parts[i:], wanted[1:]) for i in range(len(parts) + 1))
    return (
        bool(parts) and fnmatchcase(parts[0], wanted[0]) and _matches_parts(parts[1:], wanted[1:])
    )
