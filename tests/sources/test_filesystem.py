"""The registry of file systems, with a file system that the tests define."""

from __future__ import annotations

import subprocess
import sys
from contextlib import nullcontext
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from mnv2cli.errors import InputError
from mnv2cli.sources.filesystem import (
    FILE_SYSTEMS,
    Kind,
    Listing,
    Match,
    check_urls,
    open_filesystem,
)
from mnv2cli.sources.finder import Finder
from mnv2cli.sources.local import LocalFileSystem
from mnv2cli.sources.remote.archives import ArchiveFileSystem
from mnv2cli.sources.remote.fetch import fetch, local_path
from mnv2cli.sources.remote.listing import RemoteEntry
from mnv2cli.sources.remote.sinks import Sink
from mnv2cli.sources.remote.stores import StoreFileSystem
from mnv2cli.sources.remote.web import WebFileSystem
from tests.conftest import image_bytes
from tests.sources.helpers import Invoke, errors, fails, found, read, table


class ToyFileSystem:
    """A tree in memory: ``toy://folder/file``."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.failures = 0

    def resolve(self, given: str, may_be_glob: bool) -> tuple[str, Kind]:
        if given in self.files:
            return given, "file"
        if may_be_glob and "*" in given:
            return given, "glob"
        if any(url.startswith(f"{given.rstrip('/')}/") for url in self.files):
            return given.rstrip("/"), "folder"
        raise FileNotFoundError(f"no toy {given}")

    def glob(self, pattern: str) -> list[Match]:
        return [Match(url, False) for url in self.files if fnmatch(url, pattern)]

    def scan(self, path: str) -> Listing:
        below = [url.removeprefix(f"{path}/") for url in self.files if url.startswith(f"{path}/")]
        names = {name.partition("/")[0]: "/" in name for name in below}
        return nullcontext([RemoteEntry(n, f"{path}/{n}", folder) for n, folder in names.items()])

    def join(self, path: str, name: str) -> str:
        return f"{path}/{name}"

    def split(self, path: str) -> tuple[str, str]:
        folder, _, name = path.rpartition("/")
        return folder, name

    def canonical(self, path: str) -> str:
        return path

    def parts(self, path: str) -> tuple[str, ...]:
        return tuple(path.removeprefix("toy://").split("/"))

    def read(self, url: str, sink: Sink) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionResetError
        sink.write(self.files[url])


_toys = ToyFileSystem()


def open_toys(url: str) -> ToyFileSystem:
    return _toys


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> ToyFileSystem:
    monkeypatch.setitem(FILE_SYSTEMS, "toy", f"{__name__}:open_toys")
    names = ("b10.png", "b9.png", "sub/a.png", "notes.txt")
    _toys.files = {f"toy://box/{name}": image_bytes(red) for red, name in enumerate(names)}
    _toys.failures = 0
    return _toys


def test_a_registered_file_system_is_searched_like_any_other(toys: ToyFileSystem) -> None:
    names = ["b9.png", "b10.png", "sub/a.png"]
    assert found("toy://box") == found("toy://box/") == [f"toy://box/{name}" for name in names]
    assert found("toy://box", recursive=False, exclude=("b9*",)) == ["toy://box/b10.png"]
    assert found("toy://box/b*.png", "toy://box") == [
        "toy://box/b10.png", "toy://box/b9.png", "toy://box/sub/a.png",
    ]  # fmt: skip
    assert found("toy://box/sub/a.png", include=("sub/*",)) == ["toy://box/sub/a.png"]
    assert errors("toy://none") == ["no toy toy://none"]
    skipped: dict[str, str] = {}
    assert not list(Finder(["toy://box/z*"], None, skipped.__setitem__))
    assert skipped == {"toy://box/z*": "pattern matches nothing"}


def test_files_of_a_registered_file_system_are_fetched_with_retries(toys: ToyFileSystem) -> None:
    url = "toy://box/b9.png"
    assert local_path(url) is None
    toys.failures = 2
    with fetch(url) as file:
        assert file.read() == toys.files[url]
    assert not toys.failures
    assert read(url)[0, 0, 0] == 1
    toys.failures = 1000
    assert fails(url) == "connection was cut"


@pytest.mark.usefixtures("fake_engine")
def test_commands_accept_a_registered_file_system(toys: ToyFileSystem, invoke: Invoke) -> None:
    result = invoke("classify", "toy://box")
    assert result.exit_code == 0, result.output
    assert [row["path"] for row in table(result.stdout)] == found("toy://box")
    result = invoke("classify", "toy://box", "-o", "toy://box/labels.csv")
    assert result.exit_code == 2
    assert "cannot write results to toy://" in result.stderr


def test_schemes_open_their_file_systems(archives: Path, memory: Any) -> None:
    assert isinstance(open_filesystem("https://h/a.png"), WebFileSystem)
    assert isinstance(open_filesystem("ZIP://a.png::photos.zip"), ArchiveFileSystem)
    assert isinstance(open_filesystem("tar://photos.tar"), ArchiveFileSystem)
    store = open_filesystem("memory://a.png")
    assert type(store) is StoreFileSystem and store is open_filesystem("memory://b/c.png")


def test_every_entry_of_the_registry_can_be_opened() -> None:
    for scheme in FILE_SYSTEMS:
        assert open_filesystem(f"{scheme}://a::b.{scheme}")


def test_urls_are_checked_and_paths_are_not(photos: Path, memory: Any) -> None:
    check_urls(["photos", "nowhere", "memory://a.png"])
    with pytest.raises(InputError, match="unknown scheme nonsense://"):
        check_urls(["photos", "nonsense://x/a.jpg"])


def test_local_inputs_resolve_to_their_kinds(photos: Path) -> None:
    local = LocalFileSystem()
    assert local.resolve("photos", True) == ("photos", "folder")
    assert local.resolve("photos/*.jpg", True) == ("photos/*.jpg", "glob")
    assert local.resolve("photos/*.jpg", False) == ("photos/*.jpg", "file")
    assert local.resolve("nowhere", True) == ("nowhere", "file")
    assert list(local.glob("photos/[is]*")) == [
        Match("photos/img2.jpg", False), Match("photos/img10.png", False),
        Match("photos/sub", True),
    ]  # fmt: skip
    deep = list(local.glob("photos/**"))
    assert Match("photos/sub/img1.webp", False) in deep
    assert Match("photos/sub", True, taken=False) in deep  # its files match separately


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
