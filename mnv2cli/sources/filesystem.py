"""The interface of a file system, and the registry of file systems for URLs.

To add a file system, write one module and one line in :data:`FILE_SYSTEMS`. The registry holds
dotted names, so that nothing is imported before a URL needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from typing import Literal, NamedTuple, Protocol

from mnv2cli.sources.urls import is_url, scheme_of

Kind = Literal["file", "folder", "glob"]
"""The kinds of input."""

FILE_SYSTEMS: dict[str, str] = {
    "http": "mnv2cli.sources.remote.web:open_web",
    "https": "mnv2cli.sources.remote.web:open_web",
    "tar": "mnv2cli.sources.remote.archives:open_archive",
    "zip": "mnv2cli.sources.remote.archives:open_archive",
}
"""By URL scheme: ``module:function``; called with a URL, it returns a ``RemoteFileSystem`` of
``sources/remote/protocol.py``."""

OTHER_SCHEMES = "mnv2cli.sources.remote.stores:open_store"
"""Opens the URLs of every other scheme that fsspec knows."""


class DirEntry(Protocol):
    """An entry of a folder, as ``os.scandir`` yields it."""

    @property
    def name(self) -> str:
        """The name in the folder."""
        ...

    @property
    def path(self) -> str:
        """The path of the folder, joined with the name."""
        ...

    def is_dir(self) -> bool:
        """Return whether it is a folder."""
        ...

    def is_symlink(self) -> bool:
        """Return whether it is a symbolic link."""
        ...


Listing = AbstractContextManager[Iterable[DirEntry]]
"""The entries of a folder, in any order."""


class Match(NamedTuple):
    """A path that matches a pattern.

    Attributes:
        path: The file or folder.
        is_folder: Whether it is a folder.
        taken: False if the path itself is skipped, such as a folder whose files match too.
        error: Why a folder that had to be searched for matches cannot be listed.
    """

    path: str
    is_folder: bool
    taken: bool = True
    error: OSError | None = None


class FileSystem(Protocol):
    """Folders and files on this machine, in a store or in an archive, as the finder needs them.

    Paths are strings that only their file system splits and joins; remote ones are URLs.
    """

    def resolve(self, given: str, may_be_glob: bool) -> tuple[str, Kind]:
        """Return the path of an input as typed, and its kind; raises OSError."""
        ...

    def glob(self, pattern: str) -> Iterable[Match]:
        """Return the matches in the order of a walk; raises OSError when called, not later."""
        ...

    def scan(self, path: str) -> Listing:
        """List a folder; raises OSError."""
        ...

    def join(self, path: str, name: str) -> str:
        """Return the path of an entry of a folder."""
        ...

    def split(self, path: str) -> tuple[str, str]:
        """Return the folder and the name of a file."""
        ...

    def canonical(self, path: str) -> str:
        """Return the canonical name of a folder, with slashes between folders."""
        ...

    def parts(self, path: str) -> tuple[str, ...]:
        """Return the folders of a file and its name, for patterns."""
        ...


def open_filesystem(url: str) -> FileSystem:
    """Return the file system of a URL, by its scheme.

    Raises:
        InputError: The scheme is unknown, or a library is missing.
        OSError: The file system connects when it is opened, and that failed.
    """
    from pkgutil import resolve_name

    opener: Callable[[str], FileSystem] = resolve_name(
        FILE_SYSTEMS.get(scheme_of(url), OTHER_SCHEMES)
    )
    return opener(url)


def check_urls(inputs: Iterable[str]) -> None:
    """Check before the work begins that the schemes of the URLs among the inputs are supported.

    Raises:
        InputError: A URL is malformed, its scheme is unknown, or a library is missing.
    """
    for given in inputs:
        if is_url(given):
            with suppress(OSError):  # becomes an error row when the image is due
                open_filesystem(given)
