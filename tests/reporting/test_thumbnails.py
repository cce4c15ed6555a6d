"""Thumbnails of many photos: in order, however long each takes, and whatever is wrong with it."""

from __future__ import annotations

import errno
import io
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mnv2cli.errors import ImageError
from mnv2cli.images.options import ImageOptions
from mnv2cli.records import Record
from mnv2cli.reporting.places import Places
from mnv2cli.reporting.spool import ThumbnailSpool
from mnv2cli.reporting.thumbnails import (
    AHEAD,
    Thumbnail,
    ThumbnailSource,
    make_thumbnails,
    thumbnails_in_order,
)
from tests.conftest import draw


class Reader:
    """Returns the path as thumbnail; ``slow`` takes longer, ``hang`` does not end."""

    def __init__(self) -> None:
        self.before_process: Callable[[], None] = lambda: None
        self.ended = threading.Event()
        self.read: list[str] = []
        self.waited: list[str] = []

    def submit(self, path: str) -> None:
        pass

    def wait(self, path: str) -> None:
        if "refused" in path:
            raise ImageError("cannot be fetched")

    def thumbnail(self, path: str) -> bytes:
        self.read.append(path)
        if "slow" in path:
            time.sleep(0.05)
        if "hang" in path:
            self.ended.wait(30)
            self.waited.append(path)
        if "bad" in path:
            raise ImageError("damaged", "JPEG")
        if "bug" in path:
            raise KeyError(path)
        return path.encode()

    def close(self) -> None:
        self.ended.set()


@pytest.fixture
def reader() -> Iterator[Reader]:
    reader = Reader()
    yield reader
    reader.close()


def made(
    reader: Reader, paths: list[str], limit: float = 0.0, **options: int
) -> list[Thumbnail | None]:
    records = [Record(path) for path in paths]
    source = ThumbnailSource(reader, Places())
    return list(thumbnails_in_order(records, source, limit, lambda *each: None, **options))


def test_thumbnails_come_in_order(reader: Reader) -> None:
    paths = [f"{'slow' if i % 7 == 0 else 'a'}{i}" for i in range(60)]
    assert made(reader, paths, threads=8) == [path.encode() for path in paths]


def test_a_photo_that_cannot_be_read_yields_the_reason(reader: Reader) -> None:
    assert made(reader, ["a", "bad", "bug", "refused", "b"]) == [
        b"a", "damaged: JPEG", "cannot be read: KeyError", "cannot be fetched", b"b",
    ]  # fmt: skip


def test_photos_that_hang_are_abandoned_and_the_others_are_made(reader: Reader) -> None:
    paths = ["hang1", "hang2", "a", "hang3", "b"]
    assert made(reader, paths, 0.3, threads=2) == [
        "took too long: over 0.3 seconds", "took too long: over 0.3 seconds", b"a",
        "took too long: over 0.3 seconds", b"b",
    ]  # fmt: skip


def test_a_process_has_its_own_time_limit(reader: Reader) -> None:
    class WithProcess(Reader):
        def thumbnail(self, path: str) -> bytes:
            self.before_process()
            time.sleep(0.8)
            return b"a"

    assert made(WithProcess(), ["a"], 0.2) == [b"a"]


def test_only_a_window_is_made_ahead(reader: Reader) -> None:
    taken: list[int] = []

    def records() -> Iterator[Record]:
        for i in range(10 * AHEAD):
            taken.append(i)
            yield Record(f"a{i}")

    source = ThumbnailSource(reader, Places())
    with closing(thumbnails_in_order(records(), source, 0.0, lambda *each: None)) as found:
        assert next(found) == b"a0"
        assert len(taken) <= AHEAD + 1


def test_known_thumbnails_and_errors_need_no_decoding(reader: Reader) -> None:
    records = [Record("a", thumbnail=b"known"), Record("b", error="damaged: PNG"), Record("c")]
    seen: list[tuple[str, Thumbnail]] = []
    source = ThumbnailSource(reader, Places())
    found = thumbnails_in_order(
        records, source, 0.0, lambda record, result: seen.append((record.path, result))
    )
    assert list(found) == [b"known", "damaged: PNG", b"c"]
    assert reader.read == ["c"]
    assert seen == [("a", b"known"), ("b", "damaged: PNG"), ("c", b"c")]


def test_an_interrupt_ends_at_once(reader: Reader) -> None:
    source = ThumbnailSource(reader, Places())
    found = thumbnails_in_order(
        [Record("a"), Record("hang")], source, 0.0, lambda *each: None, threads=1
    )
    assert next(found) == b"a"
    found.close()
    assert not reader.waited  # the photo is still being read


@pytest.mark.parametrize("isolate", [False, True])
def test_photos_are_read_from_disk(tmp_path: Path, isolate: bool) -> None:
    draw(tmp_path / "a.png", (200, 10, 10))
    (tmp_path / "text.jpg").write_text("hello")
    records = [Record("a.png"), Record("text.jpg"), Record("gone.jpg"), Record("a.png")]
    places = Places(str(tmp_path))
    found = list(make_thumbnails(records, places, ImageOptions(isolate=isolate)))
    first, last = found[0], found[3]
    assert isinstance(first, bytes) and first == last
    assert Image.open(io.BytesIO(first)).format == "WEBP"
    assert found[1:3] == ["not an image: a text file", "no such file"]


def test_a_url_without_the_libraries_for_it_yields_the_reason() -> None:
    code = (
        "import sys; sys.modules['fsspec'] = None\n"
        "from mnv2cli.records import Record\n"
        "from mnv2cli.reporting.places import Places\n"
        "from mnv2cli.reporting.thumbnails import make_thumbnails\n"
        "records = [Record('s3://bucket/a.jpg'), Record('https://localhost/a.jpg')]\n"
        "print(*make_thumbnails(records, Places()), sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found = done.stdout.splitlines()
    assert len(found) == 2
    assert all(each.startswith("cannot be read: URLs require fsspec") for each in found)


def test_limits_hold(tmp_path: Path) -> None:
    draw(tmp_path / "a.png", (200, 10, 10))
    found = list(
        make_thumbnails([Record("a.png")], Places(str(tmp_path)), ImageOptions(max_pixels=9))
    )
    assert isinstance(found[0], str) and found[0].startswith("too many pixels")


def test_a_spool_returns_what_was_added(tmp_path: Path) -> None:
    with closing(ThumbnailSpool(str(tmp_path))) as spool:
        for i in range(50):
            spool.add(f"{i}", bytes([i]) * (i + 1))
        spool.add("3", b"other")
        assert spool.find(Record("3")) == bytes([3]) * 4
        assert spool.find(Record("49")) == bytes([49]) * 50
        assert spool.find(Record("none")) is None
    assert not list(tmp_path.iterdir())


def test_a_spool_in_a_folder_that_is_gone_forgets(tmp_path: Path) -> None:
    with closing(ThumbnailSpool(str(tmp_path / "none"))) as spool:
        spool.add("a", b"a")
        assert spool.find(Record("a")) is None


class FullDisk(io.FileIO):
    """A file that has space for ten bytes."""

    def write(self, data: Any) -> int:
        if self.tell() >= 10:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(memoryview(data)[: 10 - self.tell()])


def test_a_spool_on_a_full_disk_has_what_was_stored_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def temporary(dir: str, buffering: int = -1) -> Any:
        raw = FullDisk(f"{dir}/file", "x+b")
        return io.BufferedRandom(raw) if buffering else raw

    monkeypatch.setattr(tempfile, "TemporaryFile", temporary)
    with closing(ThumbnailSpool(str(tmp_path))) as spool:
        for name in ("a", "b", "c"):
            spool.add(name, name.encode() * 6)
        found = [spool.find(Record(name)) for name in ("a", "b", "c")]
    assert found == [b"a" * 6, None, None]


def test_records_pass_a_spool_without_their_thumbnails(tmp_path: Path) -> None:
    with closing(ThumbnailSpool(str(tmp_path))) as spool:
        records = [Record("a", thumbnail=b"a"), Record("b", error="empty file")]
        assert list(spool.passing(records)) == [Record("a"), records[1]]
        assert spool.find(Record("a")) == b"a" and spool.find(Record("b")) is None
