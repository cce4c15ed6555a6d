"""The words of the operating system, at the end of a sentence of ours."""

from __future__ import annotations

import errno
import os

import pytest

from mnv2cli.system.messages import reason


@pytest.mark.parametrize(
    ("error", "as_it_is"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "No space left on device"),
        (FileNotFoundError(errno.ENOENT, "No such file", "Holiday.jpg"), "No such file"),
        (OSError("Broken Stream"), "Broken Stream"),  # as libraries raise it
    ],
)
def test_the_reason_is_the_systems_without_number_and_path(error: OSError, as_it_is: str) -> None:
    assert reason(error) == as_it_is.lower()
    assert reason(error, lower=False) == as_it_is
