"""What is not a file of results is refused at once, with what to do."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mnv2cli.errors import InputError
from mnv2cli.results.any_file import check_any, read_any
from mnv2cli.results.corrections import read_corrections


@pytest.mark.skipif(sys.platform == "win32", reason="requires named pipes")
@pytest.mark.parametrize("read", [check_any, read_any, read_corrections])
def test_a_pipe_is_refused_without_waiting(tmp_path: Path, read: Callable[[str], object]) -> None:
    path = str(tmp_path / "labels.csv")
    os.mkfifo(path)
    with pytest.raises(InputError, match="it is not a regular file") as error:
        read(path)
    assert error.value.hint


@pytest.mark.skipif(sys.platform == "win32", reason="requires links")
def test_a_link_to_nothing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.symlink_to("gone.csv")
    with pytest.raises(InputError, match=r"it is a link to 'gone.csv', which does not exist"):
        check_any(str(path))


def test_the_command_to_copy_is_quoted(tmp_path: Path) -> None:
    folder = tmp_path / "my photos"
    folder.mkdir()
    with pytest.raises(InputError, match="is a folder") as error:
        check_any(str(folder))
    assert error.value.hint.endswith(f"mnv2 classify '{folder}' -o labels.csv")
