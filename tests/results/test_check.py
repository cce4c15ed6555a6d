from __future__ import annotations

from pathlib import Path

import pytest

from mnv2cli.errors import InputError
from mnv2cli.results.check import check_not_folder, check_output
from mnv2cli.results.thumbnail_files import is_thumbnail_path


def test_outputs_are_checked_before_the_run(tmp_path: Path) -> None:
    path = str(tmp_path / "a.csv")
    check_output(path, "csv", force=False)
    Path(path).write_text("old")
    with pytest.raises(InputError, match="exists"):
        check_output(path, "csv", force=False)
    check_output(path, "csv", force=True)
    with pytest.raises(InputError, match="does not exist"):
        check_output(str(tmp_path / "no" / "a.csv"), "csv", force=False)
    with pytest.raises(InputError, match="is a folder"):
        check_output(str(tmp_path), "csv", force=True)
    with pytest.raises(InputError, match="is a folder"):
        check_not_folder(str(tmp_path))
    with pytest.raises(InputError, match="named like an image"):
        check_output(str(tmp_path / "a.JPG"), "csv", force=True)
    check_output("/dev/null", "csv", force=False)


def test_a_thumbnail_is_recognised_inside_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = tmp_path / "report_files" / "thumbnails-1a2b3c4d" / "0"
    group.mkdir(parents=True)
    monkeypatch.chdir(group)
    assert is_thumbnail_path("12.webp") and is_thumbnail_path("./12.webp")
    assert not is_thumbnail_path("photo.webp")
    monkeypatch.chdir(tmp_path)
    assert not is_thumbnail_path("12.webp")
