"""``--isolate`` and ``--timeout``: files that crash or block their decoder get a row."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from mnv2cli.errors import InputError
from mnv2cli.images.options import ImageOptions
from tests.conftest import FakeEngine, draw
from tests.decoders import children


def test_every_file_has_a_row_with_isolate(
    hostile: Path, fake_engine: FakeEngine, invoke: Callable[..., Result]
) -> None:
    before = children()
    result = invoke("classify", hostile, "-q", "-f", "csv", "--isolate", "--timeout", "1")
    assert result.exit_code == 4 and result.stderr.count("Error: ") == 2
    rows = {
        os.path.basename(row["path"]): row["error"]
        for row in csv.DictReader(io.StringIO(result.stdout))
    }
    assert rows == {
        "boom.jpg": "crashed the decoder: signal 11, SIGSEGV",
        "hang.jpg": "took too long: over 1 second",
        "img1.webp": "",
        "img2.jpg": "",
        "img10.png": "",
    }
    assert children() == before


def test_sort_accepts_isolate_and_timeout(
    hostile: Path, fake_engine: FakeEngine, invoke: Callable[..., Result]
) -> None:
    draw(hostile / "taken.jpg")
    before = children()
    result = invoke(
        "sort", hostile, "--into", "sorted", "--dry-run", "--isolate", "--timeout", "0.8",
        "--template", "{year}",
    )  # fmt: skip
    assert result.exit_code == 4 and children() == before
    assert "boom.jpg: crashed the decoder: signal 11, SIGSEGV" in result.output
    assert "hang.jpg: took too long: over 0.8 seconds" in result.output


@pytest.mark.parametrize("timeout", ["-1", "nan", "inf", "1e9"])
def test_an_invalid_timeout_is_refused(
    photos: Path, fake_engine: FakeEngine, invoke: Callable[..., Result], timeout: str
) -> None:
    result = invoke("classify", photos, "--timeout", timeout)
    assert result.exit_code == 2 and "timeout" in result.stderr
    with pytest.raises(InputError, match="timeout"):
        ImageOptions(timeout=float(timeout))
