"""Read the files in an open archive."""

from __future__ import annotations

import tarfile
import threading
import weakref
import zipfile
from typing import IO

from mnv2cli.sources.remote.errors import StoreError, archive_error
from mnv2cli.sources.remote.sinks import Sink
from mnv2cli.system.tar import BoundedTarInfo


class ArchiveMembers:
    """An open archive.

    Args:
        kind: ``zip`` or ``tar``.
        file: The archive's file, closed with it.

    Attributes:
        files: The name of each file in the archive, by its clean name.
        folders: Entries of each folder, by clean name: name, and whether it is a folder.

    Raises:
        StoreError: The file is not an archive of this kind.
    """

    def __init__(self, kind: str, file: IO[bytes]) -> None:
        # Not __del__, which runs late if an error keeps the object in a reference cycle.
        close = weakref.finalize(self, file.close)
        self._lock = threading.Lock()  # one handle has one position
        self._zip: zipfile.ZipFile | None = None
        self._tar: tarfile.TarFile | None = None
        self._infos: dict[str, tarfile.TarInfo] = {}  # tarfile itself searches a list
        self.files: dict[str, str] = {}
        self.folders: dict[str, dict[tuple[str, bool], None]] = {"": {}}
        try:
            if kind == "zip":
                self._zip = zipfile.ZipFile(file)
                for info in self._zip.infolist():
                    self._add(info.filename, info.is_dir())
            else:
                self._tar = tarfile.open(  # noqa: SIM115
                    fileobj=file, mode="r:", tarinfo=BoundedTarInfo
                )
                for member in self._tar:
                    self._add(member.name, member.isdir())
                    self._infos[member.name.lstrip("/")] = member
        except Exception as error:
            close()
            found = archive_error(error)
            raise StoreError(f"not a {kind} archive", found.detail or found.reason) from error

    def _add(self, raw: str, folder: bool) -> None:
        norm = clean_name(raw)
        if "::" in raw or not norm:  # no URL can name it
            return
        if not folder:
            self.files[norm] = raw.lstrip("/")
        child, is_folder = norm, folder
        while child:
            parent, _, name = child.rpartition("/")
            holds = self.folders.setdefault(parent, {})
            if is_folder:
                self.folders.setdefault(child, {})
            if (name, is_folder) in holds:
                break
            holds[name, is_folder] = None
            child, is_folder = parent, True

    def read(self, raw: str, sink: Sink) -> None:
        """Copy a member into a sink, block by block; raises StoreError."""
        with self._lock:
            try:
                with self._open(raw) as member:
                    while data := member.read(1 << 20):
                        sink.write(data)
            except Exception as error:
                raise archive_error(error) from error

    def _open(self, raw: str) -> IO[bytes]:
        if self._zip is not None:
            try:
                return self._zip.open(raw)
            except KeyError:
                return self._zip.open(f"/{raw}")
        assert self._tar is not None
        info = self._infos[raw.lstrip("/")]
        if info.isdir():
            raise StoreError("a folder, not an image")
        member = self._tar.extractfile(info)
        if member is None:
            raise StoreError("not a regular file", "a device or named pipe")
        return member


def clean_name(inner: str) -> str:
    """Return the name of a member without empty parts and ``.``; ``..`` becomes ``(up)``."""
    names = (("(up)" if name == ".." else name) for name in inner.split("/"))
    return "/".join(name for name in names if name not in ("", "."))
