"""Archives for the tests, and short waits."""

from __future__ import annotations

import io
import tarfile
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import image_bytes


@pytest.fixture(autouse=True)
def always_quick(quick: None) -> None:
    """Shorten all waits."""


@pytest.fixture
def archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``photos.zip``, ``photos.tar`` and ``photos.tar.gz`` with the same unusual names inside."""
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
            pack.writestr(name, image_bytes(red))
    for format in ("", "gz"):
        path = f"photos.tar{'.' * bool(format)}{format}"
        with closing(tarfile.open(path, f"w:{format}")) as pack:  # type: ignore[call-overload]
            for red, name in enumerate(names):
                info = tarfile.TarInfo(name)
                info.size = len(image_bytes(red))
                pack.addfile(info, io.BytesIO(image_bytes(red)))
    return tmp_path
