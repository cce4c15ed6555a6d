"""A file is removed only while another path has its content."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from mnv2cli.sorting import transfer
from mnv2cli.sorting.apply import apply
from mnv2cli.sorting.undo import undo
from mnv2cli.system.files import content_digest
from tests.sorting.trees import contents, plan_of, record, records, restore_times, snapshot, write


def test_file_systems_without_links_are_supported(
    src: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **options: Any) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    before, dest = snapshot(tmp_path), tmp_path / "dest"
    monkeypatch.setattr(os, "link", refuse)
    for method in ("copy", "move"):
        plan = plan_of(records(src), dest, method)
        write(dest / "hen" / "img3.jpg", "mine")
        outcome = apply(plan)
        assert outcome.done == 4 and len(outcome.failed) == 1
        assert (dest / "hen" / "img3.jpg").read_text() == "mine"
        undo(str(dest))
        shutil.rmtree(dest)
        restore_times(tmp_path)
        assert snapshot(tmp_path) == before
    outcome = apply(plan_of(records(src), dest, "hardlink"))
    assert {reason for _, reason in outcome.failed} == {"operation not permitted"}


def test_an_edit_during_a_move_to_another_disk_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = write(tmp_path / "src" / "a.jpg", "photo")
    dest = tmp_path / "dest"

    def refuse(*args: Any, **options: Any) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    def edit(path: str) -> str:
        found = content_digest(path)
        if path.startswith(str(dest)):
            photo.write_text("edited")
        return found

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(transfer, "content_digest", edit)
    outcome = apply(plan_of([record(photo)], dest))
    assert photo.read_text() == "edited" and len(outcome.failed) == 1
    assert not (dest / "tench" / "a.jpg").exists()


@pytest.mark.parametrize("other_disk", [False, True])
def test_a_source_that_cannot_be_removed_remains_the_only_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other_disk: bool
) -> None:
    src, dest = tmp_path / "src", tmp_path / "dest"
    photo, _ = write(src / "a.jpg", "photo"), write(src / "a.xmp", "notes")
    before = snapshot(src)
    real = os.unlink

    def guarded(path: Any, *args: Any, **options: Any) -> None:
        if str(path).startswith(str(src)):
            raise OSError(errno.EROFS, "Read-only file system", str(path))
        real(path, *args, **options)

    def refuse(*args: Any, **options: Any) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "unlink", guarded)
    if other_disk:
        monkeypatch.setattr(os, "link", refuse)
    outcome = apply(plan_of([record(photo)], dest))
    assert [reason for _, reason in outcome.failed] == [
        "read-only file system", "stays with its photo",
    ]  # fmt: skip
    assert snapshot(src) == before and not contents(dest)
