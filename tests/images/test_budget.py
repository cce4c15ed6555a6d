"""Large images take turns: in memory, in time limits, and in separate processes."""

from __future__ import annotations

import io
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnv2cli.images import budget
from mnv2cli.images.budget import SMALL, MemoryBudget, memory_for
from mnv2cli.images.decode import decode
from mnv2cli.images.formats import FORMATS, JPEG
from mnv2cli.images.isolated import IsolatedDecoders
from mnv2cli.images.options import ImageOptions
from mnv2cli.images.signatures import in_scans
from tests.images.pixels import COLOUR

LONG = 20.0


class Holder(threading.Thread):
    """Holds memory until it is released."""

    def __init__(self, shared: MemoryBudget, size: int, limit: float = 0.0) -> None:
        super().__init__(daemon=True)
        self._shared, self._size, self._limit = shared, size, limit
        self.has_it, self.release = threading.Event(), threading.Event()
        self.start()

    def run(self) -> None:
        with self._shared.hold(self._size, self._limit):
            self.has_it.set()
            self.release.wait(LONG)

    def end(self) -> None:
        self.release.set()
        self.join(LONG)
        assert not self.is_alive()


def until_waiting(shared: MemoryBudget, thread: threading.Thread) -> None:
    for _ in range(2000):
        if shared.is_waiting(thread):
            return
        thread.join(0.01)
    raise AssertionError("it does not wait")


def test_an_image_waits_until_others_leave_enough() -> None:
    shared = MemoryBudget(10 * SMALL, 9)
    first, second = Holder(shared, 6 * SMALL), Holder(shared, 4 * SMALL)
    assert first.has_it.wait(LONG) and second.has_it.wait(LONG)
    third = Holder(shared, 5 * SMALL)
    until_waiting(shared, third)
    second.end()
    assert not third.has_it.is_set()
    first.end()
    assert third.has_it.wait(LONG) and not shared.is_waiting(third)
    third.end()


def test_no_more_large_images_than_cores_are_decoded_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for cores, wanted in ((1, 2), (3, 3)):
        monkeypatch.setattr(budget, "usable_cores", lambda cores=cores: cores)
        shared = MemoryBudget(100 * SMALL)
        holders = [Holder(shared, SMALL) for _ in range(wanted)]
        assert all(holder.has_it.wait(LONG) for holder in holders)
        extra = Holder(shared, SMALL)
        until_waiting(shared, extra)
        holders.pop().end()
        assert extra.has_it.wait(LONG)
        for holder in [*holders, extra]:
            holder.end()


def test_an_image_over_the_budget_is_decoded_alone() -> None:
    shared = MemoryBudget(2 * SMALL)
    giant = Holder(shared, 100 * SMALL)
    assert giant.has_it.wait(LONG)
    other = Holder(shared, SMALL)
    until_waiting(shared, other)
    giant.end()
    assert other.has_it.wait(LONG)
    other.end()


def test_images_take_turns_in_order_and_small_ones_never_wait() -> None:
    shared = MemoryBudget(4 * SMALL)
    first = Holder(shared, 3 * SMALL)
    assert first.has_it.wait(LONG)
    large = Holder(shared, 4 * SMALL)
    until_waiting(shared, large)
    later = Holder(shared, SMALL)  # would fit, but large ones must not wait forever
    until_waiting(shared, later)
    with shared.hold(SMALL - 1):
        pass
    first.end()
    assert large.has_it.wait(LONG)
    large.end()
    assert later.has_it.wait(LONG)
    later.end()


def test_the_memory_of_an_abandoned_thread_is_free_after_its_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(budget, "_STEP", 0.01)
    shared = MemoryBudget(SMALL)
    stuck = Holder(shared, SMALL, limit=0.05)
    assert stuck.has_it.wait(LONG)
    with shared.hold(SMALL):
        assert stuck.is_alive()
    stuck.end()


def test_the_budget_is_a_share_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for machine, wanted in ((2 << 30, 1 << 30), (64 << 30, 8 << 30)):
        monkeypatch.setattr(budget, "memory", lambda machine=machine: machine)
        assert MemoryBudget().total == wanted


def test_estimates_follow_the_size_that_is_decoded(tmp_path: Path) -> None:
    image = Image.new("RGB", (3000, 2000), COLOUR)
    image.save(tmp_path / "a.jpg")
    image.save(tmp_path / "b.jpg", progressive=True)
    pixels = 3000 * 2000
    needed = {}
    for name in ("a.jpg", "b.jpg"):
        with open(tmp_path / name, "rb") as file:
            opened = JPEG.open(file)
            needed[name, "full"] = memory_for(opened, JPEG, pixels)
            opened.draft(None, (256, 256))
            needed[name, "draft"] = memory_for(opened, JPEG, pixels)
    assert needed["a.jpg", "full"] == 8 * pixels
    assert needed["a.jpg", "draft"] < pixels < 6 * pixels < needed["b.jpg", "draft"]
    heic = next(each for each in FORMATS if each.name == "HEIC")
    assert memory_for(Image.new("RGB", (100, 100)), heic, 10_000) >= 80_000
    assert memory_for(Image.new("F", (100, 100)), heic, 10_000) >= 200_000


def test_a_jpeg_in_scans_takes_as_much_as_a_progressive_one(tmp_path: Path) -> None:
    image = Image.new("RGB", (60, 40), COLOUR)
    one, several = tmp_path / "one.jpg", tmp_path / "several.jpg"
    image.save(one, comment=b"x" * 700)
    image.save(several, progressive=True)
    for path, wanted in ((one, False), (several, False)):  # a progressive one says so itself
        with open(path, "rb") as file:
            assert in_scans(file) is wanted
    data = bytearray(one.read_bytes())
    scan = data.index(b"\xff\xda")
    data[scan + 4] = 1  # the first scan has one of three colours
    assert in_scans(io.BytesIO(bytes(data))) and not in_scans(io.BytesIO(bytes(data[:300])))
    opened = JPEG.open(io.BytesIO(one.read_bytes()))
    plain = memory_for(opened, JPEG, 2400)
    opened.info["progressive"] = 1
    assert memory_for(opened, JPEG, 2400) == plain + 6 * 2400
    cmyk = Image.new("CMYK", (60, 40))
    cmyk.info["progressive"] = 1
    assert memory_for(cmyk, JPEG, 2400) == (12 + 8) * 2400
    keyed = Image.new("RGB", (60, 40))
    keyed.info["transparency"] = (0, 0, 0)
    assert memory_for(keyed, JPEG, 2400) > 12 * 2400


def draw_large(path: Path) -> Path:
    Image.fromarray(np.full((3000, 3000, 3), COLOUR, np.uint8)).save(path)
    return path


def test_decoding_reserves_memory_while_it_lasts(tmp_path: Path) -> None:
    path = draw_large(tmp_path / "a.bmp")
    shared = MemoryBudget(SMALL)
    other = Holder(shared, SMALL)
    assert other.has_it.wait(LONG)
    done: list[object] = []
    thread = threading.Thread(
        target=lambda: done.append(decode(str(path), 32, ImageOptions(), shared.hold)), daemon=True
    )
    thread.start()
    until_waiting(shared, thread)
    assert not done
    other.end()
    thread.join(LONG)
    assert len(done) == 1


def test_isolated_decoders_wait_for_memory_without_running_out_of_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = draw_large(tmp_path / "a.bmp")
    shared = MemoryBudget(SMALL)
    monkeypatch.setattr("mnv2cli.images.isolated.DECODING", shared)
    other = Holder(shared, SMALL)
    assert other.has_it.wait(LONG)
    done: list[object] = []
    with closing(IsolatedDecoders(32, ImageOptions(timeout=1.0))) as decoders:
        thread = threading.Thread(target=lambda: done.append(decoders(str(path))), daemon=True)
        thread.start()
        until_waiting(shared, thread)
        thread.join(1.5)  # longer than the limit
        assert shared.is_waiting(thread)
        other.end()
        thread.join(LONG)
    assert np.array_equal(done[0], decode(str(path), 32, ImageOptions()))
