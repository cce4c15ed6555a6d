"""Entries of folders and matches of patterns, in stores and archives."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from mnv2cli.sources.filesystem import Match
from mnv2cli.sources.names import natural_key


@dataclass(frozen=True, slots=True)
class RemoteEntry:
    """A file or folder in a store or an archive, like an entry of ``os.scandir``."""

    name: str
    path: str
    folder: bool
    link: bool = False

    def is_dir(self) -> bool:
        """Return whether it is a folder."""
        return self.folder

    def is_symlink(self) -> bool:
        """Return whether it is a symbolic link."""
        return self.link


def shell_matches(
    url: str, pattern: str, found: dict[str, bool], to_url: Callable[[str], str]
) -> list[Match]:
    """Return the matches of a pattern that a shell would return, sorted as a walk does.

    Files come before folders. Hidden names match only a pattern that contains the dot.

    Args:
        url: The input; if it ends like ``**/*``, matching folders are not walked, as the pattern
            matches their files anyway.
        pattern: The part of the URL that is matched against names.
        found: Matching names, and whether each is a folder.
        to_url: Called with a name, returns its URL.
    """
    walk_folders = "**" not in url or not re.search(r"(^|/)\*\*?(::|$)", url)
    dots = sum(part.startswith(".") for part in pattern.split("/"))

    def visible(name: str) -> bool:
        return sum(part.startswith(".") for part in name.split("/") if part != ".") <= dots

    return [
        Match(to_url(name), is_folder, taken=walk_folders or not is_folder)
        for name, is_folder in sorted(found.items(), key=_walk_order)
        if visible(name)
    ]


def _walk_order(item: tuple[str, bool]) -> tuple[tuple[bool, str, str], ...]:
    name, is_folder = item
    *above, last = name.rstrip("/").split("/")
    folders = tuple((True, natural_key(part), part) for part in above)
    return (*folders, (is_folder, natural_key(last), last))
