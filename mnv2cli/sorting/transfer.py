"""One file from one place to another, never lost on the way.

A file gets its name by a link or by an exclusive creation, which fail where there is a file. It is
removed from where it was only when it is known to be twice, as two files or as two names of one.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from contextlib import suppress

from mnv2cli.sorting.journal import JournalEntry
from mnv2cli.system.files import content_digest, open_unnoticed
from mnv2cli.system.messages import reason

_BLOCK = 1 << 20
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS,
             errno.EACCES}  # fmt: skip


_BEGUN = 0o600  # the permissions of a copy that is not whole yet

# Where the system knows the difference, a link is linked itself, not what it leads to.
_ITSELF: dict[str, bool] = (
    {"follow_symlinks": False} if os.link in os.supports_follow_symlinks else {}
)


class FileChangedError(Exception):
    """A file is not what it was when it was looked at."""


def reason_of(error: Exception) -> str:
    """Return why nothing was done with a file, for people."""
    if isinstance(error, FileChangedError):
        return "has changed meanwhile"
    if isinstance(error, FileExistsError):
        return "a file of its new name appeared meanwhile"
    if isinstance(error, OSError):
        return reason(error)
    return str(error)


def has(path: str, entry: JournalEntry) -> bool:
    """Return whether a path itself, not what it may link to, is a file with an entry's content.

    Raises:
        OSError: It is there, and cannot be read.
    """
    try:
        status = os.lstat(path)
        is_file = stat.S_ISREG(status.st_mode) and status.st_size == entry.size
        return is_file and content_digest(path) == entry.sha256
    except (FileNotFoundError, NotADirectoryError):
        return False


def are_two(path: str, other: str) -> bool:
    """Return whether one of two paths can be removed and the file is still at the other one.

    They are two files, or two names of one; not one name, reached by two ways.
    """
    try:
        first, second = os.lstat(path), os.lstat(other)
    except OSError:
        return False
    if not (stat.S_ISREG(first.st_mode) and stat.S_ISREG(second.st_mode)):
        return False
    if (first.st_dev, first.st_ino) != (second.st_dev, second.st_ino):
        return True
    return first.st_nlink > 1 and _real(path) != _real(other)


def _real(path: str) -> str:
    folder, name = os.path.split(path)
    return os.path.join(os.path.realpath(folder), name)


def drop(path: str, other: str) -> None:
    """Remove a file that is at another path as well.

    Raises:
        FileChangedError: It is not, or no longer.
        OSError: It cannot be removed.
    """
    if not are_two(path, other):
        raise FileChangedError
    os.unlink(path)


def move(source: str, target: str, entry: JournalEntry) -> None:
    """Move a file that has an entry's content, to another file system too.

    Raises:
        FileChangedError: It has changed since the entry was made.
        FileExistsError: There is a file at the target.
        OSError: It cannot be moved; it is where it was, and nothing is at the target.
    """
    status = os.lstat(source)
    if (status.st_size, status.st_mtime_ns) != (entry.size, entry.mtime):
        raise FileChangedError
    try:
        os.link(source, target, **_ITSELF)
    except OSError as error:
        if error.errno == errno.EXDEV:
            _move_across(source, target, entry, status)
        elif error.errno in _NO_LINKS:
            _rename(source, target)
        else:
            raise
        return
    _drop_moved(source, target)


def _drop_moved(source: str, target: str) -> None:
    """Remove a moved file from where it was; if that cannot be, from where it is now."""
    try:
        drop(source, target)
    except OSError:
        with suppress(OSError, FileChangedError):
            drop(target, source)
        raise


def _move_across(source: str, target: str, entry: JournalEntry, before: os.stat_result) -> None:
    copy(source, target, entry, durable=True)
    is_whole = content_digest(target) == entry.sha256
    after = os.lstat(source)  # as late as can be: somebody may edit it meanwhile
    is_same = all(
        getattr(before, name) == getattr(after, name)
        for name in ("st_dev", "st_ino", "st_size", "st_mtime_ns")
    )
    if not (is_same and is_whole):
        drop(target, source)
        raise FileChangedError
    _drop_moved(source, target)


def _rename(source: str, target: str) -> None:
    """Rename without replacing anything, where the file system has no links.

    An empty file takes the name first, which fails if there is one; then it is replaced.
    """
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _BEGUN))
    try:
        os.replace(source, target)
    except OSError:
        if os.path.lexists(source) and os.lstat(target).st_size == 0:
            os.unlink(target)
        raise


def copy(
    source: str,
    target: str,
    entry: JournalEntry,
    *,
    durable: bool = False,
    content: bytes | None = None,
) -> None:
    """Write a copy with times, permissions and attributes; fails where there is a file.

    A process that is killed leaves a beginning of the file, which :func:`is_begun` tells.

    Args:
        source: The file that has, or had when the entry was made, its content.
        target: Its copy.
        entry: What the content has to be.
        durable: Return when it is on disk.
        content: What was read when the entry was made, to be read no second time.

    Raises:
        FileChangedError: The source has changed since.
        OSError: It cannot be read or written; nothing is at the target.
    """
    status = os.stat(source)
    if content is not None and (status.st_size, status.st_mtime_ns) != (entry.size, entry.mtime):
        raise FileChangedError
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    writer = os.open(target, flags, _BEGUN)
    try:
        if content is not None:
            write(writer, content)
        elif _stream(source, writer) != entry.sha256:
            raise FileChangedError
        _copy_attributes(source, target)
        if durable:
            _give(target, status)
        os.chmod(target, stat.S_IMODE(status.st_mode))
        os.utime(target, ns=(entry.atime, entry.mtime))
        if durable:
            os.fsync(writer)
    except (OSError, FileChangedError):
        with suppress(OSError):
            os.unlink(target)  # it was made here, and the source is untouched
        raise
    finally:
        os.close(writer)


def _stream(source: str, writer: int) -> str:
    """Copy the content of a file, and return its SHA-256."""
    digest = hashlib.sha256()
    with open(source, "rb", buffering=0, opener=open_unnoticed) as reader:
        while block := reader.read(_BLOCK):
            digest.update(block)
            write(writer, block)
    return digest.hexdigest()


def write(descriptor: int, data: bytes) -> None:
    """Write all of some bytes."""
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


def _copy_attributes(source: str, target: str) -> None:
    """Copy extended attributes, such as tags, as far as the file system has them."""
    if not hasattr(os, "listxattr"):
        shutil.copystat(source, target)  # it knows what macOS and Windows have
        return
    with suppress(OSError):
        for name in os.listxattr(source):
            with suppress(OSError):
                os.setxattr(target, name, os.getxattr(source, name))


def _give(path: str, status: os.stat_result) -> None:
    """Give a moved file to the owner it had, as far as that is allowed."""
    if hasattr(os, "chown"):
        with suppress(OSError):
            os.chown(path, status.st_uid, status.st_gid)


def complete(source: str, made: str, entry: JournalEntry) -> None:
    """Give a copy what a killed process had no time for, and have it on disk."""
    if os.path.samefile(source, made):
        return
    status = os.stat(source)
    _copy_attributes(source, made)
    if entry.method == "move":
        _give(made, status)
    os.chmod(made, stat.S_IMODE(status.st_mode))
    os.utime(made, ns=(entry.atime, entry.mtime))
    # Windows flushes only what may be written.
    descriptor = os.open(made, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_begun(path: str, whole: str, entry: JournalEntry) -> bool:
    """Return whether a file is but a beginning of another one that has the content of an entry.

    That is what a killed process leaves, with the permissions that a copy has until it is whole.
    Removing it loses nothing: all of it is in the other.
    """
    try:
        status = os.lstat(path)
        if not are_two(path, whole) or status.st_size >= entry.size:
            return False
        if os.name != "nt" and stat.S_IMODE(status.st_mode) != _BEGUN:
            return False
        with open(path, "rb") as begun, open(whole, "rb") as other:
            while block := begun.read(_BLOCK):
                if other.read(len(block)) != block:
                    return False
        return has(whole, entry)
    except OSError:
        return False
