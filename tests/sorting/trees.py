"""Snapshots of folders, to compare contents and times."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from mnv2cli.records import CategoryScore, Prediction, Record
from mnv2cli.sorting.actions import Method, Plan
from mnv2cli.sorting.options import FolderOptions, SortOptions
from mnv2cli.sorting.plan import make_plan
from tests.conftest import draw

LABELS = ("tench", "goldfish", "hammerhead", "cock", "hen")


def draw_fish(folder: Path) -> Path:
    """Make the folder ``photos``: three fish, a snake with a sidecar, and no image."""
    photos = folder / "photos"
    for i, red in enumerate([0, 1, 6, 60]):  # tench, goldfish, stingray, night snake
        draw(photos / f"{i}.png", (red, 9, 0))
    (photos / "bad.jpg").write_text("no image")
    (photos / "3.xmp").write_text("notes")
    return photos


def record(path: Path | str, label: str = "tench", score: float = 0.9, **more: Any) -> Record:
    """Return a record with one prediction."""
    return Record(os.fspath(path), (Prediction("n01440764", label, score),), **more)


def categorised(path: Path | str, name: str, score: float = 0.9, margin: float = 0.5) -> Record:
    """Return a record with a category."""
    return record(path, category=CategoryScore(name, score, margin))


def plan_of(
    records: Iterable[Record],
    dest: Path,
    method: Method = "move",
    template: str = "{label}",
    **folders: Any,
) -> Plan:
    """Return a plan by label."""
    options = SortOptions(str(dest), method, FolderOptions(template, **folders))
    return make_plan(records, options)


def write(path: Path, content: bytes | str = "", mtime: int = 1_500_000_000) -> Path:
    """Write a file with an old modification time, and create its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    os.utime(path, (mtime, mtime))
    return path


def tag(path: Path) -> None:
    """Give a file an extended attribute, where the system supports them."""
    with suppress(OSError, AttributeError):
        os.setxattr(path, "user.tags", b"holiday")


def tags(path: Path) -> tuple[str, ...]:
    """Return the names of a file's extended attributes."""
    try:
        return tuple(os.listxattr(path, follow_symlinks=False))
    except (OSError, AttributeError):
        return ()


def snapshot(*roots: Path, journals: bool = True) -> dict[str, tuple[Any, ...]]:
    """Return the kind, content, mode, time and tags of everything below some folders."""
    found: dict[str, tuple[Any, ...]] = {}
    for root in roots:
        for path in [root, *sorted(root.rglob("*"))]:
            if not journals and ".mnv2" in path.parts:
                continue
            status = path.lstat()
            content = ""
            if path.is_symlink():
                content = os.readlink(path)
            elif path.is_file():
                content = hashlib.sha256(path.read_bytes()).hexdigest()
            kind = stat.S_IFMT(status.st_mode)
            mode = stat.S_IMODE(status.st_mode)
            found[str(path)] = (kind, content, mode, status.st_mtime_ns, tags(path))
    return found


def contents(*roots: Path) -> Counter[bytes]:
    """Return how often each content occurs, without journals and unfinished files."""
    return Counter(
        path.read_bytes()
        for root in roots
        for path in root.rglob("*")
        if path.is_file() and ".mnv2" not in path.parts and not path.name.endswith(".part")
    )


def restore_times(root: Path, times: int = 1_400_000_000) -> None:
    """Give folders old times, so that a change shows."""
    for path in sorted(root.rglob("*"), reverse=True):
        if path.is_dir():
            os.utime(path, (times, times))
    os.utime(root, (times, times))


def records(src: Path) -> list[Any]:
    """Return records of the five photos of the fixture ``src``."""
    labels = ["tench", "cock", "tench", "hen", "tench"]
    paths = [*sorted(src.glob("*.jpg")), src / "sub" / "img0.jpg"]
    return [record(path, label) for path, label in zip(paths, labels, strict=True)]
