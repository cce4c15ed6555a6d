"""Atomic files, reading without changing access times, and digests."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import stat
import tempfile
from typing import IO

NO_SPACE = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})
"""The numbers of errors of a full disk and of a full quota."""


def content_digest(path: str) -> str:
    """Return the SHA-256 of a file in hexadecimal, keeping its access time if possible."""
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0, opener=open_unnoticed) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def read_unnoticed(path: str) -> bytes:
    """Return the content of a small file, keeping its access time if possible."""
    descriptor = open_unnoticed(path, os.O_RDONLY)
    try:
        blocks = []
        while block := os.read(descriptor, 1 << 16):
            blocks.append(block)
    finally:
        os.close(descriptor)
    return b"".join(blocks)


def open_unnoticed(path: str, flags: int) -> int:
    """Open a file, keeping its access time if possible; an opener for ``open``."""
    flags |= getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    try:
        return os.open(path, flags | getattr(os, "O_NOATIME", 0))
    except PermissionError:  # only the owner may
        return os.open(path, flags)


def open_without_waiting(path: str, flags: int) -> int:
    """Open a file, as an ``opener`` of :func:`open`; a FIFO does not wait for its other end."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def write(descriptor: int, data: bytes) -> None:
    """Write bytes completely."""
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


def copy_attributes(source: str, target: str) -> None:
    """Copy extended attributes, such as tags, as far as the file system supports them."""
    if not hasattr(os, "listxattr"):
        shutil.copystat(source, target)  # covers macOS and Windows
        return
    with contextlib.suppress(OSError):
        for name in os.listxattr(source):
            with contextlib.suppress(OSError):
                os.setxattr(target, name, os.getxattr(source, name))


def sync_folder(path: str) -> None:
    """Write a folder's entries to disk, if the system supports it."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:  # Windows cannot open folders
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)


def is_within(path: str, folder: str) -> bool:
    """Return whether a path is a folder or below it; both absolute, and without links."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def is_really_within(path: str, folder: str) -> bool:
    """Return whether a path, which need not exist, is a folder or below it, through links too."""
    return is_within(os.path.realpath(path), os.path.realpath(folder))


class AtomicFile:
    """A file written under a temporary name beside its target, then moved there or discarded.

    Args:
        target: The path of the complete file.
        suffix: The suffix of the temporary name.

    Attributes:
        file: The open file, for writing bytes.
        name: The temporary path.
    """

    def __init__(self, target: str, suffix: str = ".part") -> None:
        folder, base = os.path.split(os.path.abspath(target))
        self._target = target
        descriptor, self.name = tempfile.mkstemp(
            prefix=f".{base[:200]}.", suffix=suffix, dir=folder
        )
        self.file: IO[bytes] = os.fdopen(descriptor, "wb")

    def commit(self, *, replace: bool = True) -> None:
        """Write the file to disk and move it to its target.

        Args:
            replace: Replace an existing file.

        Raises:
            FileExistsError: The target exists and ``replace`` is not given.
            OSError: It cannot be written; the temporary file is removed.
        """
        try:
            self.file.flush()
            os.fsync(self.file.fileno())
            self.file.close()
            os.chmod(self.name, self._mode())  # mkstemp makes files private
            if replace:
                os.replace(self.name, self._target)
            else:
                self._move_to_new()
            sync_folder(os.path.dirname(os.path.abspath(self._target)))
        except BaseException:
            self.discard()
            raise

    def _move_to_new(self) -> None:
        try:
            os.link(self.name, self._target)
        except FileExistsError:
            raise
        except OSError as error:  # no hard links here: look again
            if os.path.lexists(self._target):
                raise FileExistsError(
                    errno.EEXIST, os.strerror(errno.EEXIST), self._target
                ) from error
            os.replace(self.name, self._target)
        else:
            os.unlink(self.name)

    def _mode(self) -> int:
        try:
            return stat.S_IMODE(os.stat(self._target).st_mode)  # like the file it replaces
        except OSError:
            return 0o666 & ~_umask()

    def discard(self) -> None:
        """Remove the temporary file."""
        with contextlib.suppress(OSError):
            self.file.close()
        with contextlib.suppress(OSError):
            os.unlink(self.name)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
