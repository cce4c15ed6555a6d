"""The file system of this machine."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from fnmatch import fnmatch

from mnv2cli.sources.filesystem import Kind, Listing, Match
from mnv2cli.sources.names import natural_sorted, path_parts
from mnv2cli.sources.patterns import is_glob


class LocalFileSystem:
    """Files and folders of this machine, by their paths."""

    def resolve(self, given: str, may_be_glob: bool) -> tuple[str, Kind]:
        """Return an input and its kind; a missing one counts as a file, whose row has the error."""
        if os.path.isdir(given):
            return given, "folder"
        if may_be_glob and is_glob(given) and not os.path.lexists(given):
            return given, "glob"
        return given, "file"

    def glob(self, pattern: str) -> Iterator[Match]:
        """Yield what a shell would expand a pattern to, lazily."""
        drive, rest = os.path.splitdrive(pattern)
        separators = "[/\\\\]" if os.altsep else "/"
        root = drive + (os.sep if re.match(separators, rest) else "")
        segments = [s for s in re.split(separators, rest) if s]
        folders_only = re.search(f"{separators}$", rest) is not None
        # A pattern such as **/* also matches the files in the folders that it matches.
        walk_folders = "**" not in segments or segments[-1] not in ("*", "**")
        for path, error in _expand(root, segments):
            is_folder = error is None and os.path.isdir(path)
            yield Match(path, is_folder, walk_folders if is_folder else not folders_only, error)

    def scan(self, path: str) -> Listing:
        """List a folder; raises OSError."""
        return os.scandir(path)

    def join(self, path: str, name: str) -> str:
        """Return the path of an entry of a folder."""
        return os.path.join(path, name)

    def split(self, path: str) -> tuple[str, str]:
        """Return the folder and the name of a file."""
        return os.path.split(path)

    def canonical(self, path: str) -> str:
        """Return a folder's path without symbolic links."""
        return real_path(path or os.curdir)

    def parts(self, path: str) -> tuple[str, ...]:
        """Return the folders of a file and its name, for patterns."""
        return path_parts(path)


LOCAL = LocalFileSystem()


def real_path(path: str) -> str:
    """Resolve the symbolic links of a path, as far as it exists."""
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):  # a NUL byte, or the name is too long; reading it gives the error
        return os.path.join(os.curdir, path)


def _expand(base: str, segments: list[str]) -> Iterator[tuple[str, OSError | None]]:
    """Yield the paths that match, and folders that cannot be listed with the error."""
    if not segments:
        yield base, None
        return
    segment, rest = segments[0], segments[1:]
    if not is_glob(segment):
        path = os.path.join(base, segment)
        if os.path.lexists(path):
            yield from _expand(path, rest)
        return
    try:
        with os.scandir(base or os.curdir) as entries:
            names = {e.name: e.is_dir(follow_symlinks=segment != "**") for e in entries}
    except (NotADirectoryError, FileNotFoundError):
        return
    except OSError as error:
        yield base, error
        return
    if segment == "**":
        yield from _expand(base, rest or ["*"])
        deeper = [n for n, is_dir in names.items() if is_dir and not n.startswith(".")]
        for name in natural_sorted(deeper):
            yield from _expand(os.path.join(base, name), segments)
        return
    matching = [
        name
        for name, is_dir in names.items()
        if fnmatch(name, segment)
        and (is_dir or not rest)
        and (segment.startswith(".") or not name.startswith("."))
    ]
    for name in natural_sorted(matching):
        yield from _expand(os.path.join(base, name), rest)
