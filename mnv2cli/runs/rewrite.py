"""A file written anew from pieces of itself."""

from __future__ import annotations

import mmap
import os

from mnv2cli.system.files import AtomicFile


class Rewriting:
    """A file written anew from pieces of itself; it takes the old one's place when it is whole.

    Args:
        path: The file; it is not empty.

    Attributes:
        content: What is in the old file.
    """

    def __init__(self, path: str) -> None:
        folder, name = os.path.split(path)
        for entry in os.listdir(folder):  # what a run left that was killed here
            if entry.startswith(f".{name}.") and entry.endswith(".part"):
                os.unlink(os.path.join(folder, entry))
        self._old = open(path, "rb")  # noqa: SIM115
        self.content = mmap.mmap(self._old.fileno(), 0, access=mmap.ACCESS_READ)
        self._new = AtomicFile(path)

    def copy(self, start: int, end: int) -> None:
        """Write a piece of the old file."""
        block = 1 << 20
        for at in range(start, end, block):
            self._new.file.write(self.content[at : min(at + block, end)])

    def write(self, data: bytes) -> None:
        """Write something else."""
        self._new.file.write(data)

    def commit(self) -> None:
        """Put the new file in place of the old one."""
        self._release()  # some systems replace no open file
        self._new.commit()

    def close(self) -> None:
        """Let go of both; what was not committed is gone."""
        self._release()
        self._new.discard()

    def _release(self) -> None:
        self.content.close()
        self._old.close()
