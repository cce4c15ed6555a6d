"""Read which photos are of which class: from the subfolders of a folder."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from mnv2cli.errors import InputError, NoImagesError
from mnv2cli.models.head import UNKNOWN
from mnv2cli.models.learned_file import check_names
from mnv2cli.results.check import OWN_FILE
from mnv2cli.results.thumbnail_files import is_thumbnail_path
from mnv2cli.sources.finder import Finder
from mnv2cli.sources.names import natural_sorted, path_parts
from mnv2cli.sources.options import Filters
from mnv2cli.sources.patterns import matches
from mnv2cli.sources.urls import is_url
from mnv2cli.system.messages import reason
from mnv2cli.system.urls import redact

OWN_FOLDER = ".mnv2"
"""Where mnv2 sort keeps its journals, in the folder that it sorts into."""

NO_CLASSES = ("unsure", "other", UNKNOWN)
"""Folders of a sorted destination that are not classes."""

_FOLDER_HINT = "Give a folder with a subfolder for each class: photos/cat, photos/dog."


@dataclass(frozen=True, slots=True)
class Example:
    """A photo whose class is known.

    Attributes:
        path: The photo.
        name: Its class.
        error: Why it cannot be read, if that is already known; else empty.
        origin: Its path before it was sorted; empty if that is ``path``.
    """

    path: str
    name: str
    error: str = ""
    origin: str = ""


@dataclass
class Examples:
    """The photos to learn from, as found; nothing has been opened.

    Attributes:
        source: The folder or file that they come from.
        names: The classes, in natural order, with those that have no photos.
        photos: The photos, in order.
        skipped: The path of each file and folder that is not used, and the reason.
        base: The folder where relative paths of a file start; empty for a folder.
        hint: What to do where there are too few classes.
    """

    source: str
    names: tuple[str, ...]
    photos: list[Example] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    base: str = ""
    hint: str = _FOLDER_HINT

    def check(self) -> None:
        """Check that classes can be learned, before any photo is opened.

        Raises:
            NoImagesError: There are no photos.
            InputError: There is only one class, or a name cannot be that of a class.
        """
        if not self.photos:
            reasons = Counter(why.partition(":")[0] for _, why in self.skipped)
            found = ", ".join(f"{why} {number:,}" for why, number in reasons.most_common())
            raise NoImagesError(
                f"no photos of classes in {self.source!r}",
                (f"Skipped: {found}. " if found else "") + self.hint,
            )
        check_classes(self.names, self.source, self.hint)


def check_classes(names: tuple[str, ...], source: str, hint: str = _FOLDER_HINT) -> None:
    """Check the names of classes; raises InputError, which names where they come from."""
    if UNKNOWN in map(str.casefold, names):
        raise InputError(
            f"{source!r} has a class named {UNKNOWN!r}: that is the label of photos that are "
            "unlike all classes",
            "Rename it, for example to 'others'.",
        )
    if len(names) == 1:
        raise InputError(f"{source!r} has only one class, {names[0]!r}", hint)
    try:
        check_names(names)
    except ValueError as error:
        raise InputError(f"cannot learn the classes of {source!r}: {error}", "Rename it.") from None


def check_folder(folder: str, hint: str = _FOLDER_HINT) -> None:
    """Check that a folder is one of this machine; raises InputError."""
    if is_url(folder):
        raise InputError(
            f"cannot learn from {redact(folder)!r}: it is not on this machine",
            "Copy the photos to this machine first.",
        )
    if not os.path.isdir(folder):
        why = "is not a folder" if os.path.lexists(folder) else "does not exist"
        raise InputError(f"{folder!r} {why}", hint)


def from_folder(folder: str, filters: Filters | None = None) -> Examples:
    """Return the photos in the subfolders of a folder, each a class; photos may lie deeper.

    Hidden folders are skipped, also those of mnv2; so are photos directly in the folder, thumbnails
    of reports, and the folders ``unsure``, ``other`` and ``unknown`` that mnv2 sort made.

    Args:
        folder: The folder, on this machine.
        filters: Which files to use.

    Raises:
        InputError: It is not a folder, or cannot be listed.
    """
    filters = filters or Filters()
    check_folder(folder)
    try:
        with os.scandir(folder) as entries:
            subfolders = [entry.name for entry in entries if entry.is_dir(follow_symlinks=True)]
    except OSError as error:
        raise InputError(f"cannot list {folder!r}: {reason(error)}", "Check its path.") from error
    unused = {OWN_FOLDER: "hidden"}
    if OWN_FOLDER in subfolders:
        unused |= dict.fromkeys(NO_CLASSES, "not a class: mnv2 sort put photos there")
    found = Examples(folder, ())
    finder = Finder([folder], filters, lambda path, why: found.skipped.append((path, why)))
    depth = len(path_parts(folder))
    names = set()
    with_thumbnails = set()
    for source in finder:
        parts = path_parts(source.path)[depth:]
        name = parts[0] if parts else ""
        if len(parts) < 2 and not (source.error and name in subfolders):
            found.skipped.append((source.path, "not in the folder of a class"))
        elif name in unused:
            found.skipped.append((source.path, unused[name]))
        elif is_thumbnail_path(source.path):
            found.skipped.append((source.path, OWN_FILE))
            with_thumbnails.add(name)
        else:
            found.photos.append(Example(source.path, name, source.error))
            names.add(name)
    links = {path for path, why in found.skipped if why.startswith("symbolic link")}
    names |= {
        name
        for name in subfolders
        if name not in unused
        and name not in with_thumbnails
        and not (name.startswith(".") and not filters.hidden)
        and os.path.join(folder, name) not in links
        and not any(matches((name,), pattern) for pattern in filters.exclude)
    }
    found.names = tuple(natural_sorted(list(names)))
    return found


def together(*sets: Examples) -> Examples:
    """Return the photos of several sets as one."""
    names = natural_sorted(list({name for each in sets for name in each.names}))
    whole = replace(sets[0], names=tuple(names), photos=[], skipped=[])
    for each in sets:
        whole.photos += each.photos
        whole.skipped += each.skipped
    return whole


def with_few(photos: Iterable[Example], names: tuple[str, ...], fewest: int) -> Iterator[str]:
    """Yield the classes that have fewer photos than required."""
    counts = Counter(photo.name for photo in photos)
    return (name for name in names if counts[name] < fewest)
