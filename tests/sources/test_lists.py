from __future__ import annotations

import io
import os
import sys
from functools import partial
from pathlib import Path

import pytest

from mnv2cli.errors import InputError
from mnv2cli.sources.lists import open_list, read_list


@pytest.mark.parametrize(
    ("data", "null", "wanted"),
    [
        (b"a\nb c\n\nd", False, ["a", "b c", "d"]),
        (b"a\r\nb\r\n", False, ["a", "b"]),
        (b"a\nb\0c\0\0d", True, ["a\nb", "c", "d"]),
        (b"\xff\n", False, ["\udcff"]),
        (b"", True, []),
        (b"\xef\xbb\xbfa\nb", False, ["a", "b"]),
    ],
)
def test_lists_are_read_by_line_or_nul(data: bytes, null: bool, wanted: list[str]) -> None:
    assert list(read_list(io.BytesIO(data).read, null=null)) == wanted


@pytest.mark.parametrize("null", [True, False])
def test_a_file_that_is_not_a_list_is_refused_before_memory_fills(null: bool) -> None:
    with pytest.raises(InputError, match="longer than any path"):
        list(read_list(io.BytesIO(b"x" * 10_000_000).read, null=null))


def test_a_list_that_is_separated_the_other_way_is_refused() -> None:
    with pytest.raises(InputError, match="end with NUL") as caught:
        list(read_list(io.BytesIO(b"a\0b\0").read, null=False))
    assert caught.value.hint == "Add -0."
    with pytest.raises(InputError, match="end with a line end") as caught:
        list(read_list(io.BytesIO(b"a\nb\n").read, null=True))
    assert caught.value.hint == "Omit -0."


def test_a_list_is_read_incrementally() -> None:
    read, write = os.pipe()
    try:
        os.write(write, b"a\0b\0")
        paths = read_list(partial(os.read, read), null=True)
        assert [next(paths), next(paths)] == ["a", "b"]  # and does not wait for more
    finally:
        os.close(read)
        os.close(write)


def test_lists_are_opened_by_name_or_from_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "list").write_bytes(b"a\nb\n")
    assert list(read_list(open_list(str(tmp_path / "list")), null=False)) == ["a", "b"]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"c\n")))
    assert list(read_list(open_list("-"), null=False)) == ["c"]


def test_the_error_of_a_list_has_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match=r"cannot read the list '.*none': no such file"):
        open_list(str(tmp_path / "none"))

    def fail(*args: object) -> int:
        raise OSError("the device's own words")

    monkeypatch.setattr(os, "open", fail)
    with pytest.raises(InputError, match="cannot read the list 'l': the device's own words"):
        open_list("l")
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InputError, match="standard input is closed"):
        open_list("-")
