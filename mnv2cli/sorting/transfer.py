"""Move or copy one file without ever losing it.

A file gets its new name by a link or an exclusive creation, and both fail if the name is taken. The
old name is removed only when the content is known to have another name.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from contextlib import suppress

from mnv2cli.journals.running import FileChangedError
from mnv2cli.sorting.journal import JournalEntry
from mnv2cli.system.files import content_digest, copy_attributes, open_unnoticed, write

_BLOCK = 1 << 20
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS,
             errno.EACCES}  # fmt: skip


_BEGUN = 0o600  # the permissions of an incomplete copy

# Where the system can, link to a symbolic link itself, not to its target.
_ITSELF: dict[str, bool] = (
    {"follow_symlinks": False} if os.link in os.supports_follow_symlinks else {}
)


def has(path: str, entry: JournalEntry) -> bool:
    """Return whether a path is a file, not a link, with an entry's content.

    Raises:
        OSError: The file exists but cannot be read.
    """
    try:
        status = os.lstat(path)
        is_file = stat.S_ISREG(status.st_mode) and status.st_size == entry.size
        return is_file and content_digest(path) == entry.sha256
    except (FileNotFoundError, NotADirectoryError):
        return False


def are_two(path: str, other: str) -> bool:
    """Return whether one of two paths can be removed while the other keeps the file.

    They are two files, or two names of one file, but not one name reached in two ways.
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
    """Remove a file whose content is also at another path.

    Raises:
        FileChangedError: The other path does not have it, or no longer has it.
        OSError: The file cannot be removed.
    """
    if not are_two(path, other):
        raise FileChangedError
    os.unlink(path)


def move(source: str, target: str, entry: JournalEntry) -> None:
    """Move a file that has an entry's content, even to another file system.

    Raises:
        FileChangedError: The file has changed since the entry was made.
        FileExistsError: The target exists.
        OSError: The file cannot be moved; it is where it was, and the target does not exist.
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
    """Remove a moved file's old name; if that fails, its new name."""
    try:
        drop(source, target)
    except OSError:
        with suppress(OSError, FileChangedError):
            drop(target, source)
        raise


def _move_across(source: str, target: str, entry: JournalEntry, before: os.stat_result) -> None:
    copy(source, target, entry, durable=True)
    is_whole = content_digest(target) == entry.sha256
    after = os.lstat(source)  # as late as possible: the user may edit it
    is_same = all(
        getattr(before, name) == getattr(after, name)
        for name in ("st_dev", "st_ino", "st_size", "st_mtime_ns")
    )
    if not (is_same and is_whole):
        drop(target, source)
        raise FileChangedError
    _drop_moved(source, target)


def _rename(source: str, target: str) -> None:
    """Rename without replacing anything, on a file system without hard links.

    First an empty file is created with the name, which fails if the name exists; then it is
    replaced.
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
    """Copy a file with times, permissions and attributes; fail if the target exists.

    A process that is killed leaves an incomplete copy, which :func:`is_begun` recognises.

    Args:
        source: The file.
        target: The path of its copy.
        entry: Describes the content when the action was announced.
        durable: Return only when the copy is on disk.
        content: The content, if it has been read already.

    Raises:
        FileChangedError: The source has changed since the action was announced.
        OSError: The source cannot be read, or the target cannot be written; it does not exist.
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
        copy_attributes(source, target)
        if durable:
            _give(target, status)
        os.chmod(target, stat.S_IMODE(status.st_mode))
        os.utime(target, ns=(entry.atime, entry.mtime))
        if durable:
            os.fsync(writer)
    except (OSError, FileChangedError):
        with suppress(OSError):
            os.unlink(target)  # created above; the source is untouched
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


def _give(path: str, status: os.stat_result) -> None:
    """Restore the owner of a moved file, as far as that is allowed."""
    if hasattr(os, "chown"):
        with suppress(OSError):
            os.chown(path, status.st_uid, status.st_gid)


def complete(source: str, made: str, entry: JournalEntry) -> None:
    """Give a copy the times, permissions and attributes that it may lack, and sync it to disk."""
    if os.path.samefile(source, made):
        return
    status = os.stat(source)
    copy_attributes(source, made)
    if entry.method == "move":
        _give(made, status)
    os.chmod(made, stat.S_IMODE(status.st_mode))
    os.utime(made, ns=(entry.atime, entry.mtime))
    # Windows syncs only files opened for writing.
    descriptor = os.open(made, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_begun(path: str, whole: str, entry: JournalEntry) -> bool:
    """Return whether a file is an incomplete copy of another file that has an entry's content.

    A killed process leaves this file, with the permissions of an incomplete copy. Removing it loses
    nothing, because the other file is complete.
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


def is_empty_copy(path: str, entry: JournalEntry) -> bool:
    """Return whether a file is a copy that was killed before anything was written into it."""
    try:
        status = os.lstat(path)
    except OSError:
        return False
    is_begun = os.name == "nt" or stat.S_IMODE(status.st_mode) == _BEGUN
    return stat.S_ISREG(status.st_mode) and is_begun and status.st_size == 0 < entry.size
