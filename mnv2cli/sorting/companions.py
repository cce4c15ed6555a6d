"""Companions: files that belong to a photo and are sorted with it."""

from __future__ import annotations

import os
from collections.abc import Iterator

from mnv2cli.sorting.targets import names_in

COMPANIONS = (
    ".xmp", ".aae", ".mov", ".thm", ".wav", ".pp3", ".dop", ".json", ".gpx",
    ".dng", ".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".srf", ".sr2", ".raf", ".orf", ".rw2",
    ".pef", ".srw", ".x3f", ".3fr", ".iiq", ".erf", ".raw", ".rwl", ".kdc", ".mrw",
)  # fmt: skip
"""Suffixes of companions, which share the stem of their photo: sidecars, Live Photos, raw files."""


class Companions:
    """Find the companions of photos; each belongs to the first photo with its name."""

    def __init__(self) -> None:
        # By folder: the companions in it by their stems in lower case.
        self._beside: dict[str, dict[str, list[str]]] = {}
        self._used: set[str] = set()

    def of(self, path: str) -> Iterator[str]:
        """Yield the companions of a photo that do not belong to an earlier photo."""
        folder, name = os.path.split(path)
        if folder not in self._beside:
            found: dict[str, list[str]] = {}
            for other in names_in(folder or os.curdir):
                stem, suffix = os.path.splitext(other)
                if suffix.lower() in COMPANIONS:
                    found.setdefault(stem.casefold(), []).append(other)
            self._beside[folder] = found
        beside = self._beside[folder]
        if not beside:
            return
        # IMG_1.xmp, or IMG_1.jpg.xmp, as some programs name it.
        for stem in (os.path.splitext(name)[0], name):
            for other in beside.get(stem.casefold(), ()):
                companion = os.path.join(folder, other)
                if companion not in self._used and other != name:
                    self._used.add(companion)
                    yield companion
