"""Raw photos are decoded in separate processes, other images in this one."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from mnv2cli.errors import ImageError
from mnv2cli.images import raw_reader
from mnv2cli.images.decode import decode
from mnv2cli.images.options import ImageOptions
from mnv2cli.images.reader import ImageReader
from mnv2cli.sorting.dates import date_reader
from tests.conftest import FakeEngine, draw
from tests.decoders import children, command
from tests.images.camera_raws import CAMERAS, DATE, Shot, cr2, dng, jpeg, raf
from tests.images.pixels import quadrants

SIZE = 32
OPTIONS = ImageOptions(timeout=1)
PHOTO = quadrants((96, 64))
SHOT = Shot(PHOTO, (jpeg(PHOTO, (90, 60)),))

needs_reader = pytest.mark.skipif(
    not raw_reader.is_available(), reason="needs the extra: pip install 'mnv2cli[raw]'"
)


@pytest.fixture
def no_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mnv2cli.images.raw_reader.is_available", lambda: False)


def written(folder: Path, name: str, data: bytes | None = None) -> str:
    path = folder / name
    path.write_bytes(dng(SHOT) if data is None else data)
    return str(path)


def reason(reader: ImageReader, path: str) -> str:
    with pytest.raises(ImageError) as caught:
        reader.decode(path)
    return str(caught.value)


@needs_reader
def test_a_process_starts_at_the_first_raw_photo_and_ends_with_the_reader(tmp_path: Path) -> None:
    before, started = children(), []
    image = str(draw(tmp_path / "a.png"))
    preview = written(tmp_path, "a.jpg", SHOT.previews[0])
    wanted = decode(preview, SIZE, OPTIONS)
    with ImageReader(SIZE, OPTIONS) as reader:
        reader.before_process = lambda: started.append(children() - before)
        reader.decode(image)
        assert children() == before and not started
        for name in CAMERAS:
            path = written(tmp_path, name, CAMERAS[name](SHOT))
            assert np.array_equal(reader.decode(path), wanted)
        reader.decode(image)
        assert len(children() - before) == 1
        assert started[0] == set() and len(started) == len(CAMERAS)
    assert children() == before
    assert reason(reader, path) == "not decoded: the run has ended"


@needs_reader
@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("boom.dng", "crashed the decoder: signal 11, SIGSEGV"),
        ("hang.dng", "took too long: over 1 second"),
        ("greedy.dng", "not enough memory"),
    ],
)
def test_a_raw_photo_that_ends_its_process_is_an_error_and_the_next_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, error: str
) -> None:
    monkeypatch.setattr("mnv2cli.images.isolated.default_command", command)
    with ImageReader(SIZE, OPTIONS) as reader:
        for _ in range(2):
            assert reason(reader, written(tmp_path, name)) == error
            assert reader.decode(written(tmp_path, "good.dng")).shape == (SIZE, SIZE, 3)


@needs_reader
def test_a_process_that_cannot_be_started_costs_raw_photos_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mnv2cli.images.isolated.default_command", lambda: ["/nowhere/python"])
    with ImageReader(SIZE, OPTIONS) as reader:
        found = reason(reader, written(tmp_path, "a.dng"))
        assert found.startswith("not decoded: cannot start a decoding process: ")
        reader.decode(str(draw(tmp_path / "a.png")))


@needs_reader
def test_damaged_raw_photos_have_the_reasons_of_other_images(tmp_path: Path) -> None:
    bare = cr2(Shot(PHOTO))
    with ImageReader(SIZE, OPTIONS) as reader:
        assert reason(reader, written(tmp_path, "a", bare[:-900])).startswith("truncated: ")
        short = reason(reader, written(tmp_path, "a", b"FUJIFILMCCD-RAW 0201"))
        assert short.split(":")[0] in ("truncated", "cannot be decoded")


@needs_reader
def test_remote_raw_photos_are_read(memory: Any) -> None:
    memory.pipe("/a.dng", dng(SHOT))
    memory.pipe("/b.dng", dng(Shot(PHOTO)))
    with ImageReader(SIZE, OPTIONS) as reader:
        for path in ("memory://a.dng", "memory://b.dng"):
            reader.submit(path)
            reader.wait(path)
            assert reader.decode(path).shape == (SIZE, SIZE, 3)


@needs_reader
@pytest.mark.parametrize("isolate", [False, True])
def test_dates_are_read(tmp_path: Path, isolate: bool) -> None:
    before = children()
    with date_reader(ImageOptions(isolate=isolate)) as taken:
        for name, camera in CAMERAS.items():
            assert taken(written(tmp_path, name, camera(SHOT))) == DATE
    assert children() == before


def test_without_the_reader_the_error_names_it(tmp_path: Path, no_reader: None) -> None:
    before = children()
    path = written(tmp_path, "a.cr2", cr2(SHOT))
    with ImageReader(SIZE, OPTIONS) as reader:
        assert reason(reader, path) == (
            "not supported: raw photo (CR2); install the reader with: pip install 'mnv2cli[raw]'"
        )
    with date_reader(OPTIONS) as taken:
        assert taken(path) == DATE
        assert taken(written(tmp_path, "a.raf", raf(SHOT))) == ""
    assert children() == before


def rows(result: Result) -> dict[str, str]:
    lines = csv.DictReader(io.StringIO(result.stdout))
    return {os.path.basename(row["path"]): row["error"] for row in lines}


def test_raw_photos_in_folders_without_the_reader_have_a_row(
    photos: Path, fake_engine: FakeEngine, invoke: Callable[..., Result], no_reader: None
) -> None:
    written(photos, "IMG_1.CR2", cr2(SHOT))
    result = invoke("classify", photos, "-q", "-f", "csv")
    assert result.exit_code == 4
    assert rows(result)["IMG_1.CR2"].endswith(
        "; install the reader with: pip install 'mnv2cli[raw]'"
    )
    assert [error for error in rows(result).values() if error] == [rows(result)["IMG_1.CR2"]]


@needs_reader
@pytest.mark.parametrize("isolate", [[], ["--isolate"]])
def test_a_folder_with_raw_photos_is_classified(
    hostile: Path, fake_engine: FakeEngine, invoke: Callable[..., Result], isolate: list[str]
) -> None:
    folder = hostile / "raws"
    draw(folder / "a.png")
    for name in ("boom.dng", "hang.dng", "IMG_1.CR2", "IMG_2.dng"):
        written(folder, name)
    before = children()
    result = invoke("classify", folder, "-q", "-f", "csv", "--timeout", "1", *isolate)
    assert rows(result) == {
        "a.png": "",
        "boom.dng": "crashed the decoder: signal 11, SIGSEGV",
        "hang.dng": "took too long: over 1 second",
        "IMG_1.CR2": "",
        "IMG_2.dng": "",
    }
    assert children() == before
