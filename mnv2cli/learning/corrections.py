"""Find out which photos the user moved to another class since ``mnv2 sort`` put them somewhere."""

from __future__ import annotations

import os
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mnv2cli.errors import InputError
from mnv2cli.journals.file import journals
from mnv2cli.journals.history import History
from mnv2cli.learning.dataset import NO_CLASSES, Example
from mnv2cli.learning.training_set import FEWEST_PHOTOS
from mnv2cli.results.thumbnail_files import is_thumbnail_path
from mnv2cli.sorting.folders import safe_name
from mnv2cli.sorting.placed import Placed, placed_files
from mnv2cli.sources.finder import Finder
from mnv2cli.sources.names import name_key, natural_sorted, path_parts
from mnv2cli.sources.options import Filters


@dataclass
class SortedPhotos:
    """The photos of a sorted folder, by what the user did with them.

    Attributes:
        corrected: Photos that are in another class folder now; the class is that of the folder.
        added: Photos in class folders that no run put there.
        unmoved: Photos where a run put them; the class is that of the folder, else empty.
        folders: Where runs put the corrected and unmoved photos, by their path now.
        ignored: Paths of other photos, and why they are not learned.
        unlearned: The contents of the ignored photos: earlier runs may have learned them.
        outside: The contents of photos that no run put there, and that are in no class.
        missing: The number of photos that are no longer there.
        renamed: Classes whose folder the user renamed, and its new name; the photos in it count
            as those of the class.
        new_names: Classes that the user made by moving photos into new folders.
    """

    corrected: list[Example] = field(default_factory=list)
    added: list[Example] = field(default_factory=list)
    unmoved: list[Example] = field(default_factory=list)
    folders: dict[str, str] = field(default_factory=dict)
    ignored: list[tuple[str, str]] = field(default_factory=list)
    unlearned: set[str] = field(default_factory=set)
    outside: set[str] = field(default_factory=set)
    missing: int = 0
    renamed: tuple[tuple[str, str], ...] = ()
    new_names: tuple[str, ...] = ()


class ClassFolders:
    """Finds the class of a folder below a sorted folder.

    Args:
        names: The known classes.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = {name_key(safe_name(name)): name for name in names}

    def class_of(self, folders: Sequence[str]) -> str:
        """Return the deepest known class of some nested folders; empty for none."""
        if not folders or name_key(folders[0]) in NO_CLASSES:
            return ""
        known = (self._names.get(name_key(each)) for each in reversed(folders))
        return next(filter(None, known), "")

    def new_class(self, folders: Sequence[str]) -> str:
        """Return the class that the user made with some nested folders; empty for none."""
        return "" if not folders or name_key(folders[0]) in NO_CLASSES else folders[-1]

    def rename(self, folder: str, name: str) -> None:
        """Let a folder stand for a class too."""
        self._names.setdefault(name_key(folder), name)


def read_sorted(
    dest: str, names: Iterable[str], filters: Filters, digest: Callable[[str], str]
) -> SortedPhotos:
    """Return what the user did with the photos of a sorted folder, by its journals and by content.

    Args:
        dest: The folder that ``mnv2 sort`` made.
        names: The classes of the model.
        filters: Which files to use.
        digest: Returns the SHA-256 of a file in hexadecimal; empty if it cannot be read.

    Raises:
        InputError: No run put photos there.
    """
    placed = placed_files(dest)
    if all(each.is_companion for each in placed):
        what = "its journals have no photos" if journals(dest) else "it has no journal"
        raise InputError(
            f"{dest!r} was not made by mnv2 sort: {what}",
            "To learn from all photos in it: "
            + shlex.join(["mnv2", "learn", dest, "-o", "FILE.keras"]),
        )
    reader = _Reader(dest, placed, ClassFolders(names), digest)
    untagged = _untagged(dest, placed)
    where: dict[str, list[str]] = {}
    for source in Finder([dest], filters):
        if source.error or is_thumbnail_path(source.path):
            continue
        if content := digest(source.path):
            content = untagged.get(content, content)
            where.setdefault(content, []).append(source.path)
    reader.find_renamed(where)
    for content, paths in where.items():
        reader.add(content, paths)
    found = reader.finish()
    for tagged, content in untagged.items():  # runs may have learned either
        for each in (found.unlearned, found.outside):
            if content in each:
                each.add(tagged)
    return found


def _untagged(dest: str, placed: list[Placed]) -> dict[str, str]:
    """Return the contents that runs put into a folder, by those that tags made of them since."""
    history, known = History(), {each.sha256 for each in placed}
    return {
        tagged: each.sha256
        for each in placed
        for tagged in each.versions(os.path.abspath(dest), history)
        if tagged not in known
    }


class _Reader:
    """Decides what the user did with one photo after another."""

    def __init__(
        self,
        dest: str,
        placed: list[Placed],
        classes: ClassFolders,
        digest: Callable[[str], str],
    ) -> None:
        self._dest = dest
        self._depth = len(path_parts(dest))
        self._classes = classes
        self._placed: dict[str, list[Placed]] = {}  # by content
        self._companions: set[str] = set()  # contents
        self._found = SortedPhotos()
        self._new: list[tuple[Example, str, str]] = []  # in folders that are no class yet
        for each in placed:
            path = each.path(dest)
            content = digest(path) if each.is_link and os.path.islink(path) else each.sha256
            if each.is_companion:
                self._companions.add(content)
            else:
                self._placed.setdefault(content, []).append(each)

    def find_renamed(self, where: Mapping[str, Sequence[str]]) -> None:
        """Find class folders that are gone, all of whose photos are in one new folder.

        Args:
            where: The paths of each content.
        """
        now: dict[str, list[tuple[str, ...]]] = {}  # by the folder of a run
        for content, placed in self._placed.items():
            for each in placed:
                now.setdefault(each.folder, []).extend(map(self._folders, where.get(content, ())))
        found = []
        for old, folders in now.items():
            name = self._original(old)
            is_one = len(folders) >= FEWEST_PHOTOS and len(set(folders)) == 1
            if not name or not is_one or os.path.isdir(os.path.join(self._dest, old)):
                continue
            new, parts = folders[0], tuple(old.split("/"))
            other = [pair for pair in zip(parts, new, strict=False) if pair[0] != pair[1]]
            if (
                len(new) == len(parts)
                and len(other) == 1
                and self._classes.class_of(other[0][:1]) == name
                and not self._classes.class_of(new)
                and self._classes.new_class(new)
            ):
                found.append((name, other[0][1]))
        goals = Counter(goal for _, goal in set(found))
        for name, goal in dict.fromkeys(found):
            if goals[goal] == 1:  # else several classes became a new one
                self._classes.rename(goal, name)
                self._found.renamed += ((name, goal),)

    def add(self, content: str, paths: list[str]) -> None:
        """Add a photo, by its content and all paths that it has now."""
        known = self._placed.pop(content, [])
        if not known and content in self._companions:
            return  # only its photo is learned
        targets = {os.path.normpath(each.path(self._dest)): each.folder for each in known}
        stayed = [path for path in paths if os.path.normpath(path) in targets]
        goals = {path: self._class_of(path) for path in paths if path not in stayed}
        goals = {path: name for path, name in goals.items() if name}
        classes = {path: self._original(targets[os.path.normpath(path)]) for path in stayed}
        wanted = sorted({*goals.values(), *classes.values()} - {""})
        if goals and len(wanted) > 1:
            why = f"is in several classes: {', '.join(wanted)}"
            self._ignore(next(iter(goals)), why, content)
        elif goals and not any(classes.values()):
            path = next(iter(goals))
            self._add_moved(Example(path, goals[path]), known[0] if known else None, content)
        elif stayed:
            for path in stayed:
                self._add_unmoved(path, targets[os.path.normpath(path)])
        elif known:
            why = "was moved to a folder that is not a class"
            self._ignore(paths[0], why, content)
        else:
            self._found.outside.add(content)

    def _ignore(self, path: str, why: str, content: str) -> None:
        self._found.ignored.append((path, why))
        self._found.unlearned.add(content)

    def _original(self, folder: str) -> str:
        """Return the class of a folder where a run put photos; empty for none."""
        return self._classes.class_of(folder.split("/"))

    def _class_of(self, path: str) -> str:
        folders = self._folders(path)
        return self._classes.class_of(folders) or self._classes.new_class(folders)

    def _folders(self, path: str) -> tuple[str, ...]:
        return path_parts(path)[self._depth : -1]

    def _add_unmoved(self, path: str, folder: str) -> None:
        name = self._original(folder)
        self._found.unmoved.append(Example(path, name))
        self._found.folders[path] = folder

    def _add_moved(self, example: Example, placed: Placed | None, content: str) -> None:
        folder = placed.folder if placed else ""
        if placed:
            example = replace(example, origin=placed.source)
        if example.name == self._original(folder):
            self._add_unmoved(example.path, folder)  # into a subfolder, or renamed
        elif self._classes.class_of(self._folders(example.path)):
            self._learn(example, folder)
        else:
            self._new.append((example, folder, content))

    def _learn(self, example: Example, folder: str) -> None:
        if folder:
            self._found.corrected.append(example)
            self._found.folders[example.path] = folder
        else:
            self._found.added.append(example)

    def finish(self) -> SortedPhotos:
        """Return all photos; new folders with enough photos become classes."""
        found = self._found
        counts = Counter(example.name for example, _, _ in self._new)
        for example, folder, content in self._new:
            if counts[example.name] >= FEWEST_PHOTOS:
                self._learn(example, folder)
            else:
                why = f"{example.name} is not a class yet: move at least 2 photos there"
                self._ignore(example.path, why, content)
        enough = [name for name, photos in counts.items() if photos >= FEWEST_PHOTOS]
        found.new_names = tuple(natural_sorted(enough))
        found.missing = sum(map(len, self._placed.values()))
        return found
