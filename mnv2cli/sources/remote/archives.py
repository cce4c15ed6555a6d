"""ZIP and TAR archives, read in place: nothing is ever extracted."""

from __future__ import annotations

import re
from contextlib import nullcontext

from mnv2cli.errors import InputError
from mnv2cli.sources.filesystem import Kind, Listing, Match, open_filesystem
from mnv2cli.sources.local import real_path
from mnv2cli.sources.patterns import is_glob
from mnv2cli.sources.remote.archive_containers import open_members
from mnv2cli.sources.remote.archive_members import ArchiveMembers, clean_name
from mnv2cli.sources.remote.errors import StoreError
from mnv2cli.sources.remote.listing import RemoteEntry, shell_matches
from mnv2cli.sources.remote.protocol import RemoteFileSystem
from mnv2cli.sources.remote.sinks import Sink
from mnv2cli.sources.remote.stores import require_fsspec
from mnv2cli.sources.urls import is_url, scheme_of


def open_archive(url: str) -> RemoteFileSystem:
    """Return the file system of a URL such as ``zip://sub/a.jpg::photos.zip``.

    Raises:
        InputError: The URL does not name an archive, the scheme of its location is unknown, or a
            library is missing.
    """
    scheme = scheme_of(url)
    container = container_of(url)
    if not container:
        raise InputError(
            f"{url!r} does not name an archive", f"Name one, as in {scheme}://photos.{scheme}"
        )
    if is_url(container):
        open_filesystem(container)
    require_fsspec()
    return ArchiveFileSystem(scheme, container)


def container_of(url: str) -> str:
    """Return the path or URL of the archive that a URL names; empty if it names none."""
    head, _, container = url.partition("::")
    return container or head.partition("://")[2]


class ArchiveFileSystem:
    """A ZIP or TAR archive: its folders, and the files in them.

    Members keep the names by which fsspec opens them. A leading slash and ``..`` in a name are
    harmless, because nothing is extracted.

    Args:
        kind: ``zip`` or ``tar``.
        container: A path on this machine, or a URL.
    """

    def __init__(self, kind: str, container: str) -> None:
        self._kind = kind
        self._container = container
        real = container if is_url(container) else real_path(container)
        self._real = f"{kind}:/{real.strip('/')}"
        # fsspec would read a single word as the name of a protocol.
        lone = re.fullmatch("[a-z]+", container)
        self._tail = f"::./{container}" if lone else f"::{container}"

    def resolve(self, given: str, may_be_glob: bool) -> tuple[str, Kind]:
        """Return the URL of an input and its kind; raises OSError."""
        inner = _inner(given)
        url = self._url(inner)
        members = self._members()
        name = clean_name(inner)
        if name in members.files and not inner.endswith("/"):
            return url, "file"
        if name in members.folders:
            return url, "folder"
        if may_be_glob and is_glob(inner):
            return url, "glob"
        raise StoreError("no such file", "not in the archive")

    def glob(self, url: str) -> list[Match]:
        """Return the URLs that match a pattern; raises OSError."""
        from fsspec.utils import glob_translate

        members = self._members()
        pattern = clean_name(_inner(url))
        matches = re.compile(glob_translate(pattern)).match
        found = {name: False for name in members.files if matches(name)}
        found |= {name: True for name in members.folders if name and matches(name)}
        return shell_matches(
            url, pattern, found, lambda name: self._url(members.files.get(name, name))
        )

    def scan(self, url: str) -> Listing:
        """List a folder; raises OSError."""
        holds = self._members().folders.get(clean_name(_inner(url)), {})
        entries = [RemoteEntry(name, self.join(url, name), folder) for name, folder in holds]
        return nullcontext(entries)

    def join(self, url: str, name: str) -> str:
        """Return the URL of an entry of a folder, by its name in the archive."""
        name = "/".join(filter(None, (clean_name(_inner(url)), name)))
        return self._url(self._members().files.get(name, name))

    def split(self, url: str) -> tuple[str, str]:
        """Return the folder and the name of a file."""
        folder, _, name = clean_name(_inner(url)).rpartition("/")
        return self._url(folder), name

    def canonical(self, url: str) -> str:
        """Return the canonical name of a folder."""
        return f"{self._real}/{clean_name(_inner(url))}".rstrip("/")

    def parts(self, url: str) -> tuple[str, ...]:
        """Return the folders of a file and its name, for patterns."""
        return tuple(clean_name(_inner(url)).split("/"))

    def read(self, url: str, sink: Sink) -> None:
        """Copy a member into a sink; raises StoreError."""
        members = open_members(self._kind, self._container, sink)
        members.read(_inner(url), sink)

    def _url(self, inner: str) -> str:
        return f"{self._kind}://{inner}{self._tail}"

    def _members(self) -> ArchiveMembers:
        return open_members(self._kind, self._container)


def _inner(url: str) -> str:
    """Return the member that an archive's URL names; empty without ``::``."""
    head, sign, _ = url.partition("::")
    return head.partition("://")[2].lstrip("/") if sign else ""
