"""Images in ZIP and TAR archives, intact, damaged or hostile."""

from __future__ import annotations

import io
import os
import tarfile
import threading
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import fsspec
import pytest

from mnv2cli.errors import InputError
from mnv2cli.images.reader import ImageReader
from mnv2cli.sources.remote import archive_containers, limits
from mnv2cli.sources.remote.fetch import fetch
from tests.conftest import image_bytes
from tests.sources.helpers import OPTIONS, SIZE, errors, fails, found, read


@pytest.mark.parametrize("url", ["zip://photos.zip", "tar://photos.tar", "tar://photos.tar.gz"])
def test_an_archive_is_walked_like_a_folder(archives: Path, url: str) -> None:
    scheme, _, name = url.partition("://")
    paths = found(url)
    assert paths == [
        f"{scheme}://{inner}::{name}"
        for inner in ("img2.png", "img10.png", "root.png", "../out.png", "./sub/a.png")
    ]
    assert found(paths[0], url) == paths  # each once
    assert [red for path in paths for red in [int(read(path)[48, 48, 0])]] == [1, 0, 5, 4, 2]
    assert found(f"{scheme}://sub::{name}") == [f"{scheme}://./sub/a.png::{name}"]
    assert found(f"{scheme}://img*::{name}") == paths[:2]
    assert found(f"{scheme}://**/a.png::{name}") == [f"{scheme}://./sub/a.png::{name}"]
    assert errors(f"{scheme}://none.png::{name}") == ["no such file: not in the archive"]
    assert sorted(os.listdir()) == ["photos.tar", "photos.tar.gz", "photos.zip"]


@pytest.mark.parametrize("url", ["zip://photos.zip", "tar://photos.tar.gz"])
def test_the_path_of_a_member_opens_it_with_fsspec(archives: Path, url: str) -> None:
    for path in found(url):
        if "root" in path:  # fsspec itself cannot open absolute names
            continue
        with fsspec.open(path) as file:
            data = file.read()
        with fetch(path) as file:
            assert file.read() == data


def test_an_archive_in_a_store_is_fetched_once(
    archives: Path, memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.pipe("/in/photos.zip", Path("photos.zip").read_bytes())
    with zipfile.ZipFile("outer.zip", "w") as pack:
        pack.write("photos.tar.gz", "in/photos.tar.gz")
    fetched: list[str] = []

    def record(url: str, **kwargs: Any) -> Any:
        fetched.append(url)
        return fetch(url, **kwargs)

    monkeypatch.setattr(archive_containers, "fetch", record)
    paths = found("zip://img*.png::memory://in/photos.zip")
    assert paths == [f"zip://img{n}.png::memory://in/photos.zip" for n in (2, 10)]
    assert [read(path)[0, 0, 0] for path in paths] == [1, 0]
    assert fetched.count("memory://in/photos.zip") == 1
    assert found("tar://::zip://in/photos.tar.gz::outer.zip")[1] == (
        "tar://img10.png::zip://in/photos.tar.gz::outer.zip"
    )
    assert read("tar://img10.png::zip://in/photos.tar.gz::outer.zip")[0, 0, 0] == 0


def test_damaged_archives_and_special_members_are_error_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"not a zip")
    assert errors(f"zip://{path}") == ["not a zip archive: in its archive, File is not a zip file"]
    assert errors(f"tar://{path}")[0].startswith("not a tar archive")
    (tmp_path / "b.tar.gz").write_bytes(b"\x1f\x8b" + b"x" * 50)
    assert errors(f"tar://{tmp_path}/b.tar.gz")[0].startswith("damaged: in its archive")
    with closing(tarfile.open(tmp_path / "c.tar", "w")) as pack:
        for name, kind in (("l.png", tarfile.SYMTYPE), ("d.png", tarfile.CHRTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            pack.addfile(info)
    assert fails(f"tar://l.png::{tmp_path}/c.tar") == "no such file"
    assert fails(f"tar://d.png::{tmp_path}/c.tar") == "not a regular file: a device or named pipe"
    with pytest.raises(InputError, match="does not name an archive"):
        found("zip://")


def test_decompression_bombs_are_refused_at_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FILE_LIMIT", 1 << 20)
    monkeypatch.setattr(limits, "ARCHIVE_LIMIT", 2 << 20)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("a.png", bytes(8 << 20))
    assert fails(f"zip://a.png::{tmp_path}/a.zip") == "file too large: over 1,048,576 bytes"
    with closing(tarfile.open(tmp_path / "a.tar.gz", "w:gz")) as tar:
        info = tarfile.TarInfo("a.png")
        info.size = 8 << 20
        tar.addfile(info, io.BytesIO(bytes(8 << 20)))
    assert errors(f"tar://{tmp_path}/a.tar.gz") == ["file too large: over 2,097,152 bytes"]


def test_members_are_read_by_many_threads_at_once(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as pack:
        for i in range(60):
            pack.writestr(f"{i}.png", image_bytes(i))
    paths = found(f"zip://{tmp_path}/a.zip")
    with ImageReader(SIZE, OPTIONS) as reader:
        for path in paths:
            reader.submit(path)
        assert [reader.decode(path)[0, 0, 0] for path in paths] == list(range(60))


def test_one_archive_does_not_wait_for_another(
    archives: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, started = threading.Event(), threading.Event()
    opened = archive_containers.open_container

    def slow(container: str, *args: Any) -> Any:
        if container.endswith("gz"):
            started.set()
            assert release.wait(10)
        return opened(container, *args)

    monkeypatch.setattr(archive_containers, "open_container", slow)
    thread = threading.Thread(target=found, args=("tar://photos.tar.gz",))
    thread.start()
    assert started.wait(10)
    assert read("zip://img2.png::photos.zip")[0, 0, 0] == 1
    release.set()
    thread.join()
