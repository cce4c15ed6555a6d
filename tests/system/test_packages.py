"""Installed packages are found without importing them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mnv2cli.system.packages import installed_names, installed_version, is_installed


def test_an_installed_package_has_a_version_and_a_missing_one_has_none() -> None:
    assert installed_version("pytest") == pytest.__version__
    assert is_installed("pytest") and "pytest" in installed_names()
    assert installed_version("no-such-package") == ""
    assert not is_installed("no-such-package")


def test_importlib_metadata_is_imported_only_when_needed() -> None:
    code = (
        "import sys; sys.path[:] = sys.argv[1:]; before = set(sys.modules);"
        "import mnv2cli.system.hardware, mnv2cli.system.packages;"
        "print(*(set(sys.modules) - before))"
    )
    command = [sys.executable, "-S", "-c", code, *sys.path]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded = set(result.stdout.split())
    assert "mnv2cli.system.packages" in loaded and "importlib.metadata" not in loaded
