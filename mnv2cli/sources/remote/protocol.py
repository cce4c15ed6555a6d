"""What the file systems of URLs offer beyond those of this machine."""

from __future__ import annotations

from typing import Protocol

from mnv2cli.sources.filesystem import FileSystem
from mnv2cli.sources.remote.sinks import Sink


class RemoteFileSystem(FileSystem, Protocol):
    """A file system whose files are fetched before they are read."""

    def read(self, url: str, sink: Sink) -> None:
        """Write a file's bytes into a sink; raises anything."""
        ...
