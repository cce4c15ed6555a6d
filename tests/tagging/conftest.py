"""Fixtures: exiftool, where it is installed."""

from __future__ import annotations

import os
import shutil

import pytest

NO_EXIFTOOL = "exiftool is not installed"


@pytest.fixture(scope="session")
def exiftool() -> str:
    """Return the path of exiftool; skip the test if there is none."""
    found = shutil.which("exiftool")
    if found is None:
        if "exiftool" in os.environ.get("MNV2_TESTS_REQUIRE", ""):
            pytest.fail(NO_EXIFTOOL)
        pytest.skip(NO_EXIFTOOL)
    return found
