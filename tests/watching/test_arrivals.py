"""A photo is complete once it stands still, and is processed once."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from mnv2cli.errors import InputError
from mnv2cli.watching.arrivals import Arrivals
from mnv2cli.watching.options import WatchOptions
from mnv2cli.watching.shots import DropFolder, Shot


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def done() -> set[str]:
    """Names of photos that an earlier run processed."""
    return set()


@pytest.fixture
def arrivals(tmp_path: Path, clock: Clock, done: set[str]) -> Arrivals:
    options = WatchOptions(settle=1, patience=10)
    folder = DropFolder(str(tmp_path), options)
    return Arrivals(folder, options, lambda shot: os.path.basename(shot.path) in done, clock)


def complete(arrivals: Arrivals, most: int = 10) -> list[str]:
    return [os.path.basename(shot.path) for shot in arrivals.complete(most)]


def only(arrivals: Arrivals) -> Shot:
    (shot,) = arrivals.complete(10)
    return shot


def test_a_photo_is_complete_once_it_stands_still(
    tmp_path: Path, arrivals: Arrivals, clock: Clock
) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_text("half")
    arrivals.changed([str(photo)])
    assert complete(arrivals) == [] and arrivals.seconds() == 1
    clock.now += 0.9
    photo.write_text("half of it")  # without an event
    clock.now += 0.2
    assert complete(arrivals) == []
    clock.now += 1
    assert complete(arrivals) == ["a.jpg"]


def test_a_photo_that_is_done_is_complete_again_only_if_it_changes(
    tmp_path: Path, arrivals: Arrivals, clock: Clock
) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_text("one")
    arrivals.scan()
    clock.now += 1
    shot = only(arrivals)
    assert arrivals.is_waiting and shot.path == str(photo)
    arrivals.done(shot)
    arrivals.scan()
    arrivals.changed([str(photo)])
    clock.now += 5
    assert not arrivals.is_waiting and complete(arrivals) == []
    (tmp_path / "a.xmp").write_text("a companion")
    arrivals.changed([str(tmp_path / "a.xmp")])
    clock.now += 1
    assert complete(arrivals) == ["a.jpg"]


def test_a_photo_of_an_earlier_run_is_not_complete(
    tmp_path: Path, arrivals: Arrivals, clock: Clock, done: set[str]
) -> None:
    done.add("a.jpg")
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (tmp_path / name).write_text(name)
    arrivals.scan()
    clock.now += 1
    assert complete(arrivals, 1) == ["b.jpg"]
    assert complete(arrivals) == ["c.jpg"]


def test_a_photo_that_has_not_changed_for_long_has_settled_at_the_start(
    tmp_path: Path, arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.jpg").write_text("x")
    monkeypatch.setattr("mnv2cli.watching.arrivals._age", lambda shot: 100.0)
    arrivals.scan()
    assert complete(arrivals) == ["a.jpg"]


def test_an_empty_file_waits(tmp_path: Path, arrivals: Arrivals, clock: Clock) -> None:
    (tmp_path / "a.jpg").touch()
    arrivals.scan()
    clock.now += 9
    assert complete(arrivals) == []
    clock.now += 1
    assert complete(arrivals) == ["a.jpg"]  # to be reported


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has leases")
def test_a_photo_that_a_program_has_open_for_writing_waits(
    tmp_path: Path, arrivals: Arrivals, clock: Clock
) -> None:
    with open(tmp_path / "a.jpg", "wb", buffering=0) as file:
        file.write(b"half")
        arrivals.scan()
        clock.now += 5
        assert complete(arrivals) == []
    clock.now += 1
    with open(tmp_path / "a.jpg", "rb"):  # readers do not matter
        assert complete(arrivals) == ["a.jpg"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has leases")
def test_a_photo_that_stays_open_for_writing_is_given_up_after_patience(
    tmp_path: Path, arrivals: Arrivals, clock: Clock
) -> None:
    (tmp_path / "a.jpg").write_bytes(b"photo")
    with open(tmp_path / "a.xmp", "wb", buffering=0) as file:
        file.write(b"half")
        arrivals.scan()
        clock.now += 9
        assert complete(arrivals) == [] == arrivals.give_up()
        clock.now += 1
        assert complete(arrivals) == []
        ((shot, why),) = arrivals.give_up()
    assert shot.path == str(tmp_path / "a.jpg")
    assert why == "another program has a.xmp open for writing"
    arrivals.scan()
    assert not arrivals.is_waiting


def test_a_photo_that_is_replaced_again_and_again_is_given_up_after_patience(
    tmp_path: Path, arrivals: Arrivals, clock: Clock
) -> None:
    photo, start, given_up = tmp_path / "a.jpg", clock.now, []
    for number in range(30):
        photo.write_text("x" * (20 - number % 3))
        if number % 2 == 0:
            arrivals.scan()
        assert complete(arrivals) == []
        if given_up := arrivals.give_up():
            break
        clock.now += 0.9
    assert [why for _, why in given_up] == ["still changing"]
    assert 10 <= clock.now - start < 12
    photo.write_text("and again")
    arrivals.scan()
    assert not arrivals.is_waiting


def test_a_photo_that_grows_slowly_is_not_given_up(
    tmp_path: Path, arrivals: Arrivals, clock: Clock
) -> None:
    photo = tmp_path / "a.jpg"
    for size in range(1, 30):
        photo.write_text("x" * size)
        arrivals.scan()
        clock.now += 0.9
        assert complete(arrivals) == [] == arrivals.give_up()
    clock.now += 1
    assert complete(arrivals) == ["a.jpg"]


def test_an_unreadable_photo_is_tried_again_and_reported_once(
    tmp_path: Path, arrivals: Arrivals, clock: Clock
) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_text("half")
    arrivals.scan()
    reports = tries = 0
    for _ in range(40):
        clock.now += 0.5
        for shot in arrivals.complete(10):
            tries += 1
            reports += arrivals.unreadable(shot)
    assert reports == 1 and 3 <= tries <= 6 and not arrivals.is_waiting
    photo.write_text("the whole photo")
    arrivals.changed([str(photo)])
    clock.now += 1
    assert complete(arrivals) == ["a.jpg"]


def test_a_photo_that_is_removed_is_forgotten(
    tmp_path: Path, arrivals: Arrivals, clock: Clock
) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_text("one")
    arrivals.scan()
    photo.unlink()
    clock.now += 1
    assert complete(arrivals) == [] and not arrivals.is_waiting
    photo.write_text("one")
    arrivals.scan()
    photo.unlink()
    arrivals.changed([str(photo)])
    assert not arrivals.is_waiting


def test_a_folder_that_appears_is_looked_through(
    tmp_path: Path, arrivals: Arrivals, clock: Clock
) -> None:
    (tmp_path / "new" / "deep").mkdir(parents=True)
    (tmp_path / "new" / "deep" / "a.jpg").write_text("x")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "b.jpg").write_text("x")
    arrivals.changed([str(tmp_path / "new"), str(tmp_path / ".hidden")])
    clock.now += 1
    assert complete(arrivals) == ["a.jpg"]


@pytest.mark.parametrize("name", ["settle", "patience", "rescan"])
def test_a_time_that_is_not_above_zero_is_an_error(name: str) -> None:
    with pytest.raises(InputError, match=f"{name} must be above 0"):
        WatchOptions(**{name: 0})  # type: ignore[arg-type]


def test_patterns_given_as_a_string_are_an_error() -> None:
    with pytest.raises(InputError, match="include must be a tuple"):
        WatchOptions(include="*.jpg")  # type: ignore[arg-type]
