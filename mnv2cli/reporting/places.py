"""Where the photos of results are now, and how a page refers to them.

Results name photos as they were classified. Relative paths start at the folder that was current
then: that is now the current folder or that of the results, where more of the photos exist.

Photos may have moved since. If the user names their new folder:

1. A relative path is looked for below that folder.
2. For absolute paths, the part that all of them share is replaced by that folder:
   ``/home/me/photos/2023/a.jpg`` and ``/home/me/photos/2024/b.jpg`` become ``2023/a.jpg`` and
   ``2024/b.jpg`` below it.
3. If a photo is not there, the first folders of its path are removed one by one, until what is left
   exists below that folder: ``photos/2024/b.jpg``, ``2024/b.jpg``, ``b.jpg``.

All photos of a folder move together, and two folders never become one: a page would show the photo
of one with the label of the other.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import PureWindowsPath
from urllib.parse import quote

from mnv2cli.sources.bases import base_folder
from mnv2cli.sources.names import path_parts
from mnv2cli.sources.urls import is_url

_TRIED = 20  # photos of a folder, to find out where it is now


class Places:
    """Finds the photos of results on this machine.

    Args:
        base: The folder of relative paths; empty for the current one.
        moved: Where the folders of the results are now, if not below the base; None if elsewhere.
    """

    def __init__(self, base: str = "", moved: Mapping[str, str | None] | None = None) -> None:
        self._base = base
        self._moved = moved or {}

    @classmethod
    def of_results(cls, paths: Iterable[str], results: str, base: str = "") -> Places:
        """Return the places of the photos in a results file.

        Args:
            paths: All photos, as in the results.
            results: The file.
            base: The folder where they are now; empty if they have not moved.
        """
        local = [path for path in paths if not is_url(path)]
        if not base:
            return cls(base_folder(local, os.path.dirname(results)))
        return cls(base, _moved(local, base))

    def local(self, path: str) -> str:
        """Return where a photo is on this machine; empty if it is elsewhere."""
        if is_url(path):
            return ""
        folder, name = os.path.split(path)
        if folder in self._moved:
            place = self._moved[folder]
            return "" if place is None else os.path.join(place, name)
        return os.path.join(self._base, path)

    def href(self, path: str, page: str) -> str:
        """Return the URL of the folder of a photo, with a final slash, for a page.

        Args:
            path: The photo, as in the results.
            page: The file of the page.

        Returns:
            A URL relative to the page, but absolute for another drive of Windows; empty for a photo
            that is not on this machine.
        """
        local = self.local(path)
        if not local:
            return ""
        folder = os.path.abspath(os.path.dirname(local) or os.curdir)
        return _folder_url(folder, page) if os.path.isdir(folder) else ""


def url_of(path: str, page: str) -> str:
    """Return the URL of a file for a page, also if the file does not exist yet.

    Args:
        path: The file, on this machine.
        page: The file of the page.
    """
    folder, name = os.path.split(os.path.abspath(path))
    return _folder_url(folder, page) + quote(os.fsencode(name), safe="")


def _folder_url(folder: str, page: str) -> str:
    start = os.path.dirname(os.path.abspath(page))
    try:
        relative = os.path.relpath(folder, start).replace(os.sep, "/")
    except ValueError:  # another drive of Windows
        return PureWindowsPath(folder).as_uri().rstrip("/") + "/"
    return "./" + quote(os.fsencode(relative)) + "/"


def _moved(paths: list[str], base: str) -> dict[str, str | None]:
    """Return where each folder of the paths is now, below a folder; None if it is elsewhere."""
    names: dict[str, list[str]] = {}
    for path in paths:
        folder, name = os.path.split(path)
        some = names.setdefault(folder, [])
        if len(some) < _TRIED:
            some.append(name)
    absolute = [folder for folder in names if os.path.isabs(folder)]
    try:
        common = os.path.commonpath(absolute) if absolute else ""
    except ValueError:  # different drives of Windows
        common = ""
    found: dict[str, str | None] = {}
    owners: dict[str, str] = {}

    def take(folder: str, places: Iterable[str]) -> None:
        for place in places:
            if not any(os.path.lexists(os.path.join(place, name)) for name in names[folder]):
                continue
            own = os.path.normpath(folder)
            if owners.setdefault(os.path.normpath(place), own) == own:
                found[folder] = place
                return

    for folder in names:
        take(folder, islice(_candidates(folder, common, base), 1))
    for folder in names:
        if folder not in found:
            take(folder, _candidates(folder, common, base))
    for folder in names:
        if folder not in found:
            place = next(_candidates(folder, common, base))
            found[folder] = None if os.path.normpath(place) in owners else place
    return found


def _candidates(folder: str, common: str, base: str) -> Iterator[str]:
    """Yield where a folder may be now, the likeliest first."""
    rest = folder
    if os.path.isabs(folder):
        rest = os.path.splitdrive(folder)[1].lstrip("/" + os.sep)
        if common:
            yield os.path.normpath(os.path.join(base, os.path.relpath(folder, common)))
    parts = path_parts(rest) if rest else ()
    for first in range(len(parts) + 1):
        yield os.path.join(base, *parts[first:])
