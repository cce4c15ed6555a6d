"""A folder of images with unusual names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import draw

UNUSUAL_NAMES = [
    "a.png",
    "new\nline.png",
    'quo"te.png',
    "com,ma.png",
    "cr\r.png",
    os.fsdecode(b"\xe9.png"),
]


@pytest.fixture
def album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder ``album`` with images of unusual names, two unreadable, in the current folder."""
    monkeypatch.chdir(tmp_path)
    for i, name in enumerate(UNUSUAL_NAMES):
        draw(tmp_path / "album" / name, (i + 1, 9, 0), (8, 8))
    for name in ("bad.jpg", "sub/worse.jpg"):
        path = tmp_path / "album" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"\xff\xd8\xff no image")
    draw(tmp_path / "album" / "sub" / "z.png", (77, 9, 0), (8, 8))
    return tmp_path
