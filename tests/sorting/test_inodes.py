"""File systems without inode numbers, such as some network drives."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import Result

from tests.conftest import draw


@pytest.mark.usefixtures("fake_engine")
def test_files_without_inode_numbers_are_compared_by_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, invoke: Any
) -> None:
    # Two photos of one name and class; the second must not be taken for the first.
    draw(tmp_path / "p" / "a.png", (7, 9, 0))
    draw(tmp_path / "q" / "a.png", (7, 9, 0), (50, 50))
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "a.png").write_bytes((tmp_path / "p" / "a.png").read_bytes())
    stat = os.stat

    def without_inode(path: Any, **options: Any) -> SimpleNamespace:
        found = stat(path, **options)
        fields = {name: getattr(found, name) for name in dir(found) if name.startswith("st_")}
        return SimpleNamespace(**fields | {"st_ino": 0})

    monkeypatch.setattr("mnv2cli.sorting.naming.os.stat", without_inode)
    folders = [tmp_path / name for name in "pqr"]
    result: Result = invoke("sort", *folders, "--into", tmp_path / "out", "--copy")
    assert result.exit_code == 0, result.output
    contents = sorted(path.read_bytes() for path in (tmp_path / "out").rglob("*.png"))
    assert contents == sorted((folder / "a.png").read_bytes() for folder in folders[:2])
