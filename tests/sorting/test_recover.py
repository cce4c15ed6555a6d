"""An interrupted run is finished by the next one."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mnv2cli.journals.file import Journal
from mnv2cli.sorting.apply import apply
from mnv2cli.sorting.recover import finish
from mnv2cli.sorting.run import SortRun
from mnv2cli.sorting.undo import undo
from tests.sorting.trees import contents, plan_of, record, write


def test_an_interrupted_move_does_not_take_a_link_for_a_second_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    src, dest = tmp_path / "src", tmp_path / "dest"
    photo = write(src / "a.jpg", "photo")

    def interrupt(*args: Any, **options: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", interrupt)
        with pytest.raises(KeyboardInterrupt):
            apply(plan_of([record(photo)], dest))
    (dest / "tench" / "a.jpg").symlink_to(photo)
    apply(plan_of([record(photo)], dest))
    assert "photo" in [path.read_text() for path in tmp_path.rglob("*.jpg")]
    assert not photo.is_symlink() or (dest / "tench" / "a.jpg").is_file()


def test_an_interruption_right_after_a_rename_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    src, dest = tmp_path / "src", tmp_path / "dest"
    photo = write(src / "a.jpg", "photo")
    real = os.replace

    def refuse(*args: Any, **options: Any) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    def interrupt(*args: Any) -> None:
        real(*args)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        apply(plan_of([record(photo)], dest))
    assert (dest / "tench" / "a.jpg").read_text() == "photo"
    monkeypatch.setattr(os, "replace", real)
    assert apply(plan_of([], dest)).finished == 1
    undo(str(dest))
    assert photo.read_text() == "photo"


def test_an_interrupted_move_from_a_folder_that_became_read_only_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    src, dest = tmp_path / "src", tmp_path / "dest"
    photo = write(src / "a.jpg", "photo")
    real = os.unlink

    def interrupt(path: Any, *args: Any, **options: Any) -> None:
        if path == str(photo):
            raise KeyboardInterrupt
        real(path, *args, **options)

    def refuse(path: Any, *args: Any, **options: Any) -> None:
        if path == str(photo):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        real(path, *args, **options)

    monkeypatch.setattr(os, "unlink", interrupt)
    with pytest.raises(KeyboardInterrupt):
        apply(plan_of([record(photo)], dest))
    monkeypatch.setattr(os, "unlink", refuse)
    outcome = apply(plan_of([record(photo)], dest))
    assert [reason for _, reason in outcome.failed] == ["permission denied"]
    assert photo.read_text() == "photo" and not contents(dest)


def test_finishing_an_interrupted_run_is_interrupted_between_files_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = [write(tmp_path / "src" / name, name) for name in ("a.jpg", "b.jpg")]
    dest = tmp_path / "dest"

    def killed(*args: Any, **options: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(SortRun, "execute", killed)
        with pytest.raises(KeyboardInterrupt):
            apply(plan_of(map(record, photos), dest))
    inside: list[bool] = []
    active = False

    @contextmanager
    def critical_section() -> Iterator[None]:
        nonlocal active
        active = True
        yield
        active = False

    real_execute, real_append = SortRun.execute, Journal.append

    def execute(self: SortRun, *args: Any) -> None:
        inside.append(active)
        real_execute(self, *args)

    def append(self: Journal, lines: Any) -> None:
        inside.append(active)
        real_append(self, lines)

    monkeypatch.setattr(SortRun, "execute", execute)
    monkeypatch.setattr(Journal, "append", append)
    assert finish(str(dest), critical_section).finished == 2
    assert inside == [True] * 4 and not photos[1].exists()
