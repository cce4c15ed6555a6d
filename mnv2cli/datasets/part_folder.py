"""A folder that is written under a temporary name beside its target, then renamed or removed."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from contextlib import suppress

from mnv2cli.errors import InputError, OutputError
from mnv2cli.system.messages import reason

_INFIX = ".mnv2-part-"
_LOCK = ".mnv2-lock"


class PartFolder:
    """A folder under a temporary name, such as ``dogs.mnv2-part-1f3a5c7e``.

    Folders of killed runs with the same target are removed first. They are recognised by the lock
    file in them, which nobody holds any more.

    Args:
        target: The path of the complete folder: it does not exist, or is an empty folder.

    Attributes:
        name: The temporary path.

    Raises:
        OutputError: It cannot be created.
    """

    def __init__(self, target: str) -> None:
        self._target = os.path.realpath(target)
        self._lock: int | None = None
        _remove_dead(self._target)
        self.name = f"{self._target}{_INFIX}{secrets.token_hex(4)}"
        try:
            os.mkdir(self.name)
            self._lock = os.open(os.path.join(self.name, _LOCK), os.O_RDWR | os.O_CREAT)
            _is_locked(self._lock)
        except BaseException as error:
            self.discard()
            if isinstance(error, OSError):
                raise self._failed(error) from error
            raise

    def commit(self) -> None:
        """Rename the folder to its target.

        Raises:
            OutputError: The target was created in the meantime, or cannot be replaced.
        """
        try:
            self._unlock()
            if os.path.isdir(self._target):
                shutil.copymode(self._target, self.name)
                os.rmdir(self._target)  # fails if it is not empty; Windows replaces no folder
            elif os.path.lexists(self._target):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
            os.rename(self.name, self._target)
        except OSError as error:
            raise self._failed(error) from error

    def discard(self) -> None:
        """Remove the folder, unless it was renamed."""
        with suppress(OSError):
            shutil.rmtree(self.name)
        self._close()
        if os.path.isdir(self.name):  # Windows removes no open file
            shutil.rmtree(self.name, ignore_errors=True)

    def _unlock(self) -> None:
        path = os.path.join(self.name, _LOCK)
        if os.name == "nt":  # removes no open file
            self._close()
        os.unlink(path)
        self._close()

    def _close(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _failed(self, error: OSError) -> OutputError:
        return OutputError(f"cannot write {self._target!r}: {reason(error)}")


def check_new_folder(dest: str, what: str) -> None:
    """Check that a folder can be created.

    Args:
        dest: The folder.
        what: What it will be, for errors, such as "a dataset".

    Raises:
        InputError: It exists and is not an empty folder, is the current folder, or its own folder
            does not exist or cannot be written to.
    """
    if os.path.islink(dest) and not os.path.exists(dest):
        raise InputError(f"{dest!r} is a link to nothing", "Remove it, or name another folder.")
    if os.path.lexists(dest) and not os.path.isdir(dest):
        raise InputError(f"{dest!r} is a file, and {what} is a folder", "Name a new folder.")
    if os.path.isdir(dest):
        try:
            is_empty = not os.listdir(dest)
        except OSError as error:
            raise InputError(f"cannot read {dest!r}: {reason(error)}") from error
        if not is_empty:
            raise InputError(f"{dest!r} already exists and is not empty", "Name a new folder.")
        if os.path.samefile(dest, os.curdir):
            raise InputError(f"{dest!r} is the current folder", "Name a new folder in it.")
    folder = os.path.dirname(os.path.realpath(dest))
    if not os.path.isdir(folder):
        raise InputError(
            f"cannot create {dest!r}: the folder {os.path.dirname(dest.rstrip(os.sep))!r} does not "
            "exist",
            "Create the folder first.",
        )
    if not os.access(folder, os.W_OK):
        raise InputError(f"cannot write to {folder!r}: permission denied", "Name another folder.")


def _remove_dead(target: str) -> int:
    """Remove the folders of killed runs; return their number."""
    folder, base = os.path.split(target)
    try:
        names = os.listdir(folder)
    except OSError:
        return 0
    return sum(
        _remove_if_dead(os.path.join(folder, name))
        for name in names
        if name.startswith(base + _INFIX)
    )


def _remove_if_dead(part: str) -> bool:
    path = os.path.join(part, _LOCK)
    if os.path.islink(part) or os.path.islink(path):
        return False
    try:
        lock = os.open(path, os.O_RDWR)
    except OSError:  # without a lock file it may be anything
        return False
    try:
        if not _is_locked(lock):
            return False
        if os.name != "nt":
            shutil.rmtree(part, ignore_errors=True)
    finally:
        os.close(lock)
    if os.name == "nt":
        shutil.rmtree(part, ignore_errors=True)
    return not os.path.lexists(part)


def _is_locked(file: int) -> bool:
    """Lock an open file; return whether that succeeded and locks work here."""
    from filelock import lock_descriptor

    try:
        return lock_descriptor(file, blocking=False)
    except OSError:
        return False
