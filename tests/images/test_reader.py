"""The reader of images: remote ones are fetched ahead of their turn."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from mnv2cli.errors import ImageError
from mnv2cli.images.options import ImageOptions
from mnv2cli.images.reader import ImageReader
from mnv2cli.records import Source
from mnv2cli.sources.remote import limits, stores
from tests.conftest import image_bytes
from tests.hosts import Site, answer, hold

SIZE = 96
OPTIONS = ImageOptions()


def test_files_are_fetched_ahead_at_the_same_time(site: Site) -> None:
    together = threading.Barrier(8, timeout=5)

    def meet(request: BaseHTTPRequestHandler) -> None:
        together.wait()
        answer(image_bytes())(request)

    paths = [f"{site.url}/{i}.png" for i in range(8)]
    site.pages = {f"/{i}.png": meet for i in range(8)}
    with ImageReader(SIZE, OPTIONS, at_once=8) as reader:
        sources = list(reader.ahead(map(Source, paths)))
        assert [reader.decode(source.path).shape for source in sources] == [(96, 96, 3)] * 8
    assert not together.broken


def test_images_are_fetched_ahead_up_to_the_limit(site: Site) -> None:
    site.pages = {f"/{i}.png": answer(image_bytes(i)) for i in range(20)}
    paths = [f"{site.url}/{i}.png" for i in range(20)]
    with ImageReader(SIZE, OPTIONS, ahead=4, at_once=2) as reader:
        for path in paths:
            reader.submit(path)
        deadline = time.monotonic() + 5
        while len(site.requests) < 4 and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.1)
        assert len(site.requests) == 4
        # Requested in any order, none waits for its turn.
        assert [reader.decode(p)[0, 0, 0] for p in reversed(paths)] == [*reversed(range(20))]
        assert reader.decode(paths[0])[0, 0, 0] == 0  # also without being submitted
    assert max(site.requests.values()) == 2 and site.requests.total() == 21


def test_the_same_image_may_be_requested_repeatedly(memory: Any) -> None:
    memory.pipe("/a.png", image_bytes())
    with ImageReader(SIZE, OPTIONS) as reader:
        for _ in range(3):
            reader.submit("memory://a.png")
        assert {reader.decode("memory://a.png").shape for _ in range(3)} == {(96, 96, 3)}


def test_a_library_that_hangs_times_out(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(limits, "REQUEST_SECONDS", 0.05)
    monkeypatch.setattr(limits, "CHUNK", 1)
    monkeypatch.setattr(stores.StoreFileSystem, "read", lambda *args: release.wait(10))
    try:
        with ImageReader(SIZE, OPTIONS, at_once=1) as reader:
            reader.submit("memory://a.png")
            reader.submit("memory://b.png")
            with pytest.raises(ImageError, match="timed out"):
                reader.decode("memory://a.png")
    finally:
        release.set()


def test_a_library_that_hangs_times_out_for_images_beyond_the_limits(
    memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()
    monkeypatch.setattr(limits, "REQUEST_SECONDS", 0.05)
    monkeypatch.setattr(limits, "CHUNK", 1)
    monkeypatch.setattr(stores.StoreFileSystem, "read", lambda *args: release.wait(10))
    try:
        with ImageReader(SIZE, OPTIONS, at_once=1, ahead=1) as reader:
            for i in range(3):
                reader.submit(f"memory://{i}.png")
            for i in (2, 1, 0, 7):
                with pytest.raises(ImageError, match="timed out"):
                    reader.decode(f"memory://{i}.png")
    finally:
        release.set()


def test_bytes_are_fetched_ahead_up_to_the_limit(
    memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mnv2cli.images.reader.MAX_BUFFERED_BYTES", 150_000)
    for i in range(9):
        memory.pipe(f"/{i}.bmp", image_bytes(i) + bytes(100_000))
    with ImageReader(SIZE, OPTIONS, at_once=1) as reader:
        for i in range(9):
            reader.submit(f"memory://{i}.bmp")
        time.sleep(0.5)
        assert sum(job.size for jobs in reader._jobs.values() for job in jobs) < 300_000
        assert [reader.decode(f"memory://{i}.bmp")[0, 0, 0] for i in range(9)] == list(range(9))
        assert reader._bytes == 0


def test_closing_ends_waiting_calls(site: Site) -> None:
    release = threading.Event()
    site.pages["/a.png"] = hold(release)
    reader = ImageReader(SIZE, OPTIONS)
    reader.submit(f"{site.url}/a.png")
    threading.Timer(0.2, reader.close).start()
    with pytest.raises(ImageError, match="not read"):
        reader.decode(f"{site.url}/a.png")
    assert not release.is_set()  # the host has not answered yet
    release.set()
