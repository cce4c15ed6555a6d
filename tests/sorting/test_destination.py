"""The destination: lock, journals, free space."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mnv2cli.errors import InputError, OutputError
from mnv2cli.journals.folder import locked
from mnv2cli.sorting.apply import apply
from mnv2cli.sorting.destination import check_free_space
from mnv2cli.sorting.undo import undo
from tests.sorting.trees import plan_of, record, records, write


def test_moved_sources_of_an_earlier_run_are_recognised(src: Path, tmp_path: Path) -> None:
    dest, old = tmp_path / "dest", records(src)
    apply(plan_of(old, dest))
    write(src / "new.jpg", "new")
    plan = plan_of([*old, record(src / "new.jpg", "hen")], dest)
    assert [a.method for a in plan.actions] == ["skip"] * 5 + ["move"]
    assert plan.actions[0].reason == "already sorted: tench/img0.jpg"
    apply(plan)
    assert (dest / "hen" / "new.jpg").exists()
    undo(str(dest))
    assert (src / "new.jpg").exists() and not (src / "img0.jpg").exists()
    undo(str(dest))
    assert (src / "img0.jpg").exists() and not dest.exists()


def test_free_space_is_checked_before_photos_are_copied(
    src: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=5000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    check_free_space(plan_of(records(src), tmp_path / "dest", "move"))
    with pytest.raises(OutputError, match=r"has 0\.0 MB free, the plan needs 0\.0 MB"):
        check_free_space(plan_of(records(src), tmp_path / "dest", "copy"))


def test_a_second_run_into_one_destination_is_refused(src: Path, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    apply(plan_of(records(src)[:2], dest))
    with locked(str(dest)):
        code = (
            "from mnv2cli.sorting.undo import undo; from mnv2cli.errors import InputError\n"
            f"try: undo({str(dest)!r})\nexcept InputError as e: print(e.message)"
        )
        result = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert "another mnv2 process is using" in result.stdout


def test_a_destination_that_is_a_file_or_read_only_is_an_error(src: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a file, not a folder"):
        apply(plan_of(records(src), src / "img0.jpg" / "dest"))
    write(tmp_path / "dest" / ".mnv2", "a file")
    with pytest.raises(InputError, match="cannot keep the journal"):
        apply(plan_of(records(src), tmp_path / "dest"))


def test_a_lock_that_is_a_link_is_refused(src: Path, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    (dest / ".mnv2").mkdir(parents=True)
    (dest / ".mnv2" / "lock").symlink_to(src / "img0.jpg")
    with pytest.raises(InputError, match="is a symbolic link"):
        apply(plan_of(records(src)[1:], dest))
    assert (src / "img0.jpg").read_text() == "photo 0"
