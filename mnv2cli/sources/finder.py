"""Turn paths, patterns and lists into image sources: lazily, in natural order, each file once.

Folders are walked one at a time, files before subfolders. The first image is found immediately, and
only the names in the folders on the way down are in memory, never a list of all files.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain, groupby

from mnv2cli.errors import InputError
from mnv2cli.records import Source
from mnv2cli.sources.filesystem import DirEntry, FileSystem, Match, open_filesystem
from mnv2cli.sources.local import LOCAL
from mnv2cli.sources.names import IMAGE_SUFFIXES, natural_key, natural_sorted, path_parts, suffix_of
from mnv2cli.sources.options import Filters
from mnv2cli.sources.pairs import COMPANION_SUFFIXES, companions
from mnv2cli.sources.patterns import matches
from mnv2cli.sources.urls import is_url
from mnv2cli.system.messages import reason
from mnv2cli.system.urls import redact

OnSkip = Callable[[str, str], None]

_NO_IMAGE = "no image suffix"

_IMAGES = frozenset(IMAGE_SUFFIXES)


@dataclass(slots=True)
class _Folder:
    """A folder of files."""

    filesystem: FileSystem
    path: str  # as the user gave it, with the names below
    real: str  # without symbolic links


@dataclass(slots=True)
class _Level(_Folder):
    """A folder on the way down of a walk."""

    below: tuple[str, ...]  # its path below the given folder
    subfolders: list[str]  # still to enter, the next one last


class Finder:
    """Iterate over the image sources of some inputs.

    A file that is given several times, in any way, is yielded once: given folders are remembered by
    name, given files by a digest; files found in folders need not be remembered. Of a shot found in
    a folder or by a pattern, only the leading image is yielded, unless ``options.pairs`` is
    ``both``. Given files are always yielded.

    Args:
        inputs: Files, folders, patterns and URLs, in order; read lazily.
        options: Which files to use.
        on_skip: Called with path and reason for each file or folder that is skipped.
        listed: More files, folders and URLs; never read as patterns.

    Raises:
        InputError: The scheme of a URL is unknown, or requires a missing library.
    """

    def __init__(
        self,
        inputs: Iterable[str],
        options: Filters | None = None,
        on_skip: OnSkip | None = None,
        listed: Iterable[str] = (),
    ) -> None:
        self._inputs = chain(
            ((given, True) for given in inputs), ((given, False) for given in listed)
        )
        self._options = options or Filters()
        report_skip = on_skip or (lambda path, reason: None)
        self._on_skip: OnSkip = lambda path, reason: report_skip(redact(path), reason)
        self._folders_done: set[str] = set()
        self._folders_unlisted: set[str] = set()
        self._folders_entered: set[str] = set()  # only where links are followed
        self._files_done: set[bytes] = set()
        self._last_folder = ("", "")
        self._last_companions: tuple[tuple[str, str], dict[str, str]] = (("", ""), {})

    def __iter__(self) -> Iterator[Source]:
        for given, may_be_glob in self._inputs:
            yield from self._images(given, may_be_glob)

    def _images(self, given: str, may_be_glob: bool) -> Iterable[Source]:
        """Return the images of one input."""
        filesystem: FileSystem = LOCAL
        found: Iterable[Match] = ()
        try:
            if is_url(given):
                filesystem = open_filesystem(given)
            path, kind = filesystem.resolve(given, may_be_glob)
            if kind == "glob":
                found = filesystem.glob(path)
        except OSError as error:
            return [Source(given, str(error))]
        except InputError as error:
            if may_be_glob:
                raise
            return [Source(given, error.message)]  # a bad line of a list is one error row
        if kind == "folder":
            return self._walk(path, filesystem)
        if kind == "file":
            return self._single(path, filesystem)
        return self._matching(given, found, filesystem)

    # Patterns

    def _matching(
        self, pattern: str, found: Iterable[Match], filesystem: FileSystem
    ) -> Iterator[Source]:
        match = None
        for match in self._leading_matches(found, filesystem):
            if match.error:
                yield Source(match.path, _unlisted(match.error))
            elif match.taken:
                take = self._walk if match.is_folder else self._single
                yield from take(match.path, filesystem)
        if match is None:
            self._on_skip(pattern, "pattern matches nothing")

    def _leading_matches(self, found: Iterable[Match], filesystem: FileSystem) -> Iterator[Match]:
        """Yield matches without the companions of images that match too."""
        if self._options.pairs == "both":
            yield from found
            return

        def beginning(match: Match) -> tuple[str, str]:
            # Matches are in natural order, so names that share a stem are in one small group.
            folder, name = filesystem.split(match.path)
            return folder, natural_key(name.partition(".")[0])

        for _, near in groupby(found, beginning):
            group = list(near)
            led = {}
            if len(group) > 1:
                files = [
                    match.path
                    for match in group
                    if match.taken
                    and not (match.is_folder or match.error)
                    and not self._filtered_out(match.path, filesystem)
                ]
                led = companions([filesystem.split(path)[1] for path in files])
            for match in group:
                leader = led.get(filesystem.split(match.path)[1]) if led else None
                if leader and not match.is_folder:
                    self._skip_companion(match.path, leader)
                else:
                    yield match

    # Single files

    def _single(self, path: str, filesystem: FileSystem) -> Iterator[Source]:
        if self._filtered_out(path, filesystem):
            self._on_skip(path, "excluded by --include or --exclude")
            return
        given, name = filesystem.split(path)
        folder = self._real_folder(given, filesystem)
        key = _digest(folder, name)
        owners = self._owners(folder)
        if key in self._files_done or (
            owners and self._done_by_a_folder(_Folder(filesystem, given, folder), owners, name)
        ):
            self._on_skip(path, "given twice")
            return
        self._files_done.add(key)
        yield Source(path)

    def _real_folder(self, folder: str, filesystem: FileSystem) -> str:
        # Lists usually name many files of a folder in a row: resolve it once.
        if self._last_folder[0] != folder or not self._last_folder[1]:
            self._last_folder = (folder, filesystem.canonical(folder))
        return self._last_folder[1]

    def _filtered_out(self, path: str, filesystem: FileSystem) -> bool:
        if not (self._options.include or self._options.exclude):
            return False
        # No folder was given that patterns could start from: match the end of its path.
        parts = filesystem.parts(path)
        tails = [parts[start:] for start in range(len(parts))] or [()]
        return any(map(self._excluded, tails)) or not any(map(self._included, tails))

    # Folders

    def _walk(self, root: str, filesystem: FileSystem) -> Iterator[Source]:
        """Walk a folder: its files, then its subfolders, each in natural order."""
        real_root = filesystem.canonical(root)
        levels: list[_Level] = []  # the way down
        entering: _Level | None = _Level(filesystem, root, real_root, (), [])
        while entering or levels:
            if entering:
                yield from self._enter(entering)
                levels.append(entering)
                entering = None
            elif levels[-1].subfolders:
                entering = self._subfolder(levels[-1])
            else:
                levels.pop()
        self._folders_done.add(real_root)

    def _enter(self, level: _Level) -> Iterator[Source]:
        """Yield the files of one folder and remember its subfolders."""
        if self._options.follow_links:  # links may lead here several times
            if level.real in self._folders_entered:
                self._on_skip(level.path, "given twice")
                return
            self._folders_entered.add(level.real)
        try:
            files = self._list(level)
        except OSError as error:
            self._folders_unlisted.add(level.real)
            yield Source(level.path, _unlisted(error))
            return
        owners = self._owners(level.real)
        while files:
            name = files.pop()
            path = level.filesystem.join(level.path, name)
            if (self._files_done and _digest(level.real, name) in self._files_done) or (
                owners and self._done_by_a_folder(level, owners, name)
            ):
                self._on_skip(path, "given twice")
            else:
                yield Source(path)

    def _subfolder(self, level: _Level) -> _Level:
        """Take the next subfolder of a level."""
        name = level.subfolders.pop()
        path = level.filesystem.join(level.path, name)
        follow = self._options.follow_links
        real = level.filesystem.canonical(path) if follow else os.path.join(level.real, name)
        return _Level(level.filesystem, path, real, (*level.below, name), [])

    def _list(self, level: _Level) -> list[str]:
        """List a folder: return the files to yield, and store the subfolders to enter.

        Both are in reverse order, to be popped from the end. A folder with an image suffix is in
        both: it is entered, and also yields an error row.
        """
        options = self._options
        files: list[str] = []
        others: list[str] = []  # files that are not images, but may be companions
        folders: set[str] = set()  # those among the files
        suffixes: set[str] = set()  # of the files
        is_first = options.pairs == "first"
        with level.filesystem.scan(level.path) as entries:
            for entry in entries:
                name = entry.name
                parts = (*level.below, name)
                if name.startswith(".") and not options.hidden:
                    self._on_skip(entry.path, "hidden")
                    continue
                if options.exclude and self._excluded(parts):
                    self._on_skip(entry.path, "excluded by --exclude")
                    continue
                suffix = suffix_of(name)
                is_folder = _is_folder(entry)
                if is_folder:
                    self._add_subfolder(level, entry)
                if suffix not in _IMAGES and (is_folder or not options.all_files):
                    if is_first and suffix in COMPANION_SUFFIXES and not is_folder:
                        others.append(name)
                    elif not is_folder:
                        self._on_skip(entry.path, _NO_IMAGE)
                elif self._included(parts):
                    files.append(name)
                    suffixes.add(suffix)
                    if is_folder:
                        folders.add(name)
                elif not is_folder:
                    self._on_skip(entry.path, "not matched by --include")
        natural_sorted(level.subfolders).reverse()
        natural_sorted(files)
        if is_first and (others or suffixes & COMPANION_SUFFIXES):
            files = self._leading(level, files, folders, others)
        return files[::-1]

    def _add_subfolder(self, level: _Level, entry: DirEntry) -> None:
        if entry.is_symlink() and not self._options.follow_links:
            self._on_skip(entry.path, "symbolic link to a folder")
        elif self._options.recursive:
            level.subfolders.append(entry.name)
        else:
            self._on_skip(entry.path, "subfolder, with --no-recursive")

    # Pairs

    def _leading(
        self, level: _Level, files: list[str], folders: set[str], others: list[str]
    ) -> list[str]:
        """Return the files without companions; report these, and the other files, as skipped."""
        names = [name for name in files if name not in folders] if folders else files
        led = companions([*names, *others] if others else names)
        for name in others:
            if name not in led:
                self._on_skip(level.filesystem.join(level.path, name), _NO_IMAGE)
        for name, leader in led.items():
            self._skip_companion(level.filesystem.join(level.path, name), leader)
        return [name for name in files if name not in led] if led else files

    def _skip_companion(self, path: str, leader: str) -> None:
        self._on_skip(path, f"companion: belongs to {leader}")

    def _was_companion(self, folder: _Folder, owner: str, name: str) -> bool:
        """Return whether the walk of an owner skipped a file as the companion of another."""
        if self._options.pairs == "both" or suffix_of(name) not in COMPANION_SUFFIXES:
            return False
        key = (owner, folder.real)
        if self._last_companions[0] != key:
            names: list[str] = []
            with suppress(OSError), folder.filesystem.scan(folder.path) as entries:
                names = [entry.name for entry in entries if not _is_folder(entry)]
            walked = [other for other in names if self._is_wanted(folder.real, owner, other)]
            self._last_companions = (key, companions(natural_sorted(walked)))
        return name in self._last_companions[1]

    # Filters

    def _has_image_suffix(self, name: str) -> bool:
        return self._options.all_files or suffix_of(name) in _IMAGES

    def _included(self, parts: tuple[str, ...]) -> bool:
        include = self._options.include
        return not include or any(matches(parts, pattern) for pattern in include)

    def _excluded(self, parts: tuple[str, ...]) -> bool:
        return any(matches(parts, pattern) for pattern in self._options.exclude)

    def _is_excluded(self, parts: tuple[str, ...]) -> bool:
        return bool(self._options.exclude) and any(
            self._excluded(parts[:end]) for end in range(1, len(parts) + 1)
        )

    # Duplicates

    def _owners(self, real_folder: str) -> list[str]:
        """Return the folders walked before that are this folder or contain it."""
        owners = []
        if self._folders_done:
            folder = real_folder
            while folder not in self._folders_unlisted:
                if folder in self._folders_done:
                    owners.append(folder)
                parent = os.path.dirname(folder)
                if parent == folder:
                    break
                folder = parent
        return owners

    def _done_by_a_folder(self, folder: _Folder, owners: list[str], name: str) -> bool:
        """Return whether walking one of these folders has yielded this file."""
        return any(
            self._is_wanted(folder.real, owner, name)
            and not self._was_companion(folder, owner, name)
            for owner in owners
        )

    def _is_wanted(self, real_folder: str, owner: str, name: str) -> bool:
        """Return whether the filters accept a file in the walk of a folder."""
        options = self._options
        parts = path_parts(os.path.relpath(os.path.join(real_folder, name), owner))
        return (
            (options.recursive or len(parts) == 1)
            and (options.hidden or not any(part.startswith(".") for part in parts))
            and self._has_image_suffix(name)
            and self._included(parts)
            and not self._is_excluded(parts)
        )


def _unlisted(error: OSError) -> str:
    return f"folder cannot be listed: {reason(error)}"


def _is_folder(entry: DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a circular link; as a file it becomes an error row
        return False


def _digest(folder: str, name: str) -> bytes:
    # 16 bytes instead of a path of any length; collisions are practically impossible.
    return blake2b(os.fsencode(os.path.join(folder, name)), digest_size=16).digest()
