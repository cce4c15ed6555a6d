"""Parts of messages: reasons of the operating system, and counted nouns."""

from __future__ import annotations

import errno
import os

import pytest

from mnv2cli.system.messages import count, reason


@pytest.mark.parametrize(
    ("error", "original"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "No space left on device"),
        (FileNotFoundError(errno.ENOENT, "No such file", "Holiday.jpg"), "No such file"),
        (OSError("Broken Stream"), "Broken Stream"),  # as libraries raise it
        (TimeoutError(), "TimeoutError"),
    ],
)
def test_the_reason_is_the_systems_without_number_and_path(error: OSError, original: str) -> None:
    assert reason(error) == original.lower()
    assert reason(error, lower=False) == original


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 files"), (1, "1 file"), (2, "2 files"), (12000, "12,000 files")]
)
def test_a_noun_is_plural_unless_there_is_one(number: int, text: str) -> None:
    assert count(number, "file") == text


def test_an_irregular_plural_is_used() -> None:
    assert count(1, "category", "categories") == "1 category"
    assert count(2, "category", "categories") == "2 categories"
