"""The cache of compiled models: name, describe, check, list and remove entries.

An entry is a folder named by a digest of everything its content depends on. Its description lists
its files with their digests, so that a damaged entry is never opened.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mnv2cli.errors import OutputError
from mnv2cli.system.files import content_digest
from mnv2cli.system.folders import cache_folder
from mnv2cli.system.messages import count
from mnv2cli.system.packages import installed_version

if TYPE_CHECKING:
    from mnv2cli.engines.calibration import Calibration
    from mnv2cli.engines.options import Precision
    from mnv2cli.engines.protocol import Network

__all__ = [
    "HEAD", "LAYOUT", "MODEL", "CacheEntry", "Compiled", "basis_of", "cache_folder",
    "compiled_as", "describe_entry", "entries", "entry_key", "make_room", "mark_used",
    "open_entry", "remove_all",
]  # fmt: skip

LAYOUT = 4
"""Version of an entry's content; raise it when that changes, so that older entries are ignored."""

MODEL, HEAD = "model.tflite", "head.tflite"
"""The files of an entry; only int8 has a head."""

_META = "meta.json"
_ENTRY_NAME = re.compile(
    r"(mnv2-[0-9a-f]{32})(\.tmp\w*|\.lock)?"
)  # the cache folder may hold other files
_MAX_KEPT = 24  # entries, most of 8 to 25 MB, ConvNeXt-Tiny's of 115 MB


@dataclass(frozen=True)
class Compiled:
    """A checked entry: files that LiteRT can open.

    Attributes:
        model: Path of the model from uint8 [1, size, size, 3] to scores and features; for int8,
            to features only.
        head: For int8, path of the model from features to float32 scores; else empty.
        scores: Index of the output that has the scores; of the head, if there is one.
        divisor: For int8, whose input is quantised but not scaled: the network's input is
            ``pixel / divisor - shift``.
        shift: See ``divisor``.
        temporary: Keeps a temporary folder alive, which is removed with the process.
    """

    model: str
    head: str
    scores: int
    divisor: float
    shift: float
    temporary: Any = field(default=None, compare=False)


def entry_key(network: Network, precision: Precision, calibration: Calibration | None) -> str:
    """Return the name of a compiled model's entry, without importing Keras or LiteRT.

    It is a digest of the weights' content, the network's shape and scaling, the precision with
    its calibration, and the versions of the libraries that write the file.
    """
    parts = [basis_of(network), precision, calibration.key if calibration else ""]
    return f"mnv2-{_digest(parts)[:32]}"


def basis_of(network: Network) -> str:
    """Return the digest that all compiled models of a network share."""
    names = ("keras", "tensorflow", "ai-edge-litert")
    return _digest([LAYOUT, network.identity(), {name: installed_version(name) for name in names}])


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def describe_entry(folder: str, network: Network, scores: int, files: list[str]) -> None:
    """Write the description of an entry, its last file: it marks the entry as complete.

    Args:
        folder: The entry's folder, with its files.
        network: The compiled network.
        scores: Index of the output that has the scores.
        files: The names of the files.
    """
    meta = {
        "network": network.name,
        "basis": basis_of(network),
        "scores": scores,
        "divisor": network.divisor,
        "shift": network.shift,
        "files": {name: content_digest(os.path.join(folder, name)) for name in files},
    }
    meta["check"] = _digest(meta)
    with open(os.path.join(folder, _META), "w", encoding="utf-8") as file:
        json.dump(meta, file, indent=1)
        file.flush()
        os.fsync(file.fileno())


def open_entry(folder: str) -> Compiled | None:
    """Return the entry in a folder, or None if it is missing or damaged."""
    try:
        with open(os.path.join(folder, _META), encoding="utf-8") as file:
            meta = json.load(file)
        if meta.pop("check") != _digest(meta) or MODEL not in meta["files"]:
            return None
        for name, digest in meta["files"].items():
            if name not in (MODEL, HEAD) or content_digest(os.path.join(folder, name)) != digest:
                return None
        head = os.path.join(folder, HEAD) if HEAD in meta["files"] else ""
        model = os.path.join(folder, MODEL)
        divisor, shift = float(meta["divisor"]), float(meta["shift"])
        return Compiled(model, head, int(meta["scores"]), divisor, shift)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def mark_used(folder: str) -> None:
    """Record that an entry is used now, so it is among the last to be removed.

    The record is the modification time of its description: access times are not kept everywhere,
    and are changed by backups. A read-only cache removes nothing, and needs no record.
    """
    with suppress(OSError):
        os.utime(os.path.join(folder, _META))


def make_room(cache: str, key: str) -> None:
    """Remove a damaged entry, leftovers of killed processes, and the least recently used entries.

    The entry's lock must be held.
    """
    for name in os.listdir(cache):
        if name == key or name.startswith(f"{key}.tmp"):
            shutil.rmtree(os.path.join(cache, name), ignore_errors=True)
    kept = sorted(entries(), key=lambda entry: entry.used)
    for entry in kept[: -(_MAX_KEPT - 1)]:  # of older libraries, or calibrated on old photos
        shutil.rmtree(entry.folder, ignore_errors=True)


@dataclass(frozen=True)
class CacheEntry:
    """A compiled model in the cache, according to its description; its files are not checked.

    Attributes:
        folder: Its folder.
        network: The name of the network.
        precision: ``float32`` or ``int8``.
        basis: The digest it shares with other compiled models of the same network.
        size: Size in bytes.
        used: When it was last used, in seconds since 1970.
    """

    folder: str
    network: str
    precision: Precision
    basis: str
    size: int
    used: float


def entries() -> list[CacheEntry]:
    """Return the compiled models in the cache, including damaged ones."""
    cache = cache_folder()
    found = []
    try:
        names = sorted(os.listdir(cache))
    except OSError:
        return []
    for name in names:
        folder = os.path.join(cache, name)
        if not _ENTRY_NAME.fullmatch(name) or not os.path.exists(os.path.join(folder, _META)):
            continue
        try:
            with open(os.path.join(folder, _META), encoding="utf-8") as file:
                meta = json.load(file)
            network, basis = str(meta.get("network", "")), str(meta.get("basis", ""))
        except (OSError, ValueError, AttributeError):
            network, basis = "damaged", ""
        try:
            sizes = [item.stat().st_size for item in os.scandir(folder)]
            used = os.path.getmtime(os.path.join(folder, _META))
        except OSError:  # removed meanwhile
            continue
        precision: Precision = "int8" if os.path.exists(os.path.join(folder, HEAD)) else "float32"
        found.append(CacheEntry(folder, network, precision, basis, sum(sizes), used))
    return found


def compiled_as(network: Network, among: list[CacheEntry]) -> list[Precision]:
    """Return the precisions that a network is compiled in; its weights must exist."""
    basis = basis_of(network)
    return sorted({entry.precision for entry in among if entry.basis == basis})


def remove_all(*, dry_run: bool = False) -> tuple[int, int]:
    """Remove all compiled models and leftovers of killed processes, and no other file.

    Entries that another process is compiling stay.

    Returns:
        The number of entries and their size in bytes.

    Raises:
        OutputError: An entry cannot be removed.
    """
    from filelock import FileLock, Timeout

    cache = cache_folder()
    removed = size = 0
    kept: list[str] = []
    try:
        names = [name for name in os.listdir(cache) if _ENTRY_NAME.fullmatch(name)]
    except OSError:
        return 0, 0
    for key in sorted({name.partition(".")[0] for name in names}):
        folders = [
            os.path.join(cache, name)
            for name in names
            if name.partition(".")[0] == key and not name.endswith(".lock")
        ]
        lock = FileLock(os.path.join(cache, f"{key}.lock"))
        try:
            if not dry_run:
                lock.acquire(timeout=0)
        except Timeout:
            continue
        except OSError:
            kept += folders
            continue
        try:
            for folder in folders:
                folder_size = _size_of(folder)
                if not dry_run:
                    shutil.rmtree(folder, ignore_errors=True)
                if not dry_run and os.path.lexists(folder):
                    kept.append(folder)
                    continue
                removed += 1
                size += folder_size
            if not dry_run:
                with suppress(OSError):
                    os.unlink(lock.lock_file)
        finally:
            lock.release()
    if kept:
        raise OutputError(
            f"cannot remove {count(len(kept), 'compiled model')}, such as {kept[0]}",
            f"Removed {count(removed, 'other')}. Check the permissions of {cache}.",
        )
    return removed, size


def _size_of(folder: str) -> int:
    try:
        return sum(item.stat().st_size for item in os.scandir(folder) if item.is_file())
    except OSError:
        return 0
