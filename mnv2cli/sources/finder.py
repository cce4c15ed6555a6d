"""From paths, globs and lists to image sources: streaming, in natural order, each file once.

Folders are walked one at a time, files before subfolders, so that work starts at once and the
names held are those of the folders on the way down, never a list of all files.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fnmatch import fnmatch, fnmatchcase
from hashlib import blake2b
from itertools import chain
from typing import Protocol

from mnv2cli.errors import InputError
from mnv2cli.records import Source
from mnv2cli.sources.options import Filters
from mnv2cli.sources.urls import is_url, redact

IMAGE_SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".gif", ".bmp", ".dib",
    ".tif", ".tiff", ".webp", ".avif", ".heic", ".heif", ".hif",
)  # fmt: skip

_DIGITS = re.compile("[0-9]+")
_MAGIC = re.compile(r"[*?\[]")
_LONGEST_PATH = 1 << 16  # bytes; the longest path of any system is below this

OnSkip = Callable[[str, str], None]


class Entry(Protocol):
    """What a folder holds, as ``os.scandir`` has it."""

    @property
    def name(self) -> str:
        """Its name in the folder."""
        ...

    @property
    def path(self) -> str:
        """The folder's path, joined with it."""
        ...

    def is_dir(self) -> bool:
        """Tell whether it is a folder."""
        ...

    def is_symlink(self) -> bool:
        """Tell whether it is a symbolic link."""
        ...


class Place(Protocol):
    """Where folders are: on this machine, in a store or in an archive."""

    def scan(self, path: str) -> AbstractContextManager[Iterable[Entry]]:
        """List a folder; raises OSError."""
        ...

    def join(self, path: str, name: str) -> str:
        """Return the path of what a folder holds."""
        ...

    def split(self, path: str) -> tuple[str, str]:
        """Return the folder and the name of a file."""
        ...

    def real(self, path: str) -> str:
        """Return the one name of a folder that may have many; with slashes between folders."""
        ...

    def parts(self, path: str) -> tuple[str, ...]:
        """Return the names on the way to a file, for patterns."""
        ...


class _Here:
    """This machine."""

    def scan(self, path: str) -> AbstractContextManager[Iterable[Entry]]:
        return os.scandir(path)

    def join(self, path: str, name: str) -> str:
        return os.path.join(path, name)

    def split(self, path: str) -> tuple[str, str]:
        return os.path.split(path)

    def real(self, path: str) -> str:
        return real_path(path or os.curdir)

    def parts(self, path: str) -> tuple[str, ...]:
        return _parts(path)


_HERE = _Here()


@dataclass(slots=True)
class _Level:
    """A folder on the way down of a walk."""

    place: Place
    path: str  # as the user gave it, joined below
    real: str  # without symbolic links
    below: tuple[str, ...]  # its names below the folder that was given
    subfolders: list[str]  # those still to enter, the next one last


def is_glob(text: str) -> bool:
    """Tell whether a path that does not exist is meant as a pattern."""
    return _MAGIC.search(text) is not None


def natural_key(name: str) -> str:
    """Return a sort key that puts ``img2`` before ``img10`` and does not depend on the system.

    Case and Unicode composition do not count (file systems differ in both); a run of digits
    counts as its number.
    """
    if not name.isascii():
        name = unicodedata.normalize("NFC", name)
    return _DIGITS.sub(_number_key, name.casefold())


def _number_key(match: re.Match[str]) -> str:
    digits = match[0].lstrip("0")
    return f"0{chr(len(digits))}{digits}"


def natural_sorted(names: list[str]) -> list[str]:
    """Sort names in place and return them: by natural key, ties by code point."""
    names.sort()
    names.sort(key=natural_key)
    return names


def read_list(read: Callable[[int], bytes], *, null: bool) -> Iterator[str]:
    """Yield the paths of a list, one a line, or NUL-separated as ``find -print0`` writes them.

    Empty entries are passed over, a byte order mark too. The list is read as it comes, so it may
    be endless.

    Args:
        read: Returns up to so many bytes, those there are, and none at the end, as ``os.read``.
        null: Entries end with NUL, not with a line end.

    Raises:
        InputError: An entry is longer than any path can be: not a list of paths.
    """
    separator = b"\0" if null else b"\n"
    rest = b""
    start = b"" if null else b"\xef\xbb\xbf"
    while block := read(_LONGEST_PATH):
        if start and len(rest) + len(block) >= len(start):
            block, rest, start = (rest + block).removeprefix(start), b"", b""
        *entries, rest = (rest + block).split(separator)
        for entry in entries:
            yield from _entry(entry, null)
        if len(rest) >= _LONGEST_PATH:
            raise InputError(
                "the list of files has an entry longer than any path",
                "Is it a list, one path a line? Lists from find -print0 need -0.",
            )
    yield from _entry(rest, null)


def _entry(entry: bytes, null: bool) -> Iterator[str]:
    if not null:
        entry = entry.removesuffix(b"\r")
    if entry:
        yield os.fsdecode(entry)


class Finder:
    """Iterate over the image sources of some inputs.

    Args:
        inputs: Files, folders and globs, in the order to take them; read lazily.
        options: What to take from folders.
        on_skip: Called with a path and a reason for each file or folder that is left out.
        listed: More files and folders, taken by name: never patterns.

    The same file given twice, by whatever way, is yielded once: folders given are remembered by
    name, files given by a digest, files found in folders not at all.

    Raises:
        InputError: A URL is of a scheme that is not known, or needs a library that is missing.
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
        tell = on_skip or (lambda path, reason: None)
        self._on_skip: OnSkip = lambda path, reason: tell(redact(path), reason)
        self._folders_done: set[str] = set()
        self._folders_unlisted: set[str] = set()
        self._folders_entered: set[str] = set()  # only where links are followed
        self._files_done: set[bytes] = set()
        self._last_folder = ("", "")

    def __iter__(self) -> Iterator[Source]:
        for given, may_be_glob in self._inputs:
            if os.path.isdir(given):
                yield from self._walk(given, _HERE)
            elif is_url(given):
                yield from self._url(given, may_be_glob)
            elif may_be_glob and is_glob(given) and not os.path.lexists(given):
                yield from self._glob(given)
            else:
                yield from self._single(given, _HERE)

    # URLs

    def _url(self, given: str, may_be_glob: bool) -> Iterator[Source]:
        from mnv2cli.sources import remote

        try:
            place = remote.place(given)
            path, kind = place.look(given, may_be_glob)
            matches = place.glob(path) if kind == "glob" else []
        except OSError as error:
            yield Source(given, str(error))
            return
        except InputError as error:
            if may_be_glob:
                raise
            yield Source(given, error.message)  # one line of a list costs one row
            return
        if kind == "folder":
            yield from self._walk(path, place)
        elif kind == "file":
            yield from self._single(path, place)
        elif not matches:
            self._on_skip(given, "the pattern matches nothing")
        for match, is_folder in matches:
            if not is_folder:
                yield from self._single(match, place)
            elif "**" not in path or not re.search(r"(^|/)\*\*?(::|$)", path):
                yield from self._walk(match, place)

    # Single files

    def _single(self, path: str, place: Place) -> Iterator[Source]:
        # The folders above it were not searched, so patterns meet its name or the end of its path.
        parts = place.parts(path)
        tails = [parts[start:] for start in range(len(parts))] or [()]
        if any(map(self._excluded, tails)) or not any(map(self._included, tails)):
            self._on_skip(path, "left out by --include or --exclude")
            return
        folder, name = place.split(path)
        folder = self._real_folder(folder, place)
        key = _digest(folder, name)
        if key in self._files_done or self._done_by_a_folder(folder, self._owners(folder), name):
            self._on_skip(path, "given twice")
            return
        self._files_done.add(key)
        yield Source(path)

    def _real_folder(self, folder: str, place: Place) -> str:
        # Lists name the files of one folder in a row: resolve it once.
        if self._last_folder[0] != folder or not self._last_folder[1]:
            self._last_folder = (folder, place.real(folder))
        return self._last_folder[1]

    # Globs

    def _glob(self, pattern: str) -> Iterator[Source]:
        drive, rest = os.path.splitdrive(pattern)
        separators = "[/\\\\]" if os.altsep else "/"
        root = drive + (os.sep if re.match(separators, rest) else "")
        segments = [s for s in re.split(separators, rest) if s]
        folders_only = re.search(f"{separators}$", rest) is not None
        # A pattern such as **/* meets the files in the folders that it meets by itself.
        walk_folders = "**" not in segments or segments[-1] not in ("*", "**")
        found = False
        for path, error in self._expand(root, segments):
            found = True
            if error:
                yield Source(path, error)
            elif os.path.isdir(path):
                if walk_folders:
                    yield from self._walk(path, _HERE)
            elif not folders_only:
                yield from self._single(path, _HERE)
        if not found:
            self._on_skip(pattern, "the pattern matches nothing")

    def _expand(self, base: str, segments: list[str]) -> Iterator[tuple[str, str]]:
        """Yield the paths that match, and folders that cannot be listed with the reason."""
        if not segments:
            yield base, ""
            return
        segment, rest = segments[0], segments[1:]
        if not is_glob(segment):
            path = os.path.join(base, segment)
            if os.path.lexists(path):
                yield from self._expand(path, rest)
            return
        try:
            with os.scandir(base or os.curdir) as entries:
                names = {e.name: e.is_dir(follow_symlinks=segment != "**") for e in entries}
        except (NotADirectoryError, FileNotFoundError):
            return
        except OSError as error:
            yield base, _unlisted(error)
            return
        if segment == "**":
            yield from self._expand(base, rest or ["*"])
            deeper = [n for n, is_dir in names.items() if is_dir and not n.startswith(".")]
            for name in natural_sorted(deeper):
                yield from self._expand(os.path.join(base, name), segments)
            return
        matching = [
            name
            for name, is_dir in names.items()
            if fnmatch(name, segment)
            and (is_dir or not rest)
            and (segment.startswith(".") or not name.startswith("."))
        ]
        for name in natural_sorted(matching):
            yield from self._expand(os.path.join(base, name), rest)

    # Folders

    def _walk(self, root: str, place: Place) -> Iterator[Source]:
        """Walk a folder: its files, then its subfolders, each in natural order."""
        real_root = place.real(root)
        levels: list[_Level] = []  # the way down
        entering: _Level | None = _Level(place, root, real_root, (), [])
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
        """Yield the files of one folder and note its subfolders."""
        if self._options.follow_links:
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
            path = level.place.join(level.path, name)
            if (self._files_done and _digest(level.real, name) in self._files_done) or (
                owners and self._done_by_a_folder(level.real, owners, name)
            ):
                self._on_skip(path, "given twice")
            else:
                yield Source(path)

    def _subfolder(self, level: _Level) -> _Level:
        """Take the next subfolder of a level."""
        name = level.subfolders.pop()
        path = level.place.join(level.path, name)
        follow = self._options.follow_links
        real = level.place.real(path) if follow else os.path.join(level.real, name)
        return _Level(level.place, path, real, (*level.below, name), [])

    def _list(self, level: _Level) -> list[str]:
        """List a folder: return its files to yield, keep its subfolders to enter.

        Both are in reverse order, to be taken from the end. A folder whose name ends like an
        image is in both: it is entered, and reading it as an image says that it is a folder.
        """
        options = self._options
        files: list[str] = []
        with level.place.scan(level.path) as entries:
            for entry in entries:
                name = entry.name
                parts = (*level.below, name)
                if name.startswith(".") and not options.hidden:
                    self._on_skip(entry.path, "hidden")
                    continue
                if options.exclude and self._excluded(parts):
                    self._on_skip(entry.path, "left out by --exclude")
                    continue
                is_folder = _is_folder(entry)
                if is_folder:
                    if entry.is_symlink() and not options.follow_links:
                        self._on_skip(entry.path, "a symbolic link to a folder")
                    elif options.recursive:
                        level.subfolders.append(name)
                    else:
                        self._on_skip(entry.path, "a folder, and --no-recursive was given")
                    if not name.lower().endswith(IMAGE_SUFFIXES):
                        continue
                elif not self._has_image_suffix(name):
                    self._on_skip(entry.path, "no image suffix")
                    continue
                if self._included(parts):
                    files.append(name)
                elif not is_folder:
                    self._on_skip(entry.path, "left out by --include")
        natural_sorted(level.subfolders).reverse()
        return natural_sorted(files)[::-1]

    # What is taken

    def _has_image_suffix(self, name: str) -> bool:
        return self._options.all_files or name.lower().endswith(IMAGE_SUFFIXES)

    def _included(self, parts: tuple[str, ...]) -> bool:
        include = self._options.include
        return not include or any(_matches(parts, pattern) for pattern in include)

    def _excluded(self, parts: tuple[str, ...]) -> bool:
        return any(_matches(parts, pattern) for pattern in self._options.exclude)

    def _left_out_on_the_way(self, parts: tuple[str, ...]) -> bool:
        return bool(self._options.exclude) and any(
            self._excluded(parts[:end]) for end in range(1, len(parts) + 1)
        )

    # What was done already

    def _owners(self, real_folder: str) -> list[str]:
        """Return the folders walked before that are this folder or lie above it."""
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

    def _done_by_a_folder(self, real_folder: str, owners: list[str], name: str) -> bool:
        """Tell whether the walk of one of these folders has yielded this file."""
        options = self._options
        for owner in owners:
            parts = _parts(os.path.relpath(os.path.join(real_folder, name), owner))
            if (
                (options.recursive or len(parts) == 1)
                and (options.hidden or not any(part.startswith(".") for part in parts))
                and self._has_image_suffix(name)
                and self._included(parts)
                and not self._left_out_on_the_way(parts)
            ):
                return True
        return False


def _unlisted(error: OSError) -> str:
    return f"folder cannot be listed: {(error.strerror or str(error)).lower()}"


def _is_folder(entry: Entry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link into a loop: a file that cannot be read
        return False


def real_path(path: str) -> str:
    """Return a path without symbolic links, as far as there is one."""
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):  # a NUL byte in it, a name too long: no such file, told later
        return os.path.join(os.curdir, path)


def _parts(path: str) -> tuple[str, ...]:
    path = os.path.splitdrive(path)[1]
    if os.altsep:
        path = path.replace(os.altsep, os.sep)
    return tuple(part for part in path.split(os.sep) if part not in ("", os.curdir))


def _matches(parts: tuple[str, ...], pattern: str) -> bool:
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


def _digest(folder: str, name: str) -> bytes:
    # 16 bytes stand for a path of any length; two paths never share them in practice.
    return blake2b(os.fsencode(os.path.join(folder, name)), digest_size=16).digest()
