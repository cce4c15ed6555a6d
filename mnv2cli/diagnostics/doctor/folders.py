"""The folders that runs write to: weights, compiled models, temporary files."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator

from mnv2cli.diagnostics.doctor.check import Check, gigabytes

_LITTLE_SPACE = 500_000_000


def check_folders() -> Iterator[Check]:
    """Yield a check of each folder: its size, its free space, and whether it is writable."""
    from mnv2cli.engines.cache import cache_folder
    from mnv2cli.models.weights import keras_home

    weights = os.path.join(keras_home(), "models")
    yield _check_folder("weights", weights, "KERAS_HOME")
    yield _check_folder("compiled", cache_folder(), "MNV2_CACHE")
    yield _check_folder("temporary", _temporary_folder(), "TMPDIR")


def _check_folder(name: str, folder: str, variable: str) -> Check:
    """Check a folder, or the nearest one above it that exists.

    Args:
        name: ``weights``, ``compiled`` or ``temporary``. Only the last one is essential for a run;
            its size does not matter.
        folder: Its path.
        variable: The environment variable that names it.
    """
    is_temporary = name == "temporary"
    size = "" if is_temporary else f"{_size(folder) / 1e6:,.0f} MB, "
    nearest = folder
    while not os.path.exists(nearest):
        nearest = os.path.dirname(nearest)
    free = shutil.disk_usage(nearest).free
    text = f"{folder}: {size}{gigabytes(free)} free"
    if not _can_write(nearest):
        return Check(
            "Folders",
            name,
            "fail" if is_temporary else "warn",
            f"{text}, not writable",
            f"Set {variable} to a writable folder.",
        )
    if free < _LITTLE_SPACE:
        return Check(
            "Folders", name, "warn", text, f"Free some space, or set {variable} to another folder."
        )
    return Check("Folders", name, "ok", text)


def _temporary_folder() -> str:
    try:
        return tempfile.gettempdir()
    except OSError:  # none is writable
        return os.environ.get("TMPDIR") or "/tmp"


def _size(folder: str) -> int:
    size = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                size += os.lstat(os.path.join(parent, name)).st_size
            except OSError:  # removed meanwhile
                continue
    return size


def _can_write(folder: str) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
