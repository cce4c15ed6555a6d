"""The cache of compiled models: how entries are named, described, checked, listed and removed.

An entry is a folder named by a digest of all that its content depends on. Its description lists
its files with their digests, so that what is damaged is not opened.
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
from mnv2cli.system.packages import installed_version

if TYPE_CHECKING:
    from mnv2cli.engines.calibration import Calibration
    from mnv2cli.engines.options import Precision
    from mnv2cli.engines.protocol import Network

LAYOUT = 4
"""Raised when the content of an entry changes, so that older ones are not opened."""

MODEL, HEAD = "model.tflite", "head.tflite"
"""The files of an entry; the head for int8 alone."""

_META = "meta.json"
_ENTRY_NAME = re.compile(
    r"(mnv2-[0-9a-f]{32})(\.tmp\w*|\.lock)?"
)  # the cache may be a folder with other things
_MAX_KEPT = 24  # entries of 8 to 25 MB


@dataclass(frozen=True)
class Compiled:
    """An entry, checked: files that LiteRT may open.

    Attributes:
        model: From uint8 [1, size, size, 3] to scores and features, or for int8 to features.
        head: For int8, from features to scores in float32; else empty.
        scores: Index of the output that has the scores; of the head, if there is one.
        divisor: For int8, whose input is quantised, not scaled: the input is
            ``pixel / divisor - shift``.
        shift: See ``divisor``.
        temporary: Keeps a folder alive that goes away with the process.
    """

    model: str
    head: str
    scores: int
    divisor: float
    shift: float
    temporary: Any = field(default=None, compare=False)


def cache_folder() -> str:
    """Return the folder of compiled models: ``MNV2_CACHE``, else the user's cache folder."""
    if named := os.environ.get("MNV2_CACHE"):
        return os.path.abspath(os.path.expanduser(named))
    from platformdirs import user_cache_dir

    return os.path.join(user_cache_dir("mnv2", appauthor=False), "compiled")


def entry_key(network: Network, precision: Precision, calibration: Calibration | None) -> str:
    """Return the digest of all that a compiled model depends on; imports neither Keras nor LiteRT.

    It covers the weights' content, the network's shape and scaling, the precision with its
    calibration, and the versions of the libraries that write the file.
    """
    parts = [basis_of(network), precision, calibration.key if calibration else ""]
    return f"mnv2-{_digest(parts)[:32]}"


def basis_of(network: Network) -> str:
    """Return the digest of what all compiled forms of a network have in common."""
    names = ("keras", "tensorflow", "ai-edge-litert")
    return _digest([LAYOUT, network.identity(), {name: installed_version(name) for name in names}])


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def describe_entry(folder: str, network: Network, scores: int, files: list[str]) -> None:
    """Write the description of an entry, its last file: with it the entry is whole.

    Args:
        folder: The entry's, with the files in it.
        network: What is compiled.
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
    """Return the entry in a folder, or None where there is none or it is damaged."""
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


def make_room(cache: str, key: str) -> None:
    """Remove a damaged entry, what killed processes left of it, and the oldest other entries.

    The entry's lock must be held.
    """
    for name in os.listdir(cache):
        if name == key or name.startswith(f"{key}.tmp"):
            shutil.rmtree(os.path.join(cache, name), ignore_errors=True)
    kept = sorted(entries(), key=lambda entry: entry.made)
    for entry in kept[: -(_MAX_KEPT - 1)]:  # of older libraries, or of photos long gone
        shutil.rmtree(entry.folder, ignore_errors=True)


@dataclass(frozen=True)
class CacheEntry:
    """A compiled model in the cache, as its description says; not checked.

    Attributes:
        folder: Where it is.
        network: The name of the network.
        precision: ``float32`` or ``int8``.
        basis: What it shares with other compiled forms of the same network.
        size: Bytes.
        made: When, in seconds since 1970.
    """

    folder: str
    network: str
    precision: Precision
    basis: str
    size: int
    made: float


def entries() -> list[CacheEntry]:
    """Return the compiled models in the cache, whole or not."""
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
            made = os.path.getmtime(os.path.join(folder, _META))
        except OSError:  # removed meanwhile
            continue
        precision: Precision = "int8" if os.path.exists(os.path.join(folder, HEAD)) else "float32"
        found.append(CacheEntry(folder, network, precision, basis, sum(sizes), made))
    return found


def compiled_as(network: Network, among: list[CacheEntry]) -> list[Precision]:
    """Return the precisions that a network is compiled in; its weights must be there."""
    basis = basis_of(network)
    return sorted({entry.precision for entry in among if entry.basis == basis})


def remove_all(*, dry_run: bool = False) -> tuple[int, int]:
    """Remove all compiled models and what killed processes left; nothing else in the folder.

    One that is being compiled right now stays.

    Returns:
        How many, and how many bytes.

    Raises:
        OutputError: Some of it cannot be removed.
    """
    from filelock import FileLock, Timeout

    cache = cache_folder()
    count = size = 0
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
                bytes_of = _bytes_in(folder)
                if not dry_run:
                    shutil.rmtree(folder, ignore_errors=True)
                if not dry_run and os.path.lexists(folder):
                    kept.append(folder)
                    continue
                count += 1
                size += bytes_of
            if not dry_run:
                with suppress(OSError):
                    os.unlink(lock.lock_file)
        finally:
            lock.release()
    if kept:
        raise OutputError(
            f"{len(kept)} compiled models cannot be removed, such as {kept[0]}",
            f"{count} were removed. Look at the permissions of {cache}.",
        )
    return count, size


def _bytes_in(folder: str) -> int:
    try:
        return sum(item.stat().st_size for item in os.scandir(folder) if item.is_file())
    except OSError:
        return 0
