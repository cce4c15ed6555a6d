"""Images in stores, on web servers and in archives, behaving or not; all on this machine."""

from __future__ import annotations

import csv
import importlib
import io
import os
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
from click.testing import Result
from PIL import Image

from mnv2cli.errors import ImageError, InputError, OutputError
from mnv2cli.images.decode import decode
from mnv2cli.images.options import ImageOptions
from mnv2cli.images.reader import ImageReader
from mnv2cli.inference.classifier import Classifier
from mnv2cli.records import Source
from mnv2cli.sources import remote
from mnv2cli.sources.finder import Finder
from mnv2cli.sources.options import Filters
from mnv2cli.sources.urls import is_url, redact
from tests.conftest import FakeEngine, draw
from tests.hosts import answer, host

Invoke = Callable[..., Result]

SIZE = 96
OPTIONS = ImageOptions()

pytestmark = [
    # botocore and moto's server on newer Pythons, and sockets that a stopped server leaves.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:botocore"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:moto"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:werkzeug"),
]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait shortly, and begin with places and archives that nobody used before."""
    monkeypatch.setattr(remote, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(remote, "LONGEST_WAIT", 0.05)
    monkeypatch.setattr(remote, "_places", {})
    remote._archives.clear()


@pytest.fixture
def memory() -> Iterator[Any]:
    fs = fsspec.filesystem("memory")
    fs.store.clear()
    fs.pseudo_dirs[:] = [""]
    yield fs
    fs.store.clear()
    fs.pseudo_dirs[:] = [""]


def picture(red: int = 7, form: str = "PNG", **save: Any) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (40, 30), (red, 9, 0)).save(stream, form, **save)
    return stream.getvalue()


def found(*inputs: str | Path, listed: tuple[str, ...] = (), **options: Any) -> list[str]:
    return [s.path for s in Finder(map(str, inputs), Filters(**options), listed=listed)]


def errors(*inputs: str) -> list[str]:
    return [source.error for source in Finder(inputs)]


def read(url: str) -> np.ndarray[Any, Any]:
    with ImageReader(SIZE, OPTIONS) as fetcher:
        return fetcher.decode(url)


def fails(url: str) -> str:
    with pytest.raises(ImageError) as caught:
        read(url)
    return str(caught.value)


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


# URLs


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("s3://b/a.jpg", True),
        ("HTTPS://h/a.jpg", True),
        ("C://photos/a.jpg", False),
        ("photos/a.jpg", False),
        ("://a", False),
        ("a b://c", False),
        ("", False),
    ],
)
def test_urls_are_told_from_local_names(text: str, wanted: bool) -> None:
    assert is_url(text) is wanted


def test_a_local_file_named_like_a_url_is_local(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    draw(tmp_path / "s3:" / "b" / "a.jpg")
    assert not is_url("s3://b/a.jpg")
    assert found("s3://b/a.jpg", "s3://b") == ["s3://b/a.jpg"]
    assert read("s3://b/a.jpg").shape == (96, 96, 3)


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("https://u:secret@h/a.jpg", "https://***@h/a.jpg"),
        ("https://token@h/a.jpg?x=1", "https://***@h/a.jpg?x=1"),
        ("https://u:p@ss@h/@a.jpg", "https://***@h/@a.jpg"),
        (
            "https://h/a.jpg?X-Amz-Credential=A%2Fb&X-Amz-Date=1&X-Amz-Signature=abc",
            "https://h/a.jpg?X-Amz-Credential=***&X-Amz-Date=1&X-Amz-Signature=***",
        ),
        ("https://h/a?sv=1&sig=x%3D#f", "https://h/a?sv=1&sig=***#f"),
        ("zip://a.jpg::https://u:s@h/z.zip?token=t", "zip://a.jpg::https://***@h/z.zip?token=***"),
        ("no such https://u:s@h/a: x", "no such https://***@h/a: x"),
        ("s3://b/me@home/a=b.jpg", "s3://b/me@home/a=b.jpg"),
        ("zip://a@2x.png::z.zip", "zip://a@2x.png::z.zip"),
        ("memory://a@b.jpg", "memory://a@b.jpg"),
        ("zip://a@b.png::ftp://u:s@h/z.zip", "zip://a@b.png::ftp://***@h/z.zip"),
        ("ftp://u:my pass@h/a.jpg", "ftp://***@h/a.jpg"),
        ("https://h/a.jpg#access_token=t", "https://h/a.jpg#access_token=***"),
        ("https://h/a.jpg?id=3&w=10", "https://h/a.jpg?id=3&w=10"),
        ("a?token=x", "a?token=x"),
    ],
)
def test_secrets_of_urls_are_not_shown(url: str, wanted: str) -> None:
    assert redact(url) == wanted


def test_local_runs_import_no_remote_library() -> None:
    code = (
        "import sys, mnv2cli.cli, mnv2cli.inference.classifier;"
        "from mnv2cli.sources.finder import Finder;"
        "list(Finder(['.'], listed=['a.jpg', 'x/y:z']));"
        "print([m for m in ('fsspec', 's3fs', 'aiohttp', 'tenacity', 'botocore') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# Stores, by fsspec's own memory


def test_a_prefix_is_walked_as_a_folder_is(memory: Any) -> None:
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
    told: dict[str, str] = {}
    options = Filters(recursive=False, exclude=("b9*",))
    list(Finder(["memory://p"], options, told.__setitem__))
    assert told == {
        "memory://p/a": "a folder, and --no-recursive was given",
        "memory://p/a2": "a folder, and --no-recursive was given",
        "memory://p/n.txt": "no image suffix",
        "memory://p/.h.jpg": "hidden",
        "memory://p/b9.JPG": "left out by --exclude",
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
    assert found("memory://p/a[1].jpg") == ["memory://p/a[1].jpg"]  # it is there as it is
    assert found(listed=("memory://p/*.jpg",)) == ["memory://p/*.jpg"]  # never patterns
    told: dict[str, str] = {}
    assert not list(Finder(["memory://p/z*"], None, told.__setitem__))
    assert told == {"memory://p/z*": "the pattern matches nothing"}


def test_what_is_not_there_is_an_error_row(memory: Any) -> None:
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


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF", "GIF", "BMP"])
@pytest.mark.parametrize("spool", [100, 1 << 20])
def test_images_from_stores_decode_as_local_ones(
    memory: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, spool: int
) -> None:
    monkeypatch.setattr(remote, "SPOOL", spool)
    save = {"compression": "tiff_lzw"} if form == "TIFF" else {}
    (tmp_path / "a").write_bytes(picture(form=form, **save))
    memory.pipe("/a.jpg", picture(form=form, **save))
    assert (read("memory://a.jpg") == decode(str(tmp_path / "a"), SIZE, OPTIONS)).all()


def test_a_truncated_image_says_how_much_is_there(memory: Any) -> None:
    data = picture(form="WEBP")
    memory.pipe("/a.webp", data[:-10])
    assert fails("memory://a.webp") == f"truncated: {len(data) - 10:,} of {len(data):,} bytes"
    memory.pipe("/e.webp", b"")
    assert fails("memory://e.webp") == "empty file: zero bytes"


def test_files_are_read_in_pieces_up_to_the_limit(
    memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = os.urandom(1000)
    memory.pipe("/a.jpg", data)
    monkeypatch.setattr(remote, "_CHUNK", 100)
    with remote.fetch("memory://a.jpg") as file:
        assert file.read() == data
    monkeypatch.setattr(remote, "FILE_LIMIT", 999)
    assert fails("memory://a.jpg") == "file too large: over 999 bytes"


def test_unknown_schemes_are_one_line(invoke: Invoke) -> None:
    result = invoke("classify", "nonsense://x/a.jpg")
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "Error: 'nonsense://x/a.jpg' cannot be used: no scheme nonsense:// is known",
        "Install it with: pip install 'mnv2cli[remote]'",
    ]


@pytest.mark.usefixtures("fake_engine")
def test_a_bad_url_in_a_list_costs_one_row(
    memory: Any, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(url: str, **options: Any) -> Any:
        if "dead" in url:
            raise EOFError("the library's own words")
        return opened(url, **options)

    opened = fsspec.core.url_to_fs
    monkeypatch.setattr(fsspec.core, "url_to_fs", connect)
    memory.pipe("/a.png", picture())
    urls = ["memory://a.png", "nonsense://u:secret@x", "ftp://dead/x.jpg", "zip://", "memory://b"]
    result = invoke("classify", "--files-from", "-", input="\n".join(urls))
    assert result.exit_code == 4 and "secret" not in result.stdout + result.stderr
    rows = table(result.stdout)
    assert [row["status"] for row in rows] == ["ok", *["error"] * 4]
    assert "no scheme nonsense:// is known" in rows[1]["error"]
    assert invoke("classify", "ftp://dead/x.jpg").exit_code == 4


def test_missing_libraries_are_one_line(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    registry = importlib.import_module("fsspec.registry")
    monkeypatch.delitem(registry._registry, "s3", raising=False)
    result = invoke("classify", "s3://bucket/a.jpg")
    assert result.exit_code == 2 and "s3:// needs a library that is not inst" in result.stderr
    assert "pip install 'mnv2cli[remote]'" in result.stderr
    remote._fsspec.cache_clear()
    monkeypatch.setitem(sys.modules, "tenacity", None)
    result = invoke("classify", "memory://a.jpg")
    assert result.exit_code == 2 and "URLs need tenacity, which is not installed" in result.stderr


# Archives


@pytest.fixture
def archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``photos.zip``, ``photos.tar`` and ``photos.tar.gz`` with the same odd names in them."""
    monkeypatch.chdir(tmp_path)
    names = (
        "img10.png",
        "img2.png",
        "./sub/a.png",
        "notes.txt",
        "../out.png",
        "/root.png",
        ".h.png",
    )
    with zipfile.ZipFile("photos.zip", "w", zipfile.ZIP_DEFLATED) as pack:
        for red, name in enumerate(names):
            pack.writestr(name, picture(red))
    for form in ("", "gz"):
        path = f"photos.tar{'.' * bool(form)}{form}"
        with closing(tarfile.open(path, f"w:{form}")) as pack:  # type: ignore[call-overload]
            for red, name in enumerate(names):
                info = tarfile.TarInfo(name)
                info.size = len(picture(red))
                pack.addfile(info, io.BytesIO(picture(red)))
    return tmp_path


@pytest.mark.parametrize("url", ["zip://photos.zip", "tar://photos.tar", "tar://photos.tar.gz"])
def test_an_archive_is_walked_as_a_folder_is(archives: Path, url: str) -> None:
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
        with remote.fetch(path) as file:
            assert file.read() == data


def test_an_archive_in_a_store_is_fetched_once(
    archives: Path, memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.pipe("/in/photos.zip", Path("photos.zip").read_bytes())
    with zipfile.ZipFile("outer.zip", "w") as pack:
        pack.write("photos.tar.gz", "in/photos.tar.gz")
    fetched: list[str] = []
    fetch = remote.fetch

    def note(url: str, **kwargs: Any) -> Any:
        fetched.append(url)
        return fetch(url, **kwargs)

    monkeypatch.setattr(remote, "fetch", note)
    paths = found("zip://img*.png::memory://in/photos.zip")
    assert paths == [f"zip://img{n}.png::memory://in/photos.zip" for n in (2, 10)]
    assert [read(path)[0, 0, 0] for path in paths] == [1, 0]
    assert fetched.count("memory://in/photos.zip") == 1
    assert found("tar://::zip://in/photos.tar.gz::outer.zip")[1] == (
        "tar://img10.png::zip://in/photos.tar.gz::outer.zip"
    )
    assert read("tar://img10.png::zip://in/photos.tar.gz::outer.zip")[0, 0, 0] == 0


def test_archives_that_are_none_or_lead_nowhere_are_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"no zip")
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
    with pytest.raises(InputError, match="names no archive"):
        found("zip://")


def test_bombs_stop_at_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "FILE_LIMIT", 1 << 20)
    monkeypatch.setattr(remote, "ARCHIVE_LIMIT", 2 << 20)
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
            pack.writestr(f"{i}.png", picture(i))
    paths = found(f"zip://{tmp_path}/a.zip")
    with ImageReader(SIZE, OPTIONS) as fetcher:
        for path in paths:
            fetcher.submit(path)
        assert [fetcher.decode(path)[0, 0, 0] for path in paths] == list(range(60))


# Web servers


class Site:
    """A web server's pages, and how often each was asked for."""

    def __init__(self) -> None:
        self.pages: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        self.asked: Counter[str] = Counter()
        self.url = ""

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        self.asked[request.path] += 1
        self.pages.get(request.path, answer(b"", 404))(request)


def hold(over: threading.Event) -> Callable[[BaseHTTPRequestHandler], None]:
    def handle(request: BaseHTTPRequestHandler) -> None:
        over.wait(8)

    return handle


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    with host(site.handle) as url:
        site.url = url.rpartition("/")[0]
        yield site


def test_a_page_that_lists_a_folder_is_walked(site: Site) -> None:
    page = """<html><a href="?C=M;O=D">Date</a><a href="../">up</a><a href="b%2010.png">b</a>
        <a href="/p/b%209.png">b</a><a href="./sub/">s</a><a href="#x">x</a><a name="y">
        <a href="n.txt">n</a><a href="http://elsewhere/p/z.png">z</a><a href="sub/deep.png">d</a>
        <a href="file:///etc/passwd.png">p</a><a href="http://[bad">b</a><a href="b%209.png">"""
    site.pages["/p/"] = answer(page.encode())
    site.pages["/p/sub/"] = answer(b'<a href="caf%C3%A9.png">')
    for name in ("/p/b%209.png", "/p/b%2010.png", "/p/sub/caf%C3%A9.png"):
        site.pages[name] = answer(picture())
    paths = found(f"{site.url}/p/")
    assert paths == [
        f"{site.url}/p/{name}" for name in ("b%209.png", "b%2010.png", "sub/caf%C3%A9.png")
    ]
    assert all(read(path).shape == (96, 96, 3) for path in paths)
    assert found(f"{site.url}/p/", include=("b 9*",)) == paths[:1]
    assert found(f"{site.url}/p/a.png?id=1", f"{site.url}/p/a.png?id=2") == [
        f"{site.url}/p/a.png?id=1", f"{site.url}/p/a.png?id=2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (404, "no such file: HTTP 404"),
        (403, "permission denied: HTTP 403"),
        (401, "permission denied: HTTP 401"),
        (400, "refused by the host: HTTP 400"),
    ],
)
def test_final_faults_are_told_at_once(site: Site, code: int, reason: str) -> None:
    site.pages["/a.jpg"] = answer(b"", code)
    assert fails(f"{site.url}/a.jpg") == reason
    assert site.asked["/a.jpg"] == 1
    site.pages["/p/"] = answer(b"", code)
    assert errors(f"{site.url}/p/") == [f"folder cannot be listed: {reason.lower()}"] or errors(
        f"{site.url}/p/"
    ) == [f"folder cannot be listed: {reason}"]


@pytest.mark.parametrize("fault", [500, 502, 503, 504, 429, "cut", "closed"])
def test_passing_faults_are_tried_again(site: Site, fault: int | str) -> None:
    def flaky(request: BaseHTTPRequestHandler) -> None:
        data = picture()
        if site.asked["/a.png"] > 2:
            answer(data)(request)
        elif fault == "cut":
            answer(data[:20], length=len(data))(request)
        elif fault == "closed":
            request.connection.close()
        else:
            answer(b"", int(fault))(request)

    site.pages["/a.png"] = flaky
    assert read(f"{site.url}/a.png").shape == (96, 96, 3)
    assert site.asked["/a.png"] == 3


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (answer(b"", 500), "host has a fault: HTTP 500"),
        (answer(b"", 503), "host is busy: HTTP 503"),
        (answer(b"abc", length=9), "connection was cut"),
    ],
)
def test_attempts_come_to_an_end(site: Site, handler: Any, reason: str) -> None:
    site.pages["/a.png"] = handler
    assert fails(f"{site.url}/a.png") == reason
    assert site.asked["/a.png"] == remote.ATTEMPTS


def test_a_host_asks_to_be_left_alone_for_a_while(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "LONGEST_WAIT", 0.3)
    times: list[float] = []

    def busy(request: BaseHTTPRequestHandler) -> None:
        times.append(time.monotonic())
        if len(times) > 1:
            answer(picture())(request)
            return
        request.send_response(429)
        request.send_header("Retry-After", "3600")
        request.send_header("Content-Length", "0")
        request.end_headers()

    site.pages["/a.png"] = busy
    read(f"{site.url}/a.png")
    assert times[1] - times[0] >= 0.3


def test_a_host_that_cannot_be_reached_is_an_error_row() -> None:
    assert fails("http://127.0.0.1:1/a.png") == "host cannot be reached"
    assert errors("http://127.0.0.1:1/p/") == ["folder cannot be listed: host cannot be reached"]


def test_a_server_that_drips_or_hangs_does_not_hang_the_run(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "REQUEST_SECONDS", 0.3)
    monkeypatch.setattr(remote, "TOTAL_SECONDS", 0.2)
    over = threading.Event()

    def drip(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while not over.wait(0.05):
            request.wfile.write(b"x")

    site.pages["/drip.png"] = drip
    site.pages["/hang.png"] = hold(over)
    try:
        assert fails(f"{site.url}/drip.png").startswith("timed out")
        assert fails(f"{site.url}/hang.png").startswith("timed out")
    finally:
        over.set()
    assert site.asked == {"/drip.png": 1, "/hang.png": 1}


def test_huge_files_are_refused_before_they_come(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "FILE_LIMIT", 100_000)

    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while True:
            request.wfile.write(bytes(1 << 16))

    site.pages["/said.png"] = answer(b"", length=1 << 40)
    site.pages["/unsaid.png"] = endless
    assert fails(f"{site.url}/said.png") == "file too large: over 100,000 bytes"
    assert fails(f"{site.url}/unsaid.png") == "file too large: over 100,000 bytes"


def test_redirects_lead_to_web_servers_alone(site: Site, tmp_path: Path) -> None:
    draw(tmp_path / "a.png")

    def to(target: str) -> Callable[[BaseHTTPRequestHandler], None]:
        def handle(request: BaseHTTPRequestHandler) -> None:
            request.send_response(302)
            request.send_header("Location", target)
            request.send_header("Content-Length", "0")
            request.end_headers()

        return handle

    site.pages |= {
        "/file.png": to(f"file://{tmp_path}/a.png"),
        "/circle.png": to("/circle.png"),
        "/good.png": to("/a.png"),
        "/a.png": answer(picture()),
    }
    assert fails(f"{site.url}/file.png") == "not a URL that can be read"
    assert fails(f"{site.url}/circle.png") == "refused by the host: it redirects in circles"
    assert read(f"{site.url}/good.png").shape == (96, 96, 3)


def test_a_web_page_is_no_image(site: Site) -> None:
    site.pages["/a"] = answer(b"<!doctype html><title>Log in</title>")
    assert fails(f"{site.url}/a") == "not an image: a web page"


# Fetching ahead


def test_files_are_fetched_ahead_at_the_same_time(site: Site) -> None:
    together = threading.Barrier(8, timeout=5)

    def meet(request: BaseHTTPRequestHandler) -> None:
        together.wait()
        answer(picture())(request)

    paths = [f"{site.url}/{i}.png" for i in range(8)]
    site.pages = {f"/{i}.png": meet for i in range(8)}
    with ImageReader(SIZE, OPTIONS, at_once=8) as fetcher:
        sources = list(fetcher.ahead(map(Source, paths)))
        assert [fetcher.decode(source.path).shape for source in sources] == [(96, 96, 3)] * 8
    assert not together.broken


def test_no_more_is_fetched_than_may_wait(site: Site) -> None:
    site.pages = {f"/{i}.png": answer(picture(i)) for i in range(20)}
    paths = [f"{site.url}/{i}.png" for i in range(20)]
    with ImageReader(SIZE, OPTIONS, ahead=4, at_once=2) as fetcher:
        for path in paths:
            fetcher.submit(path)
        deadline = time.monotonic() + 5
        while len(site.asked) < 4 and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.1)
        assert len(site.asked) == 4
        # Asked for in any order, none waits for its turn.
        assert [fetcher.decode(p)[0, 0, 0] for p in reversed(paths)] == [*reversed(range(20))]
        assert fetcher.decode(paths[0])[0, 0, 0] == 0  # and unannounced
    assert max(site.asked.values()) == 2 and site.asked.total() == 21


def test_the_same_image_may_be_asked_for_twice(memory: Any) -> None:
    memory.pipe("/a.png", picture())
    with ImageReader(SIZE, OPTIONS) as fetcher:
        for _ in range(3):
            fetcher.submit("memory://a.png")
        assert {fetcher.decode("memory://a.png").shape for _ in range(3)} == {(96, 96, 3)}


def test_a_library_that_hangs_is_given_up(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(remote, "REQUEST_SECONDS", 0.05)
    monkeypatch.setattr(remote, "_CHUNK", 1)
    monkeypatch.setattr(remote.Store, "read", lambda *args: over.wait(10))
    try:
        with ImageReader(SIZE, OPTIONS, at_once=1) as fetcher:
            fetcher.submit("memory://a.png")
            fetcher.submit("memory://b.png")
            with pytest.raises(ImageError, match="timed out"):
                fetcher.decode("memory://a.png")
    finally:
        over.set()


def test_a_library_that_hangs_is_given_up_by_those_beyond_the_limits_too(
    memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()
    monkeypatch.setattr(remote, "REQUEST_SECONDS", 0.05)
    monkeypatch.setattr(remote, "_CHUNK", 1)
    monkeypatch.setattr(remote.Store, "read", lambda *args: over.wait(10))
    try:
        with ImageReader(SIZE, OPTIONS, at_once=1, ahead=1) as fetcher:
            for i in range(3):
                fetcher.submit(f"memory://{i}.png")
            for i in (2, 1, 0, 7):
                with pytest.raises(ImageError, match="timed out"):
                    fetcher.decode(f"memory://{i}.png")
    finally:
        over.set()


def test_no_more_bytes_are_fetched_ahead_than_there_is_room_for(
    memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mnv2cli.images.reader.HELD", 150_000)
    for i in range(9):
        memory.pipe(f"/{i}.bmp", picture(i) + bytes(100_000))
    with ImageReader(SIZE, OPTIONS, at_once=1) as fetcher:
        for i in range(9):
            fetcher.submit(f"memory://{i}.bmp")
        time.sleep(0.5)
        assert sum(job.size for jobs in fetcher._jobs.values() for job in jobs) < 300_000
        assert [fetcher.decode(f"memory://{i}.bmp")[0, 0, 0] for i in range(9)] == list(range(9))
        assert fetcher._bytes == 0


def test_one_archive_does_not_wait_for_another(
    archives: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    over, begun = threading.Event(), threading.Event()
    opened = remote._container

    def slow(container: str, *args: Any) -> Any:
        if container.endswith("gz"):
            begun.set()
            assert over.wait(10)
        return opened(container, *args)

    monkeypatch.setattr(remote, "_container", slow)
    thread = threading.Thread(target=found, args=("tar://photos.tar.gz",))
    thread.start()
    assert begun.wait(10)
    assert read("zip://img2.png::photos.zip")[0, 0, 0] == 1
    over.set()
    thread.join()


@pytest.mark.usefixtures("fake_engine")
def test_images_elsewhere_are_decoded_in_isolation_too(
    archives: Path, invoke: Invoke, memory: Any
) -> None:
    (archives / "bad.zip").write_bytes(b"PK")
    memory.pipe("/a.png", picture(3))
    inputs = ("zip://photos.zip", "tar://photos.tar.gz", "memory://a.png", "bad.zip")
    home = invoke("classify", *inputs, "-q")
    away = invoke("classify", *inputs, "-q", "--isolate")
    assert home.exit_code == away.exit_code == 4
    assert len(table(home.stdout)) == 12 and away.stdout == home.stdout


@pytest.mark.usefixtures("fake_engine")
def test_names_of_members_are_no_users(tmp_path: Path, invoke: Invoke) -> None:
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as pack:
        for i in range(3):
            pack.writestr(f"p{i}@2x.png", picture(i))
    output = tmp_path / "a.csv"
    args = ("classify", f"zip://{tmp_path}/p.zip", "-q", "-o", str(output))
    assert invoke(*args).exit_code == 0
    whole = output.read_text()
    paths = [row["path"] for row in table(whole)]
    assert paths == [f"zip://p{i}@2x.png::{tmp_path}/p.zip" for i in range(3)]
    assert all(read(path).shape for path in paths)
    output.write_text("".join(whole.splitlines(keepends=True)[:2]))
    assert invoke(*args, "--resume").exit_code == 0
    assert output.read_text() == whole


@pytest.mark.usefixtures("fake_engine")
def test_the_same_archive_elsewhere_is_another_one(
    archives: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    args = ("classify", "zip://photos.zip", "-q", "-o", str(archives / "o.csv"))
    assert invoke(*args).exit_code == 0
    (archives / "B").mkdir()
    (archives / "B" / "photos.zip").write_bytes((archives / "photos.zip").read_bytes())
    monkeypatch.chdir(archives / "B")
    result = invoke(*args, "--resume")
    assert result.exit_code == 2 and "as seen from" in result.stderr


@pytest.mark.usefixtures("fake_engine")
def test_a_signature_that_changes_makes_no_other_image(
    site: Site, invoke: Invoke, tmp_path: Path, fake_engine: FakeEngine
) -> None:
    for sig in ("one", "two"):
        site.pages[f"/a.png?sig={sig}"] = site.pages[f"/b.png?sig={sig}"] = answer(picture())
    output = tmp_path / "a.csv"

    def run(sig: str, *more: str) -> Result:
        urls = [f"{site.url}/{name}.png?sig={sig}" for name in "ab"]
        return invoke("classify", *urls, "-q", "-o", str(output), *more)

    assert run("one").exit_code == 0
    whole = output.read_text()
    assert "one" not in whole + Path(f"{output}.mnv2").read_text()
    fake_engine.batches.clear()
    assert run("two", "--resume").exit_code == 0
    assert output.read_text() == whole and not fake_engine.batches
    in_shards = [run("one", "--force", "--shard", "1/2"), output.read_text()]
    assert run("two", "--force", "--shard", "1/2").exit_code == in_shards[0].exit_code  # type: ignore[union-attr]
    assert output.read_text() == in_shards[1]


def test_what_needs_a_file_of_this_machine_says_so(photos: Path, invoke: Invoke) -> None:
    for args in (("--resume",), ("--shard", "1/2")):
        result = invoke("classify", "photos", "-o", "memory://a.csv", *args)
        assert result.exit_code == 2 and "with -o" in result.stderr


def test_closing_ends_all_waiting(site: Site) -> None:
    over = threading.Event()
    site.pages["/a.png"] = hold(over)
    fetcher = ImageReader(SIZE, OPTIONS)
    fetcher.submit(f"{site.url}/a.png")
    threading.Timer(0.2, fetcher.close).start()
    start = time.monotonic()
    with pytest.raises(ImageError, match="not read"):
        fetcher.decode(f"{site.url}/a.png")
    assert time.monotonic() - start < 3
    over.set()


def test_the_run_stops_at_once_while_a_host_is_slow(site: Site, fake_engine: FakeEngine) -> None:
    over = threading.Event()
    site.pages["/a.png"] = answer(picture())
    site.pages["/slow.png"] = hold(over)
    records = Classifier(batch_size=1).classify(f"{site.url}/a.png", f"{site.url}/slow.png")
    next(records)
    start = time.monotonic()
    records.close()
    assert time.monotonic() - start < 3
    over.set()


# The command


@pytest.mark.usefixtures("fake_engine")
def test_images_from_everywhere_are_classified_in_order(
    photos: Path, memory: Any, site: Site, invoke: Invoke
) -> None:
    memory.pipe({"/p/7.png": picture(7), "/p/8.png": picture(8)})
    with zipfile.ZipFile("z.zip", "w") as pack:
        pack.write("photos/img2.jpg")
    site.pages["/a.png"] = answer(picture(5))
    Path("list").write_text(f"memory://p/8.png\nphotos/img10.png\n{site.url}/none.png\n")
    result = invoke(
        "classify", "memory://p/7*", "zip://z.zip", "photos/img2.jpg", f"{site.url}/a.png",
        "--files-from", "list",
    )  # fmt: skip
    rows = table(result.stdout)
    assert [row["path"] for row in rows] == [
        "memory://p/7.png", "zip://photos/img2.jpg::z.zip", "photos/img2.jpg", f"{site.url}/a.png",
        "memory://p/8.png", "photos/img10.png", f"{site.url}/none.png",
    ]  # fmt: skip
    assert [row["score_1"] for row in rows] == ["0.9"] * 6 + [""]
    assert rows[-1]["error"] == "no such file: HTTP 404" and result.exit_code == 4
    assert rows[1]["label_1"] == rows[2]["label_1"]


@pytest.mark.usefixtures("fake_engine")
def test_secrets_stay_out_of_rows_and_messages(site: Site, invoke: Invoke) -> None:
    asked: list[str] = []

    def guarded(request: BaseHTTPRequestHandler) -> None:
        asked.append(request.headers.get("Authorization", ""))
        answer(picture())(request)

    site.pages["/a.png?sig=SECRET&w=1"] = site.pages["/b.png"] = guarded
    plain = site.url.replace("http://", "http://user:SECRET@")
    result = invoke(
        "classify", f"{site.url}/a.png?sig=SECRET&w=1", f"{plain}/b.png", f"{plain}/none.png",
        f"{plain}/b.png", "-v",
    )  # fmt: skip
    rows = table(result.stdout)
    assert [row["status"] for row in rows] == ["ok", "ok", "error"]
    assert rows[0]["path"] == f"{site.url}/a.png?sig=***&w=1"
    assert rows[1]["path"] == f"{site.url.replace('http://', 'http://***@')}/b.png"
    assert "given twice" in result.stderr
    assert "SECRET" not in result.stdout + result.stderr
    assert sorted(map(len, asked)) == [0, len("Basic dXNlcjpTRUNSRVQ=")]


def test_sort_takes_local_files_only(photos: Path, invoke: Invoke) -> None:
    for args in (
        ("memory://p", "--into", "x"),
        ("photos", "--into", "s3://b/x"),
        ("--files-from", "list", "--into", "x"),
        ("--from", "r.csv", "--into", "x"),
    ):
        Path("list").write_text("https://u:SECRET@h/a.jpg\n")
        Path("r.csv").write_text("path,status,label_1,wnid_1,score_1,error\ns3://b/a.jpg,ok,,,,\n")
        result = invoke("sort", *args)
        assert result.exit_code == 2, result.output
        assert "sort moves files on this machine: '" in result.stderr
        assert "SECRET" not in result.stderr and not Path("x").exists()


def test_int8_is_calibrated_on_urls_too(memory: Any) -> None:
    memory.pipe({"/p/1.png": picture(1), "/p/2.png": picture(2), "/p/3.png": b"bad"})
    classifier = Classifier(precision="int8", size=96)
    first = classifier._calibration(lambda: classifier.sample(["memory://p"]))
    assert first.images().shape == (2, 96, 96, 3)
    other = classifier._calibration(lambda: ["memory://p/1.png"])
    assert first.key != other.key


# Results


@pytest.mark.usefixtures("fake_engine")
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_results_are_sent_to_a_store(
    photos: Path, memory: Any, invoke: Invoke, form: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    url = f"memory://out/labels.{form}"
    result = invoke("classify", "photos", "-o", url)
    assert (result.exit_code, result.stdout) == (0, ""), result.output
    assert f"Written    {url}" in result.stderr
    if form == "csv":
        assert len(table(memory.cat(f"/out/labels.{form}").decode())) == 3
    before = memory.cat(f"/out/labels.{form}")
    result = invoke("classify", "photos/sub", "-o", url)
    assert result.exit_code == 2 and f"'{url}' exists" in result.stderr
    assert memory.cat(f"/out/labels.{form}") == before
    assert invoke("classify", "photos/sub", "-o", url, "--force").exit_code == 0
    assert memory.cat(f"/out/labels.{form}") != before
    assert os.listdir(tmp_path / "tmp") == []


@pytest.mark.usefixtures("fake_engine")
def test_results_that_cannot_be_sent_stay_here(
    photos: Path, memory: Any, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    calls = Counter[str]()

    def refuse(self: Any, lpath: str, rpath: str, **kwargs: Any) -> None:
        calls["put"] += 1
        raise PermissionError("no")

    monkeypatch.setattr(type(memory), "put_file", refuse)
    result = invoke("classify", "photos", "-o", "memory://out/labels.csv")
    assert result.exit_code == 1 and calls["put"] == 1
    error, hint = result.stderr.splitlines()[-2:]
    assert error == (
        "Error: results cannot be written to 'memory://out/labels.csv': permission denied"
    )
    kept = hint.removeprefix("All rows are in ")
    assert len(table(Path(kept).read_text())) == 3

    def flaky(self: Any, lpath: str, rpath: str, **kwargs: Any) -> None:
        calls["flaky"] += 1
        if calls["flaky"] < 3:
            raise ConnectionResetError
        memory.pipe(rpath, Path(lpath).read_bytes())

    monkeypatch.setattr(type(memory), "put_file", flaky)
    assert invoke("classify", "photos", "-o", "memory://out/labels.csv").exit_code == 0
    assert calls["flaky"] == 3 and len(table(memory.cat("/out/labels.csv").decode())) == 3


def test_an_interrupted_run_sends_what_there_is(
    photos: Path, memory: Any, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted(FakeEngine):
        batch_size = workers = at_once = 1

        def predict(self, batch):  # type: ignore[no-untyped-def]
            if len(self.batches) == 2:
                raise KeyboardInterrupt
            return super().predict(batch)

    monkeypatch.setattr("mnv2cli.inference.classifier.open_engine", lambda *_, **__: Interrupted())
    monkeypatch.setattr("mnv2cli.inference.classifier.available", lambda model, **kwargs: model)
    result = invoke("classify", "photos", "-o", "memory://out/labels.json")
    assert result.exit_code == 130
    assert memory.cat("/out/labels.json").count(b"predictions") == 2


@pytest.mark.parametrize("url", ["https://h/labels.csv", "zip://labels.csv", "nonsense://a.csv"])
def test_outputs_that_cannot_be_are_refused(photos: Path, invoke: Invoke, url: str) -> None:
    assert invoke("classify", "photos", "-o", url).exit_code == 2


def test_an_output_that_appears_meanwhile_is_not_overwritten(
    memory: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with (
        pytest.raises(OutputError, match="it appeared meanwhile"),
        remote.Upload("memory://o.csv", force=False) as local,
    ):
        Path(local).write_text("new")
        memory.pipe("/o.csv", b"old")
    assert memory.cat("/o.csv") == b"old" and Path(local).read_text() == "new"


# S3, by moto on this machine


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        address, port = server.get_host_and_port()
        yield f"http://{address}:{port}"
    finally:
        server.stop()


@pytest.fixture
def s3(moto: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "y",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": moto,
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    import s3fs

    fs = s3fs.S3FileSystem(skip_instance_cache=True, use_listings_cache=False)
    if not fs.exists("bucket"):
        fs.mkdir("bucket")
    return fs


@pytest.mark.usefixtures("fake_engine")
def test_a_bucket_is_listed_read_and_written(
    s3: Any, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("img10.png", "img2.png", "sub/a.png", "notes.txt", "empty.png"):
        s3.pipe(f"bucket/p/{name}", b"" if "empty" in name else picture())
    s3.pipe("bucket/p/", b"")  # as consoles make folders
    result = invoke("classify", "s3://bucket/p/", "s3://bucket/no/", "-o", "s3://bucket/out/l.csv")
    assert result.exit_code == 4, result.output
    rows = table(s3.cat("bucket/out/l.csv").decode())
    assert [(row["path"], row["error"]) for row in rows] == [
        ("s3://bucket/p/empty.png", "empty file: zero bytes"),
        ("s3://bucket/p/img2.png", ""),
        ("s3://bucket/p/img10.png", ""),
        ("s3://bucket/p/sub/a.png", ""),
        ("s3://bucket/no/", "folder cannot be listed: no such file"),
    ]
    assert invoke("classify", "s3://bucket/p/", "-o", "s3://bucket/out/l.csv").exit_code == 2
    assert found("s3://bucket/*/img*.png") == rows_paths(rows)[1:3]
    assert fails("s3://bucket/none.png") == fails("s3://nobucket/a.png") == "no such file"
    monkeypatch.setattr(remote, "_CHUNK", len(picture()))  # the last piece is a full one
    assert read("s3://bucket/p/img2.png").shape == (96, 96, 3)


def rows_paths(rows: list[dict[str, str]]) -> list[str]:
    return [row["path"] for row in rows]


@pytest.mark.usefixtures("s3")
@pytest.mark.parametrize(
    ("code", "name", "attempts", "reason"),
    [
        (503, "SlowDown", 5, "host is busy"),
        (500, "InternalError", 5, "host has a fault"),
        (403, "AccessDenied", 1, "permission denied"),
        (400, "InvalidRequest", 1, "refused by the host"),
    ],
)
def test_faults_of_s3_are_tried_again_only_if_they_pass(
    site: Site, monkeypatch: pytest.MonkeyPatch, code: int, name: str, attempts: int, reason: str
) -> None:
    body = f"<Error><Code>{name}</Code><Message>m</Message></Error>".encode()
    site.pages["/bucket/a.png"] = answer(body, code)
    site.pages["/bucket/cut.png"] = answer(b"abc", length=9)
    monkeypatch.setenv("AWS_ENDPOINT_URL", site.url)
    assert fails("s3://bucket/a.png").startswith(reason)
    assert site.asked["/bucket/a.png"] == attempts


@pytest.mark.usefixtures("s3")
def test_s3_without_credentials_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert fails("s3://bucket/a.png") == "permission denied: there are no credentials"
