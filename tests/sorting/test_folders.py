"""Folder names, templates, and results read back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from PIL import Image

from mnv2cli.errors import InputError
from mnv2cli.images.exif import taken_at
from mnv2cli.sorting.folders import safe_name
from mnv2cli.sorting.options import FolderOptions
from tests.conftest import draw

Invoke = Callable[..., Result]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("dog", "dog"),
        ("../../etc", "_._.._etc"),
        ("..", "_"),
        (".", "_"),
        ("", "_"),
        ("/etc/passwd", "_etc_passwd"),
        ("C:\\x", "C__x"),
        ("a\0b\nc\x1b[31m", "a_b_c_[31m"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("com1", "_com1"),
        ("LPT9.jpg", "_LPT9.jpg"),
        ("console", "console"),
        ("dots...", "dots"),
        ("blank  ", "blank"),
        (".mnv2", "_mnv2"),
        ("a/b", "a_b"),
        ("x" * 300, "x" * 100),
        ("\U0001f408" * 80, "\U0001f408" * 50),
        ("cafe\u0301", "caf\u00e9"),
        ("\u202egpj.exe", "_gpj.exe"),
        ("\udcff", "_"),
    ],
)
def test_names_are_safe_on_every_system(text: str, name: str) -> None:
    assert safe_name(text) == name


@pytest.mark.parametrize(
    "template",
    ["", "/", "a//b", "../x", "{label", "{labels}", "{label.__class__}", "{label[0]}", "{label!r}",
     "{label:>99999999}", "{score:9999999.1f}", "{0}", "{}", " / x", "x/.."],
)  # fmt: skip
def test_templates_that_cannot_be_used_are_refused(template: str) -> None:
    with pytest.raises(InputError, match="the template"):
        FolderOptions(template)


def test_the_date_is_that_of_the_exif(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0132] = "2023:01:02 03:04:05"
    path = draw(tmp_path / "a.jpg", exif=exif)
    assert taken_at(str(path)) == "2023:01:02 03:04:05"
    exif.get_ifd(0x8769)[0x9003] = "2020:11:12 13:14:15"
    path = draw(tmp_path / "b.jpg", exif=exif)
    assert taken_at(str(path)) == "2020:11:12 13:14:15"
    exif = Image.Exif()
    exif[0x0132] = "../../:..:.."
    assert taken_at(str(draw(tmp_path / "c.jpg", exif=exif))) == ""
    assert taken_at(str(draw(tmp_path / "d.png"))) == ""
