"""Photos to sort."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sorting.trees import restore_times, write


@pytest.fixture
def src(tmp_path: Path) -> Path:
    folder = tmp_path / "src"
    for i in range(4):
        write(folder / f"img{i}.jpg", f"photo {i}")
    write(folder / "sub" / "img0.jpg", "another photo of that name")
    (folder / "img1.jpg").chmod(0o640)
    restore_times(folder)
    restore_times(tmp_path)
    return folder
