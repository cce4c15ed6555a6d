"""Companions: files that belong to a photo and are sorted with it."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable

from mnv2cli.journals.folder import names_in
from mnv2cli.results.check import is_results
from mnv2cli.sources.names import name_key, path_parts, suffix_of
from mnv2cli.sources.pairs import companions, developed_first, stem_key
from mnv2cli.sources.patterns import matches


class Companions:
    """Find the companions of the photos that are sorted; each belongs to one of them.

    Args:
        photos: The photos, in order.
        staying: Absolute paths of files that are companions of no photo.
        absolute: Returns the absolute path of a file.
        excluded: Returns whether a file, by its absolute path, stays beside its photo.
    """

    def __init__(
        self,
        photos: Iterable[str],
        staying: Collection[str],
        absolute: Callable[[str], str],
        excluded: Callable[[str], bool] | None = None,
    ) -> None:
        self._absolute = absolute
        self._staying = staying
        self._excluded = excluded
        self._photos: dict[str, list[str]] = {}  # their names, by folder
        for photo in photos:
            folder, name = os.path.split(absolute(photo))
            self._photos.setdefault(folder, []).append(name)
        self._by_stem: dict[str, dict[str, str]] = {}  # the photo of each stem, by folder
        # By folder: the photo of each companion, and the companions of each photo.
        self._shots: dict[str, tuple[dict[str, str], dict[str, list[str]]]] = {}

    def of(self, path: str) -> list[str]:
        """Return the companions of a photo."""
        folder, name = os.path.split(self._absolute(path))
        names = self._shots_in(folder)[1].get(name, ())
        return [os.path.join(os.path.dirname(path), other) for other in names]

    def has(self, path: str) -> bool:
        """Return whether a file is a companion."""
        folder, name = os.path.split(self._absolute(path))
        return name in self._shots_in(folder)[0]

    def former_photo(self, path: str) -> str:
        """Return the photo of a companion that is gone, as its photo may be; else empty."""
        folder, name = os.path.split(self._absolute(path))
        if folder not in self._by_stem:
            photos = developed_first(self._photos.get(folder, ()))
            self._by_stem[folder] = {stem_key(photo): photo for photo in reversed(photos)}
        leader = self._by_stem[folder].get(stem_key(name), "")
        return os.path.join(os.path.dirname(path), leader) if leader else ""

    def _shots_in(self, folder: str) -> tuple[dict[str, str], dict[str, list[str]]]:
        if folder not in self._shots:
            photo_of = self._find(folder)
            companions_of: dict[str, list[str]] = {}
            for name, photo in photo_of.items():
                companions_of.setdefault(photo, []).append(name)
            self._shots[folder] = (photo_of, companions_of)
        return self._shots[folder]

    def _find(self, folder: str) -> dict[str, str]:
        """Return the companions in a folder, each with its photo."""
        names = names_in(folder)
        photos = _as_listed(self._photos.get(folder, ()), names)
        if self._staying:
            names = [name for name in names if os.path.join(folder, name) not in self._staying]
        if excluded := self._excluded:
            own = set(photos)
            names = [
                name for name in names if name in own or not excluded(os.path.join(folder, name))
            ]
        return {
            name: photos[photo]
            for name, photo in companions(names, photos).items()
            if not (suffix_of(name) == ".json" and is_results(os.path.join(folder, name)))
        }


class Exclusion:
    """Match the patterns of ``--exclude`` against the files beside photos.

    A pattern with a slash is matched against the path below each given folder that contains the
    file; without such a folder, against the end of its path.

    Args:
        patterns: The patterns.
        given: The files and folders that were typed.
    """

    def __init__(self, patterns: tuple[str, ...], given: Iterable[str]) -> None:
        self._patterns = patterns
        self._given = [os.path.abspath(path).rstrip(os.sep) + os.sep for path in given]

    def __call__(self, path: str) -> bool:
        """Return whether the file with an absolute path matches a pattern."""
        below = [path[len(root) :] for root in self._given if path.startswith(root)]
        if below:
            ends = [path_parts(rest) for rest in below]
        else:
            parts = path_parts(path)
            ends = [parts[start:] for start in range(len(parts))]
        return any(matches(end, pattern) for end in ends for pattern in self._patterns)


def _as_listed(photos: Iterable[str], names: list[str]) -> dict[str, str]:
    """Return the photos that are in a folder, by their names there.

    A file system may find a photo by a name of other case or Unicode composition.
    """
    there, by_key = set(names), dict[str, str]()
    found = {}
    for photo in photos:
        if photo in there:
            found[photo] = photo
            continue
        by_key = by_key or {name_key(name): name for name in names}
        listed = by_key.get(name_key(photo))
        if listed is not None:
            found.setdefault(listed, photo)
    return found
