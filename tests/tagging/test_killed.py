"""A tag run or its undo that is killed at any moment loses nothing, and can be finished."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from mnv2cli.errors import InputError
from mnv2cli.tagging.actions import Method
from mnv2cli.tagging.apply import apply
from mnv2cli.tagging.undo import undo
from tests.sorting.test_killed import OTHER_DEVICE, in_child
from tests.sorting.trees import snapshot
from tests.tagging.trees import OTHERS, fake_embedding, make, make_photos, plan_of

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

State = dict[Path, bytes | None]


def state_of(files: list[Path]) -> State:
    return {file: file.read_bytes() if file.exists() else None for file in files}


class Place:
    """Files, what a tag run makes of them, and the run."""

    def __init__(self, root: Path, method: Method, count: int) -> None:
        self.root, self.method = root, method
        self.files = (make if method == "sidecar" else make_photos)(root, count)
        if method == "sidecar":  # some have our keywords already
            apply(plan_of(root, self.files[: count // 4], OTHERS))
            self.remove_folder()
        self.before = snapshot(root)
        self.old = state_of(self.files)
        self.tag()
        self.new = state_of(self.files)
        undo(str(root))
        assert snapshot(root) == self.before

    def remove_folder(self) -> None:
        for path in (self.root / ".mnv2").iterdir():
            path.unlink()
        (self.root / ".mnv2").rmdir()

    def tag(self) -> None:
        outcome = apply(plan_of(self.root, self.files, method=self.method))
        assert outcome.failed == []

    def undo(self) -> None:
        """Undo, unless a killed process had removed the journal already."""
        try:
            outcome, _ = undo(str(self.root))
            assert outcome.failed == []
        except InputError as error:
            assert "no journal" in error.message

    def check(self) -> None:
        """Check that each file is the old or the new one."""
        for file, content in state_of(self.files).items():
            same = [now[file] for now in (self.old, self.new)]
            # The date in our record may be another second.
            assert content in same or (
                content is not None and _undated(content) == _undated(same[1])
            )

    def check_restored(self) -> None:
        """Check that everything is as before, but the time of the folder with the journals.

        A process that is killed before there is a journal, or after it was removed, leaves the
        folder of journals, and the next one does not know the time before.
        """
        if (self.root / ".mnv2").exists():
            assert not list((self.root / ".mnv2").glob("*.jsonl"))
            self.remove_folder()
        time = self.before[str(self.root)][3]
        os.utime(self.root, ns=(time, time))
        assert snapshot(self.root) == self.before


def _undated(content: bytes | None) -> list[bytes]:
    return [line for line in (content or b"").splitlines() if b"date" not in line.lower()]


@pytest.fixture
def root() -> Iterator[Path]:
    """Return a folder, in memory if possible: kills take nothing from the disk's cache."""
    place = OTHER_DEVICE if OTHER_DEVICE.is_dir() else None
    with TemporaryDirectory(dir=place) as name:
        yield Path(name)


@pytest.fixture(params=["sidecar", "embed"])
def method(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Method:
    fake_embedding(monkeypatch)
    found: Method = request.param
    return found


def test_a_tag_run_killed_at_any_change_loses_nothing(root: Path, method: Method) -> None:
    place = Place(root, method, 4)
    killed = 1
    while in_child(place.tag, killed):
        place.check()
        if killed % 2:  # undo what was done, or finish it first
            place.tag()
            assert {f: _undated(c) for f, c in state_of(place.files).items()} == {
                f: _undated(c) for f, c in place.new.items()
            }
        place.undo()
        place.check_restored()
        killed += 1
    assert killed > 30
    undo(str(root))


def test_an_undo_killed_at_any_change_loses_nothing(root: Path, method: Method) -> None:
    place = Place(root, method, 4)
    killed = 0
    while True:
        killed += 1
        place.tag()
        was_killed = in_child(lambda: undo(str(root)), killed)
        place.check()
        place.undo()
        place.check_restored()
        if not was_killed:
            break
    assert killed > 20


def test_kills_at_random_moments_lose_nothing(root: Path, method: Method) -> None:
    place = Place(root, method, 60)
    start = time.perf_counter()
    place.tag()
    seconds = time.perf_counter() - start
    place.undo()
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
        place.check()

    for _ in range(15):  # two kills each, with two methods
        killed(place.tag)
        place.tag()
        killed(place.undo)
        place.undo()
        place.check_restored()
