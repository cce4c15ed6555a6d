"""Stores, archives and a web server for the tests, all on this machine."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import fsspec
import pytest

from mnv2cli.sources.remote import archive_containers, limits, stores
from tests.hosts import host
from tests.sources.helpers import Site, picture


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait shortly, and begin with places and archives that nobody used before."""
    monkeypatch.setattr(limits, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(limits, "LONGEST_WAIT", 0.05)
    monkeypatch.setattr(stores, "_stores", {})
    archive_containers._archives.clear()


@pytest.fixture
def memory() -> Iterator[Any]:
    fs = fsspec.filesystem("memory")
    fs.store.clear()
    fs.pseudo_dirs[:] = [""]
    yield fs
    fs.store.clear()
    fs.pseudo_dirs[:] = [""]


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


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    with host(site.handle) as url:
        site.url = url.rpartition("/")[0]
        yield site
