"""Images in stores, in the memory file system of fsspec."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import fsspec
import pytest

from mnv2cli.images.decode import decode
from mnv2cli.sources.finder import Finder
from mnv2cli.sources.options import Filters
from mnv2cli.sources.remote import limits, stores
from mnv2cli.sources.remote.fetch import fetch
from tests.conftest import image_bytes
from tests.sources.helpers import OPTIONS, SIZE, Invoke, errors, fails, found, read, table

pytestmark = [
    # botocore and moto's server on newer Pythons, and sockets that a stopped server leaves.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:botocore"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:moto"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:werkzeug"),
]


def test_a_prefix_is_walked_like_a_folder(memory: Any) -> None:
    for name in ("b10.jpg", "b9.JPG", "a/1.png", "a/x/2.png", "a2/3.gif", "n.txt", ".h.jpg"):
        memory.pipe(f"/p/{name}", b"")
    names = ["b9.JPG", "b10.jpg", "a/1.png", "a/x/2.png", "a2/3.gif"]
    assert found("memory://p") == found("memory://p/") == [f"memory://p/{n}" for n in names]
    assert found("memory://") == [f"memory://p/{n}" for n in names]
    assert found("memory://p", recursive=False) == ["memory://p/b9.JPG", "memory://p/b10.jpg"]
    assert found("memory://p", include=("a/**/*.png",)) == [
        "memory://p/a/1.png", "memory://p/a/x/2.png",
    ]  # fmt: skip
    assert found("memory://p", exclude=("a", "B*")) == ["memory://p/a2/3.gif"]
    assert "memory://p/n.txt" in found("memory://p", all_files=True)
    assert "memory://p/.h.jpg" in found("memory://p", hidden=True)
    skipped: dict[str, str] = {}
    options = Filters(recursive=False, exclude=("b9*",))
    list(Finder(["memory://p"], options, skipped.__setitem__))
    assert skipped == {
        "memory://p/a": "subfolder, with --no-recursive",
        "memory://p/a2": "subfolder, with --no-recursive",
        "memory://p/n.txt": "no image suffix",
        "memory://p/.h.jpg": "hidden",
        "memory://p/b9.JPG": "excluded by --exclude",
    }


@pytest.mark.parametrize(
    ("inputs", "wanted"),
    [
        (["memory://p", "memory://p/"], ["a.jpg", "q/b.jpg"]),
        (["memory://p", "memory://p/q/b.jpg"], ["a.jpg", "q/b.jpg"]),
        (["memory://p/q", "memory://p"], ["q/b.jpg", "a.jpg"]),
        (["memory://p/a.jpg", "memory://p/*.jpg", "memory://p"], ["a.jpg", "q/b.jpg"]),
    ],
)
def test_an_image_given_twice_is_found_once(
    memory: Any, inputs: list[str], wanted: list[str]
) -> None:
    memory.pipe({"/p/a.jpg": b"", "/p/q/b.jpg": b""})
    assert found(*inputs) == [f"memory://p/{name}" for name in wanted]


def test_globs_of_stores_are_expanded_in_walk_order(memory: Any) -> None:
    for name in ("x10.jpg", "x9.jpg", "n.txt", "q/c.jpg", "q/.h.jpg", "a[1].jpg", "a1.jpg"):
        memory.pipe(f"/p/{name}", b"")
    assert found("memory://p/x*") == ["memory://p/x9.jpg", "memory://p/x10.jpg"]
    assert found("memory://*/q") == ["memory://p/q/c.jpg"]
    assert found("memory://p/**/*.jpg", exclude=("a*",)) == [
        "memory://p/x9.jpg", "memory://p/x10.jpg", "memory://p/q/c.jpg",
    ]  # fmt: skip
    assert found("memory://p/a[1].jpg") == ["memory://p/a[1].jpg"]  # a file has that name
    assert found(listed=("memory://p/*.jpg",)) == ["memory://p/*.jpg"]  # never patterns
    skipped: dict[str, str] = {}
    assert not list(Finder(["memory://p/z*"], None, skipped.__setitem__))
    assert skipped == {"memory://p/z*": "pattern matches nothing"}


def test_a_missing_input_is_an_error_row(memory: Any) -> None:
    assert errors("memory://nowhere", "memory://nowhere/*/x.jpg") == ["no such file"]
    assert errors("memory://nowhere/") == ["folder cannot be listed: no such file"]
    assert fails("memory://nowhere/a.jpg") == "no such file"
    assert errors("zip://nowhere.zip") == errors("tar://nowhere.tar.gz") == ["no such file"]


def test_file_urls_are_local_files(photos: Path, tmp_path: Path) -> None:
    url = f"file://{photos}"
    assert found(url, "photos") == [
        f"{url}/img2.jpg", f"{url}/img10.png", f"{url}/sub/img1.webp",
    ]  # fmt: skip
    (photos / "up").symlink_to(tmp_path)
    assert len(found(url)) == 3
    assert len(found(url, follow_links=True)) == 3
    assert (read(f"{url}/img2.jpg") == decode("photos/img2.jpg", SIZE, OPTIONS)).all()
    os.mkfifo(photos / "pipe.jpg")
    assert fails(f"{url}/pipe.jpg") == "not a regular file: a named pipe"


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF", "GIF", "BMP"])
@pytest.mark.parametrize("spool", [100, 1 << 20])
def test_images_from_stores_are_decoded_like_local_ones(
    memory: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: str, spool: int
) -> None:
    monkeypatch.setattr(limits, "SPOOL", spool)
    save: dict[str, Any] = {"compression": "tiff_lzw"} if format == "TIFF" else {}
    (tmp_path / "a").write_bytes(image_bytes(format=format, **save))
    memory.pipe("/a.jpg", image_bytes(format=format, **save))
    assert (read("memory://a.jpg") == decode(str(tmp_path / "a"), SIZE, OPTIONS)).all()


def test_the_error_of_a_truncated_image_has_its_size(memory: Any) -> None:
    data = image_bytes(format="WEBP")
    memory.pipe("/a.webp", data[:-10])
    assert fails("memory://a.webp") == f"truncated: {len(data) - 10:,} of {len(data):,} bytes"
    memory.pipe("/e.webp", b"")
    assert fails("memory://e.webp") == "empty file: zero bytes"


def test_files_are_read_in_chunks_up_to_the_limit(
    memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = os.urandom(1000)
    memory.pipe("/a.jpg", data)
    monkeypatch.setattr(limits, "CHUNK", 100)
    with fetch("memory://a.jpg") as file:
        assert file.read() == data
    monkeypatch.setattr(limits, "FILE_LIMIT", 999)
    assert fails("memory://a.jpg") == "file too large: over 999 bytes"


def test_an_unknown_scheme_is_one_clear_error(invoke: Invoke) -> None:
    result = invoke("classify", "nonsense://x/a.jpg")
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "Error: cannot use 'nonsense://x/a.jpg': unknown scheme nonsense://",
        "Use a path, or a URL such as s3://, gs://, https://, zip:// or tar://.",
    ]


@pytest.mark.usefixtures("fake_engine")
def test_a_bad_url_in_a_list_is_one_error_row(
    memory: Any, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(url: str, **options: Any) -> Any:
        if "dead" in url:
            raise EOFError("the library's own words")
        return opened(url, **options)

    opened = fsspec.core.url_to_fs
    monkeypatch.setattr(fsspec.core, "url_to_fs", connect)
    memory.pipe("/a.png", image_bytes())
    urls = ["memory://a.png", "nonsense://u:secret@x", "ftp://dead/x.jpg", "zip://", "memory://b"]
    result = invoke("classify", "--files-from", "-", input="\n".join(urls))
    assert result.exit_code == 4 and "secret" not in result.stdout + result.stderr
    rows = table(result.stdout)
    assert [row["status"] for row in rows] == ["ok", *["error"] * 4]
    assert "unknown scheme nonsense://" in rows[1]["error"]
    assert invoke("classify", "ftp://dead/x.jpg").exit_code == 4


@pytest.mark.parametrize(
    ("url", "package", "library"),
    [("az://c/a.jpg", "adlfs", "adlfs"), ("sftp://h/a.jpg", "paramiko", "paramiko")],
)
def test_a_library_that_the_extra_does_not_install_is_named(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch, url: str, package: str, library: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    registry = importlib.import_module("fsspec.registry")
    monkeypatch.delitem(registry._registry, url.partition(":")[0], raising=False)
    monkeypatch.delitem(sys.modules, "fsspec.implementations.sftp", raising=False)
    result = invoke("classify", url)
    assert result.exit_code == 2
    error, hint = result.stderr.splitlines()
    assert error.endswith("requires a library that is not installed")
    assert package in hint and "mnv2cli[remote]" not in hint


def test_a_missing_library_is_one_clear_error(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    registry = importlib.import_module("fsspec.registry")
    monkeypatch.delitem(registry._registry, "s3", raising=False)
    result = invoke("classify", "s3://bucket/a.jpg")
    assert result.exit_code == 2 and "s3:// requires a library that is not inst" in result.stderr
    assert "pip install 'mnv2cli[remote]'" in result.stderr
    stores.require_fsspec.cache_clear()
    monkeypatch.setitem(sys.modules, "tenacity", None)
    result = invoke("classify", "memory://a.jpg")
    assert (
        result.exit_code == 2 and "URLs require tenacity, which is not installed" in result.stderr
    )
