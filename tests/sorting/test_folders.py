"""Names of folders, and templates."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import Result

from mnv2cli.errors import InputError
from mnv2cli.sorting.folders import safe_name
from mnv2cli.sorting.options import FolderOptions

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
        ("CONIN$", "_CONIN$"),
        ("conout$.txt", "_conout$.txt"),
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
     "{label:>99999999}", "{score:9999999.1f}", "{0}", "{}", " / x", "x/..",
     "x/" * 5_000 + "x"],
)  # fmt: skip
def test_templates_that_cannot_be_used_are_refused(template: str) -> None:
    with pytest.raises(InputError, match="the template"):
        FolderOptions(template)
