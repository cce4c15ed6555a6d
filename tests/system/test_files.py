"""Files get their name only when they are complete."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import pytest

from mnv2cli.system.files import AtomicFile, content_digest, read_unnoticed


def test_a_part_file_takes_the_place_and_the_mode_of_the_file_it_replaces(tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    target.write_text("old")
    target.chmod(0o640)
    part = AtomicFile(str(target))
    part.file.write(b"new")
    assert target.read_text() == "old" and os.path.dirname(part.name) == str(tmp_path)
    part.commit()
    assert target.read_text() == "new" and stat.S_IMODE(target.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["out.csv"]


def test_a_new_file_has_the_mode_that_the_user_wants(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        AtomicFile(str(tmp_path / "new")).commit()
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640


def test_a_part_file_that_is_discarded_or_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out.csv"
    AtomicFile(str(target)).discard()
    assert os.listdir(tmp_path) == []

    def refuse(*args: object) -> None:
        raise OSError(28, "No space left on device")

    part = AtomicFile(str(target))
    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="No space left"):
        part.commit()
    assert os.listdir(tmp_path) == [] and part.file.closed


def test_reading_and_digests_are_of_the_content(tmp_path: Path) -> None:
    content = os.urandom(100_000)
    path = tmp_path / "file"
    path.write_bytes(content)
    os.utime(path, (1, 1))
    assert read_unnoticed(str(path)) == content
    assert content_digest(str(path)) == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("has_links", [True, False])
def test_a_file_that_appeared_meanwhile_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    if not has_links:

        def refused(*args: object) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr("mnv2cli.system.files.os.link", refused)
    target = tmp_path / "model.keras"
    parts = [AtomicFile(str(target)), AtomicFile(str(target))]
    for number, part in enumerate(parts):
        part.file.write(b"%d" % number)
    parts[0].commit(replace=False)
    with pytest.raises(FileExistsError):
        parts[1].commit(replace=False)
    assert target.read_bytes() == b"0" and os.listdir(tmp_path) == ["model.keras"]
