"""Only regular files are opened; the error for others names their type."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tests.conftest import draw
from tests.images.pixels import reason


def test_a_file_that_is_not_regular_is_never_opened(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").mkdir()
    assert reason(tmp_path / "x.jpg") == "a folder, not an image"
    os.mkfifo(tmp_path / "f.jpg")
    assert reason(tmp_path / "f.jpg") == "not a regular file: a named pipe"
    assert reason("/dev/zero") == "not a regular file: a device"
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(tmp_path / "s.jpg"))
        assert reason(tmp_path / "s.jpg") == "not a regular file: a socket"


def test_a_file_that_turns_into_a_pipe_does_not_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "f.jpg")
    regular = os.stat(draw(tmp_path / "a.png"))
    monkeypatch.setattr(os, "stat", lambda path: regular)
    assert reason(tmp_path / "f.jpg") == "not a regular file: a named pipe"


def test_missing_files_and_broken_links_have_a_reason(tmp_path: Path) -> None:
    assert reason(tmp_path / "a.jpg") == "no such file"
    assert reason("") == "no such file"
    assert reason("a\0b.jpg") == "no such file: the name contains a NUL byte"
    (tmp_path / "l.jpg").symlink_to("nowhere")
    assert reason(tmp_path / "l.jpg") == "broken link: its target does not exist"
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    assert reason(tmp_path / "loop.jpg").startswith("cannot be read: too many levels")
    assert reason("x" * 5000) == "cannot be read: file name too long"


def test_permission_denied_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = draw(tmp_path / "a.png")

    def refuse(path: str, flags: int) -> int:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("mnv2cli.images.opening.open_without_waiting", refuse)
    assert reason(path) == "permission denied"
