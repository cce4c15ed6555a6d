"""Which sidecar a photo has or gets.

The full style is ``photo.jpg.xmp``, which only one photo can have. The stem style is ``photo.xmp``:
all images of that stem share the name, and it belongs to one of them, to a raw photo first, as
programs for raw photos write it. Names are compared ignoring case and Unicode composition.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from mnv2cli.journals.folder import names_in
from mnv2cli.sources.names import IMAGE_SUFFIXES, RAW_SUFFIXES, name_key, natural_sorted, suffix_of
from mnv2cli.sources.pairs import companions, stem_key
from mnv2cli.tagging.options import Style

SUFFIX = ".xmp"
"""The suffix of sidecars, in lower case."""

_IMAGES, _RAWS = frozenset(IMAGE_SUFFIXES), frozenset(RAW_SUFFIXES)
_LONGEST = 255  # bytes of a name; some file systems count characters
_MAX_FOLDERS = 4  # whose listings are remembered; photos come folder by folder


@dataclass(frozen=True, slots=True)
class Sidecar:
    """The sidecar of a photo.

    Attributes:
        path: Its path, in the same folder as the path of the photo.
        exists: Whether it is already in the folder.
        reason: Why it is not named as the style requires; may be empty.
    """

    path: str
    exists: bool
    reason: str = ""

    @property
    def is_too_long(self) -> bool:
        """Whether no file can have this name."""
        return _is_too_long(os.path.basename(self.path))


def _is_too_long(name: str) -> bool:
    return len(os.fsencode(name)) > _LONGEST


class Sidecars:
    """Find the sidecar of each photo; the listings of the last folders are remembered.

    Args:
        style: The name of new sidecars.
    """

    def __init__(self, style: Style = "full") -> None:
        self._style = style
        self._folders: dict[str, _Folder] = {}

    def of(self, photo: str) -> Sidecar:
        """Return the sidecar that a photo has or would get; of a link, the one beside the link."""
        return self.named(*os.path.split(photo))

    def named(self, folder: str, name: str) -> Sidecar:
        """Return the sidecar of a photo in a folder."""
        found, exists, reason = self._folder(folder).sidecar(name, self._style)
        return Sidecar(os.path.join(folder, found), exists, reason)

    def has(self, folder: str, name: str) -> bool:
        """Return whether a folder has a photo."""
        # A file system may find a photo by a name of other case or Unicode composition.
        return name in self._folder(folder).names or os.path.lexists(os.path.join(folder, name))

    def raws(self, folder: str, leaders: Iterable[str]) -> dict[str, list[str]]:
        """Return the raw photos in a folder that are companions, by the photo that leads them.

        Args:
            folder: The folder.
            leaders: The names of the photos that lead a shot.
        """
        return self._folder(folder).raws(leaders)

    def _folder(self, path: str) -> _Folder:
        found = self._folders.get(path)
        if found is None:
            if len(self._folders) >= _MAX_FOLDERS:
                del self._folders[next(iter(self._folders))]
            found = self._folders[path] = _Folder(path)
        return found


class _Folder:
    """The names in one folder."""

    def __init__(self, path: str) -> None:
        listed = names_in(path or os.curdir)
        self.names = frozenset(listed)
        self._xmp = {name_key(name): name for name in listed if suffix_of(name) == SUFFIX}

    @cached_property
    def _images(self) -> dict[str, str]:
        """The images by their keys, in natural order."""
        images = natural_sorted([name for name in self.names if suffix_of(name) in _IMAGES])
        return {name_key(name): name for name in images}

    @cached_property
    def _by_stem(self) -> dict[str, list[str]]:
        """The images by their stems."""
        found: dict[str, list[str]] = {}
        for name in self._images.values():
            found.setdefault(stem_key(name), []).append(name)
        return found

    def sidecar(self, photo: str, style: Style) -> tuple[str, bool, str]:
        """Return the name of the sidecar of a photo, whether it exists, and the reason."""
        whole = photo + SUFFIX
        if style == "full" and _is_too_long(whole):
            found, exists, why = self.sidecar(photo, "stem")
            return found, exists, why or ("" if exists else "photo.jpg.xmp would be too long")
        if not self._xmp and style == "full":
            return whole, False, ""
        if whole not in self.names:
            other = self._xmp.get(name_key(whole))
            # Where case matters, "a.jpg.xmp" is of "a.jpg" and not of "A.jpg".
            base = other[: -len(SUFFIX)] if other else photo
            if other and (base == photo or base not in self.names):
                whole = other
        if whole in self.names:
            return whole, True, ""
        stem = stem_key(photo)
        existing = self._xmp.get(stem + SUFFIX)
        if style == "full" and existing is None:
            return whole, False, ""
        shared = existing or photo[: dot if (dot := photo.rfind(".")) > 0 else None] + SUFFIX
        owner = self._owner(stem, photo)
        if owner != photo:
            return whole, False, f"{shared} belongs to {owner}"
        return shared, existing is not None, ""

    def _owner(self, stem: str, photo: str) -> str:
        """Return the image that a sidecar named after the stem of a photo belongs to."""
        if stem in self._images:  # the sidecar of "a.cr2", which is the stem of "a.cr2.jpg" too
            return self._images[stem]
        if name_key(photo) not in self._images:  # such as a file without a suffix
            return photo
        sharing = self._by_stem[stem]
        owner = next((name for name in sharing if suffix_of(name) in _RAWS), sharing[0])
        return photo if name_key(owner) == name_key(photo) else owner

    def raws(self, leaders: Iterable[str]) -> dict[str, list[str]]:
        """Return the raw photos that are companions, by the photo that leads them."""
        found: dict[str, list[str]] = {}
        if any(suffix_of(name) in _RAWS for name in self.names):
            for name, leader in companions(list(self._images.values()), leaders).items():
                found.setdefault(leader, []).append(name)
        return found
