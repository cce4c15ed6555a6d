"""What a file system is, and the registry of those that URLs name.

A new file system is one module and one line in :data:`FILE_SYSTEMS`. The registry holds dotted
names, so that nothing is imported before a URL needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from typing import Literal, NamedTuple, Protocol

from mnv2cli.sources.urls import is_url, scheme_of

Kind = Literal["file", "folder", "glob"]
"""What an input is."""

FILE_SYSTEMS: dict[str, str] = {
    "http": "mnv2cli.sources.remote.web:open_web",
    "https": "mnv2cli.sources.remote.web:open_web",
    "tar": "mnv2cli.sources.remote.archives:open_archive",
    "zip": "mnv2cli.sources.remote.archives:open_archive",
}
"""By URL scheme: ``module:function``, called with a URL, returns its file system, which is
fetched from as well: a ``RemoteFileSystem`` of ``sources/remote/protocol.py``."""

OTHER_SCHEMES = "mnv2cli.sources.remote.stores:open_store"
"""What opens the URLs of every other scheme: all that fsspec knows."""


class DirEntry(Protocol):
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
        """Return whether it is a folder."""
        ...

    def is_symlink(self) -> bool:
        """Return whether it is a symbolic link."""
        ...


Listing = AbstractContextManager[Iterable[DirEntry]]
"""The entries of a folder, in any order."""


class Match(NamedTuple):
    """A path that a glob matches.

    Attributes:
        path: The file or folder.
        is_folder: It is a folder.
        taken: False for what matches and gives no image of its own, such as a folder whose files
            match too.
        error: The folder is to be searched for matches, and cannot be listed.
    """

    path: str
    is_folder: bool
    taken: bool = True
    error: OSError | None = None


class FileSystem(Protocol):
    """Folders and files as the finder needs them: on this machine, in a store or in an archive.

    Paths are strings that only their file system takes apart; for remote ones they are URLs.
    """

    def resolve(self, given: str, may_be_glob: bool) -> tuple[str, Kind]:
        """Return the path of an input as typed, and what it is; raises OSError."""
        ...

    def glob(self, pattern: str) -> Iterable[Match]:
        """Return what matches, in the order of a walk; raises OSError at once or not at all."""
        ...

    def scan(self, path: str) -> Listing:
        """List a folder; raises OSError."""
        ...

    def join(self, path: str, name: str) -> str:
        """Return the path of what a folder holds."""
        ...

    def split(self, path: str) -> tuple[str, str]:
        """Return the folder and the name of a file."""
        ...

    def canonical(self, path: str) -> str:
        """Return the one name of a folder that may have many; with slashes between folders."""
        ...

    def parts(self, path: str) -> tuple[str, ...]:
        """Return the names on the way to a file, for patterns."""
        ...


def open_filesystem(url: str) -> FileSystem:
    """Return the file system of a URL, by its scheme.

    Raises:
        InputError: The scheme is not known, or a library is missing.
        OSError: It is connected to at once, which failed.
    """
    from pkgutil import resolve_name

    opener: Callable[[str], FileSystem] = resolve_name(
        FILE_SYSTEMS.get(scheme_of(url), OTHER_SCHEMES)
    )
    return opener(url)


def check_urls(inputs: Iterable[str]) -> None:
    """Check before the work begins that the URLs among some inputs are of schemes that can be read.

    Raises:
        InputError: A scheme is not known, or a library is missing.
    """
    for given in inputs:
        if is_url(given):
            with suppress(OSError):  # an error row, in its turn
                open_filesystem(given)
