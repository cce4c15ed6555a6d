"""Downloaded weights and leftovers of downloads are found and removed."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from mnv2cli.errors import OutputError
from mnv2cli.models.cleanup import (
    downloaded_weights,
    interrupted_downloads,
    remove_downloads,
    remove_weights,
)
from tests.conftest import WEIGHTS


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


def test_leftovers_of_killed_downloads_are_found_once_they_are_old(folder: Path) -> None:
    leftovers = [folder / f".{WEIGHTS}.{name}.part.h5" for name in ("old", "new")]
    others = [folder / f".{WEIGHTS}.old", folder / ".mine.h5.x.part.h5", folder / WEIGHTS]
    for path in [*leftovers, *others]:
        path.write_bytes(b"")
        os.utime(path, (0, 0))
    os.utime(leftovers[1], (time.time(), time.time()))
    assert interrupted_downloads() == [str(leftovers[0])]
    remove_downloads([str(leftovers[0]), str(folder / "gone")])
    assert (
        not leftovers[0].exists()
        and leftovers[1].exists()
        and all(path.exists() for path in others)
    )
    assert interrupted_downloads() == []


def test_only_published_weights_are_found_and_removed(folder: Path) -> None:
    assert downloaded_weights() == []
    for name in (WEIGHTS, "mine.h5"):
        (folder / name).write_bytes(b"")
    assert downloaded_weights() == [str(folder / WEIGHTS)]
    remove_weights(downloaded_weights())
    assert os.listdir(folder) == ["mine.h5"]
    with pytest.raises(OutputError, match="cannot remove"):
        remove_weights([str(folder / WEIGHTS)])
