"""The interface of a file system whose files are fetched."""

from __future__ import annotations

from typing import Protocol

from mnv2cli.sources.filesystem import FileSystem
from mnv2cli.sources.remote.sinks import Sink


class RemoteFileSystem(FileSystem, Protocol):
    """A file system whose files must be fetched before they are decoded."""

    def read(self, url: str, sink: Sink) -> None:
        """Copy a file into a sink; may raise any exception."""
        ...
