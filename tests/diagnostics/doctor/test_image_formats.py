"""``mnv2 doctor`` shows whether raw photos can be read, and how to install their reader."""

from __future__ import annotations

import sys

import pytest

from mnv2cli.diagnostics.doctor import image_formats
from mnv2cli.diagnostics.doctor.check import Check


def raw_photos() -> Check:
    return next(
        check for check in image_formats.check_image_formats() if check.name == "raw photos"
    )


def test_the_installed_reader_of_raw_photos_has_its_version() -> None:
    pytest.importorskip("rawpy", reason="needs the extra: pip install 'mnv2cli[raw]'")
    found = raw_photos()
    assert found.state == "ok" and found.text.startswith("rawpy ") and ", LibRaw " in found.text


@pytest.mark.parametrize(("installed", "state"), [(False, "ok"), (True, "warn")])
def test_a_reader_of_raw_photos_that_cannot_be_imported_is_named(
    monkeypatch: pytest.MonkeyPatch, installed: bool, state: str
) -> None:
    monkeypatch.setitem(sys.modules, "rawpy", None)
    monkeypatch.setattr(image_formats, "is_installed", lambda name: installed)
    found = raw_photos()
    assert found.state == state
    assert "pip install 'mnv2cli[raw]'" in f"{found.text} {found.advice}"
