"""Match the patterns of --include and --exclude, and tell patterns from names."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

_MAGIC = re.compile(r"[*?\[]")


def is_glob(text: str) -> bool:
    """Return whether a path is a pattern, if no file has that name."""
    return _MAGIC.search(text) is not None


def matches(parts: tuple[str, ...], pattern: str) -> bool:
    """Return whether a path, as its parts, matches an include or exclude pattern.

    A pattern without a slash is matched against the last part only, a pattern with a slash against
    all parts; ``**`` matches any number of parts. Case is ignored.
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
