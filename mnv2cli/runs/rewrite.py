"""Rewrite a file from parts of its old content."""

from __future__ import annotations

import mmap
import os

from mnv2cli.system.files import AtomicFile


class Rewrite:
    """Rewrites a file from parts of its old content; replaces it once the new file is complete.

    Args:
        path: The file, which is not empty.

    Attributes:
        content: The content of the old file.
    """

    def __init__(self, path: str) -> None:
        folder, name = os.path.split(path)
        for entry in os.listdir(folder):  # left by a run that was killed at this point
            if entry.startswith(f".{name}.") and entry.endswith(".part"):
                os.unlink(os.path.join(folder, entry))
        self._old = open(path, "rb")  # noqa: SIM115
        self.content = mmap.mmap(self._old.fileno(), 0, access=mmap.ACCESS_READ)
        self._new = AtomicFile(path)

    def copy(self, start: int, end: int) -> None:
        """Copy a range of bytes of the old file."""
        block = 1 << 20
        for at in range(start, end, block):
            self._new.file.write(self.content[at : min(at + block, end)])

    def write(self, data: bytes) -> None:
        """Write other data."""
        self._new.file.write(data)

    def commit(self) -> None:
        """Replace the old file by the new file."""
        self._release()  # Windows cannot replace an open file
        self._new.commit()

    def close(self) -> None:
        """Close both files; discard the new file unless it was committed."""
        self._release()
        self._new.discard()

    def _release(self) -> None:
        self.content.close()
        self._old.close()
