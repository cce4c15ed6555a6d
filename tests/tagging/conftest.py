"""Fixtures: ExifTool, which the system has or has not."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from mnv2cli.errors import InputError
from mnv2cli.tagging.exiftool import ExifTool, find_exiftool


@pytest.fixture(scope="session")
def exiftool() -> str:
    """Return the path of ExifTool; skip the test if there is none."""
    try:
        return find_exiftool()
    except InputError as error:
        if "exiftool" in os.environ.get("MNV2_TESTS_REQUIRE", ""):
            pytest.fail(error.message)
        pytest.skip(error.message)


@pytest.fixture(scope="module")
def tool(exiftool: str) -> Iterator[ExifTool]:
    """Return a running ExifTool."""
    with ExifTool(exiftool) as tool:
        yield tool
