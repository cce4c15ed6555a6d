"""Inputs that cannot exist: found before the run begins."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from mnv2cli.sources.missing import why_missing
from tests.sources.helpers import Invoke, table


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("zip://none.zip", "No such archive: 'none.zip'."),
        ("zip://a.png::none.zip", "No such archive: 'none.zip'."),
        ("tar://./none.tar.gz", "No such archive: './none.tar.gz'."),
        ("zip://a.png::file:///none/a.zip", "No such archive: 'file:///none/a.zip'."),
        ("tar://::zip://in.tar::none.zip", "No such archive: 'none.zip'."),
        ("zip://photos.tar", "'photos.tar' is not a zip archive."),
        ("tar://photos.zip", "'photos.zip' is not a tar archive."),
        ("tar://damaged.tar.gz", "'damaged.tar.gz' is not a tar archive."),
        ("zip://folder", "'folder' is a folder, not a zip archive."),
        ("file:///none/a.png", "No such file or folder: 'file:///none/a.png'."),
    ],
)
def test_a_missing_archive_is_a_usage_error_like_a_missing_folder(
    archives: Path, invoke: Invoke, url: str, text: str
) -> None:
    Path("damaged.tar.gz").write_bytes(b"\x1f\x8b" + b"x" * 50)
    Path("folder").mkdir()
    result = invoke("classify", url)
    assert result.exit_code == 2 and result.stdout == ""
    assert text in result.stderr
    result = invoke("classify", url, "nowhere")
    assert result.exit_code == 2 and f"{text[:-1]} (and 1 more)." in result.stderr


@pytest.mark.usefixtures("fake_engine")
def test_a_missing_archive_beside_other_inputs_is_an_error_row(
    archives: Path, invoke: Invoke
) -> None:
    result = invoke("classify", "zip://none.zip", "zip://img2.png::photos.zip")
    assert result.exit_code == 4
    assert [row["status"] for row in table(result.stdout)] == ["error", "ok"]
    assert invoke("classify", "--files-from", "-", input="zip://none.zip\n").exit_code == 4


def test_inputs_that_may_exist_are_not_missing(archives: Path) -> None:
    Path("photos.taz").write_bytes(gzip.compress(Path("photos.tar").read_bytes()))
    Path("cut.tar.gz").write_bytes(Path("photos.tar.gz").read_bytes()[:60])
    for given in (
        "photos.zip", "*.png", "none*.jpg", "zip://photos.zip", "tar://photos.tar.gz",
        "tar://photos.taz", "tar://cut.tar.gz", "zip://*.png::photos.zip",
        f"zip://::file://{archives}/photos.zip",
        "s3://bucket/a.zip", "zip://a.png::https://h/a.zip", "tar://::zip://x.tar::photos.zip",
    ):  # fmt: skip
        assert why_missing(given) == "", given
