"""Files that are compared: statuses, one path per file, one image per shot, exact copies."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from mnv2cli.records import Source
from mnv2cli.sources.names import natural_key, natural_sorted, suffix_of
from mnv2cli.sources.pairs import COMPANION_SUFFIXES, companions
from mnv2cli.system.files import content_digest
from mnv2cli.system.messages import reason


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A file that is compared with others.

    Attributes:
        path: Its path, as found.
        size: Bytes.
        modified: When it was last changed, in nanoseconds since 1970.
        width: In pixels, upright; 0 if unknown.
        height: In pixels, upright; 0 if unknown.
    """

    path: str
    size: int
    modified: int
    width: int = 0
    height: int = 0

    @property
    def rank(self) -> tuple[Any, ...]:
        """A sort key, least for the best of several copies.

        The best has the most pixels, then the most bytes; of equals it is the oldest, then the one
        with the shortest name (``a.jpg``, not ``a (1).jpg``), then the first in natural order.
        """
        name = os.path.basename(self.path)
        pixels = self.width * self.height
        return -pixels, -self.size, self.modified, len(name), natural_key(self.path), self.path


@dataclass(slots=True)
class FoundFiles:
    """The files among the images that were found.

    Attributes:
        files: The files to compare, each once.
        errors: The paths that cannot be read, each with the reason.
        linked: The real paths of files that have another name among the images: a symbolic link
            that leads to them, or a hard link.
    """

    files: list[ImageFile] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    linked: set[str] = field(default_factory=set)


def find_files(sources: Iterable[Source], on_skip: Callable[[str, str], None]) -> FoundFiles:
    """Return the files to compare.

    Skipped are symbolic links, other names of a file (hard links, or another path to it), and the
    companions of an image, such as the raw photo beside its JPEG: these are not copies.

    Args:
        sources: The images, as found.
        on_skip: Called with path and reason for each skipped file.
    """
    found = FoundFiles()
    seen: dict[tuple[int, int], str] = {}
    for source in _leading(list(sources), on_skip):
        if source.error:
            found.errors[source.path] = source.error
            continue
        try:
            if os.path.islink(source.path):
                found.linked.add(os.path.realpath(source.path))
                on_skip(source.path, "symbolic link")
                continue
            status = os.stat(source.path)
        except (OSError, ValueError) as error:
            why = reason(error) if isinstance(error, OSError) else str(error)
            found.errors[source.path] = f"cannot be read: {why}"
            continue
        number = (status.st_dev, status.st_ino)
        if status.st_ino and number in seen:  # 0 is not a number: some network drives have no other
            real = os.path.realpath(seen[number])
            if real != os.path.realpath(source.path):  # a hard link, not another path to it
                found.linked.add(real)
            on_skip(source.path, f"same file as another: {seen[number]}")
            continue
        seen[number] = source.path
        found.files.append(ImageFile(source.path, status.st_size, status.st_mtime_ns))
    return found


def _leading(sources: list[Source], on_skip: Callable[[str, str], None]) -> Iterable[Source]:
    """Yield the images that lead a shot, also among files that were named one by one."""
    names: dict[str, list[str]] = {}
    for source in sources:
        folder, name = os.path.split(os.path.abspath(source.path))
        if suffix_of(name) in COMPANION_SUFFIXES:
            names[folder] = []
    if names:
        for source in sources:
            folder, name = os.path.split(os.path.abspath(source.path))
            if folder in names:
                names[folder].append(name)
    led = {folder: companions(natural_sorted(own)) for folder, own in names.items()}
    for source in sources:
        folder, name = os.path.split(os.path.abspath(source.path))
        if leader := led.get(folder, {}).get(name):
            on_skip(source.path, f"belongs to another image: {leader}")
        else:
            yield source


def exact_copies(
    files: Iterable[ImageFile],
    errors: dict[str, str],
    advance: Callable[[int], None] = lambda count: None,
) -> list[list[ImageFile]]:
    """Return the files by content, the best file of each content first.

    Only files whose size occurs again are read; empty files are equal to no other.

    Args:
        files: The files.
        errors: Receives the path and the reason of each file that cannot be read.
        advance: Called with the number of files compared since the last call.
    """
    by_size: dict[int, list[ImageFile]] = {}
    for file in files:
        by_size.setdefault(file.size, []).append(file)
    groups: list[list[ImageFile]] = []
    for size, equal in by_size.items():
        if len(equal) == 1 or not size:
            groups += [[file] for file in equal]
            advance(len(equal))
            continue
        by_content: dict[str, list[ImageFile]] = {}
        for file in equal:
            try:
                by_content.setdefault(content_digest(file.path), []).append(file)
            except (OSError, ValueError) as error:
                why = reason(error) if isinstance(error, OSError) else str(error)
                errors[file.path] = f"cannot be read: {why}"
            advance(1)
        groups += [sorted(same, key=lambda file: file.rank) for same in by_content.values()]
    return sorted(groups, key=lambda group: (natural_key(group[0].path), group[0].path))
