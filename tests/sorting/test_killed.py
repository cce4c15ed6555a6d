"""A sort or undo that is killed at any moment loses nothing, and running it again finishes it."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from mnv2cli.errors import Mnv2Error
from mnv2cli.records import Record
from mnv2cli.sorting.actions import Method
from mnv2cli.sorting.apply import apply
from mnv2cli.sorting.undo import undo
from tests.sorting.trees import (
    LABELS,
    contents,
    plan_of,
    record,
    restore_times,
    snapshot,
    tag,
    write,
)

CHANGING = ("link", "unlink", "rename", "replace", "open", "write", "fsync", "mkdir", "rmdir",
            "symlink", "utime", "truncate", "chmod", "setxattr")  # fmt: skip
OTHER_DEVICE = Path("/dev/shm")


def in_child(work: Callable[[], object], kill_at: int = 0) -> bool:
    """Run in a forked process that is killed at its n-th change; return whether it was."""
    pid = os.fork()
    if pid == 0:
        count = 0

        def counted(name: str) -> None:
            real = getattr(os, name)

            def call(*args: object, **options: object) -> object:
                nonlocal count
                count += 1
                if count == kill_at:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*args, **options)

            setattr(os, name, call)

        for name in CHANGING:
            counted(name)
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert status in (0, signal.SIGKILL)
    return status != 0


def make(src: Path, count: int = 5) -> list[Record]:
    records = []
    for i in range(count):
        path = write(src / f"sub{i % 2}" / f"img{i % 3}.jpg", f"photo {i} " * 50, 1_500_000_000 + i)
        records.append(record(path, LABELS[i % 2]))
    write(src / "sub0" / "img0.xmp", "companion")
    tag(src / "sub0" / "img0.jpg")
    restore_times(src)
    return records


@pytest.fixture(params=["same", "other"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """Return a folder of photos, and a destination on the same or on another file system."""
    if request.param == "same":
        yield tmp_path / "src", tmp_path / "dest"
        return
    if not OTHER_DEVICE.is_dir() or OTHER_DEVICE.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system here")
    folder = Path(mkdtemp(dir=OTHER_DEVICE))
    yield tmp_path / "src", folder / "dest"
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()


def undo_if_needed(dest: Path) -> None:
    """Undo, unless a killed process had already put the last file back."""
    try:
        if dest.exists():
            undo(str(dest))
    except Mnv2Error as error:
        assert "has no journal" in error.message
    if dest.is_dir() and not list(dest.iterdir()):
        dest.rmdir()


@pytest.mark.parametrize("method", ["move", "copy"])
def test_a_sort_killed_at_any_change_loses_nothing(
    place: tuple[Path, Path], method: Method
) -> None:
    src, dest = place
    records = make(src)
    before, original = snapshot(src), contents(src)
    killed = 0
    while True:
        killed += 1
        if not in_child(lambda: apply(plan_of(records, dest, method)), killed):
            break
        now = contents(src, dest)
        assert original <= now, f"lost at {killed}: {original - now}"
        # Running it again finishes, and one undo restores everything.
        outcome = apply(plan_of([r for r in records if Path(r.path).exists()], dest, method))
        assert outcome.failed == []
        if method == "move":
            assert contents(dest) == original and not contents(src)
        else:
            assert contents(dest) == original == contents(src)
        undo_if_needed(dest)
        assert not dest.exists()
        assert snapshot(src) == before, f"not restored at {killed}"
    assert killed > 30
    undo(str(dest))


@pytest.mark.parametrize("method", ["move", "copy"])
def test_an_undo_killed_at_any_change_loses_nothing(
    place: tuple[Path, Path], method: Method
) -> None:
    src, dest = place
    records = make(src)
    before, original = snapshot(src), contents(src)
    killed = 0
    while True:
        killed += 1
        apply(plan_of(records, dest, method))
        was_killed = in_child(lambda: undo(str(dest)), killed)
        now = contents(src, dest)
        assert original <= now, f"lost at {killed}: {original - now}"
        undo_if_needed(dest)
        assert not dest.exists()
        assert snapshot(src) == before, f"not restored at {killed}"
        if not was_killed:
            break
    assert killed > 25


def test_kills_at_random_moments_lose_nothing(place: tuple[Path, Path]) -> None:
    src, dest = place
    records = make(src, 60)
    before, original = snapshot(src), contents(src)
    start = time.perf_counter()
    apply(plan_of(records, dest))
    seconds = time.perf_counter() - start
    undo(str(dest))
    moments = random.Random(1)

    def killed(work: Callable[[], object]) -> None:
        pid = os.fork()
        if pid == 0:
            try:
                work()
            finally:
                os._exit(0)
        time.sleep(moments.uniform(0, seconds))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        now = contents(src, dest)
        assert original <= now, original - now

    for _ in range(30):
        killed(lambda: apply(plan_of(records, dest)))
        again = apply(plan_of([r for r in records if Path(r.path).exists()], dest))
        assert again.failed == []
        assert contents(dest) == original and not contents(src)
        killed(lambda: undo(str(dest)))
        while dest.exists():
            undo_if_needed(dest)
        assert snapshot(src) == before
