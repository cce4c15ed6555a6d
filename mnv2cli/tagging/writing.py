"""Replace, create and remove one file, so that at any moment it is the old or the new one.

A complete temporary file beside it gets its name. Nothing is replaced or removed that is not what
it was when it was read, and a new file gets its name in a way that fails if the name is taken.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from mnv2cli.journals.running import FileChangedError
from mnv2cli.journals.tag_journal import ChangeEntry, FileState
from mnv2cli.system.files import content_digest, copy_attributes, open_unnoticed, write

_SYNC_THREADS = 16
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS,
             errno.EACCES}  # fmt: skip
_TEMP = re.compile(r"\..*\.[0-9a-f]{8}-[0-9]+\.mnv2", re.DOTALL)
EXIFTOOL_TEMP = "_exiftool_tmp"
"""What exiftool appends to the name of a file while it writes it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as it was when it was read."""

    device: int
    inode: int
    size: int
    mtime: int
    atime: int
    mode: int
    links: int

    @classmethod
    def of(cls, status: os.stat_result) -> Seen:
        """Return what a status says; raises ValueError if it is not that of a regular file."""
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(
                "is a folder" if stat.S_ISDIR(status.st_mode) else "is not a regular file"
            )
        return cls(
            status.st_dev,
            status.st_ino,
            status.st_size,
            status.st_mtime_ns,
            status.st_atime_ns,
            stat.S_IMODE(status.st_mode),
            status.st_nlink,
        )

    def state(self, sha256: str) -> FileState:
        """Return the state for a journal."""
        return FileState(self.size, sha256, self.mtime, self.atime, self.mode)

    def check(self, path: str) -> None:
        """Check that a path still is this file; raises FileChangedError or OSError."""
        now = Seen.of(os.lstat(path))
        if (now.device, now.inode, now.size, now.mtime) != (
            self.device,
            self.inode,
            self.size,
            self.mtime,
        ):
            raise FileChangedError


def see(path: str) -> Seen | None:
    """Return what a path is now; None if nothing exists at it; raises ValueError for a folder."""
    try:
        return Seen.of(os.lstat(path))
    except FileNotFoundError:
        return None


def read_seen(path: str, limit: int) -> tuple[bytes, Seen | None]:
    """Return the content of a small file, and what the file is; None if nothing exists.

    Raises:
        OSError: It cannot be read.
        ValueError: It is larger than a limit, or not a regular file.
    """
    try:
        descriptor = open_unnoticed(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return b"", None
    try:
        seen = Seen.of(os.fstat(descriptor))
        if seen.size > limit:
            raise ValueError(f"is larger than {limit >> 20} MB")
        blocks, left = [], seen.size + 1
        while left and (block := os.read(descriptor, left)):
            blocks.append(block)
            left -= len(block)
    finally:
        os.close(descriptor)
    content = b"".join(blocks)
    if len(content) != seen.size:
        raise FileChangedError
    return content, seen


def has(path: str, state: FileState | None) -> bool:
    """Return whether a path is a file with a content, or nothing for None.

    Raises:
        OSError: It cannot be read.
    """
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return state is None
    if state is None or not stat.S_ISREG(status.st_mode) or status.st_size != state.size:
        return False
    return content_digest(path) == state.sha256


def token_of(journal: str) -> str:
    """Return the part of the names of temporary files that only one run in a folder has."""
    return hashlib.sha256(os.fsencode(os.path.basename(journal))).hexdigest()[:8]


def temp_path(path: str, token: str, number: int) -> str:
    """Return the temporary name beside a file for a change."""
    folder, base = os.path.split(path)
    while len(os.fsencode(base)) > 200:
        base = base[:-1]
    return os.path.join(folder, f".{base}.{token}-{number}.mnv2")


def remove_temps(paths: Iterable[str]) -> None:
    """Remove temporary files of runs, as far as they exist; other files are kept."""
    for path in paths:
        if _TEMP.fullmatch(os.path.basename(path)):
            for name in (path, path + EXIFTOOL_TEMP):
                with suppress(OSError):
                    os.unlink(name)


def write_temp(path: str, blocks: Iterable[bytes], mode: int = 0o666) -> str:
    """Write a new file, and return the SHA-256 of its content.

    Raises:
        OSError: It exists, or cannot be written.
    """
    digest = hashlib.sha256()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags, mode)
    try:
        for block in blocks:
            digest.update(block)
            write(descriptor, block)
    finally:
        os.close(descriptor)
    return digest.hexdigest()


def keep_attributes(source: str, target: str, mode: int, times: tuple[int, int]) -> None:
    """Give a file the owner and extended attributes of another, permissions and times.

    Raises:
        ValueError: Its owner cannot be the same.

    Args:
        source: The other file.
        target: The file.
        mode: The permissions.
        times: Access and modification time in ns.
    """
    own = os.stat(target)
    if source != target:
        copy_attributes(source, target)
    if hasattr(os, "chown"):
        status = os.stat(source)
        if (status.st_uid, status.st_gid) != (own.st_uid, own.st_gid):
            _give(target, status, "user" if status.st_uid != own.st_uid else "group")
    os.chmod(target, mode)
    os.utime(target, ns=times)


def _give(target: str, status: os.stat_result, owner: str) -> None:
    try:
        os.chown(target, status.st_uid, status.st_gid)
    except OSError as error:
        raise ValueError(f"belongs to another {owner}, which replacing it would change") from error


def sync_files(paths: list[str]) -> dict[str, OSError]:
    """Return when files are on disk, and the errors of those that are not, by path."""
    if not paths:
        return {}
    from concurrent.futures import ThreadPoolExecutor

    # Together: the file system writes the changes of all of them at once.
    count = min(_SYNC_THREADS, len(paths))
    with ThreadPoolExecutor(count) as threads:
        found = threads.map(_sync_each, [paths[i::count] for i in range(count)])
    return {path: error for errors in found for path, error in errors.items()}


def _sync_each(paths: list[str]) -> dict[str, OSError]:
    return {path: error for path in paths if (error := _sync_file(path))}


def _sync_file(path: str) -> OSError | None:
    try:
        # Windows syncs only files opened for writing.
        descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        return error
    return None


def name_new(temp: str, path: str) -> None:
    """Give a complete temporary file its name.

    Raises:
        FileExistsError: The name is taken.
        OSError: It cannot be given; the temporary file exists.
    """
    try:
        os.link(temp, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # Without hard links: an empty file takes the name, which fails if it is taken.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            os.replace(temp, path)
        except OSError:
            if os.lstat(path).st_size == 0:
                os.unlink(path)
            raise
        return
    os.unlink(temp)


def carry_out(entry: ChangeEntry, path: str, temp: str, seen: Seen | None) -> None:
    """Carry out a change whose temporary file is complete.

    Args:
        entry: The change.
        path: The file.
        temp: The temporary file with the new content.
        seen: The file as it was read; None for a new file.

    Raises:
        FileChangedError: The file is not what was read.
        OSError: It failed; the file is as it was.
    """
    if seen is None:
        name_new(temp, path)
        return
    seen.check(path)
    if entry.how == "delete":
        os.unlink(path)
    else:
        os.replace(temp, path)
