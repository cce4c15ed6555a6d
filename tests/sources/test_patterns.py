from __future__ import annotations

import pytest

from mnv2cli.sources.patterns import matches


@pytest.mark.parametrize(
    ("path", "pattern", "wanted"),
    [
        ("a/IMG_1.JPG", "img_*", True),
        ("a/b", "a", False),  # without a slash, only the last part
        ("a/b.png", "a/*", True),
        ("a/b/c.png", "a/*", False),
        ("a/b/c.png", "a/**/*.png", True),
        ("a/c.png", "a/**/*.png", True),
        ("c.png", "/c.png", True),
        ("a", "a/", True),
        ("a/.h.png", "a/*", True),  # a dot is a letter like any other
        ("a[1].png", "a[[]1].png", True),
        ("a\\*.png", "a\\*.png", True),  # a backslash does not escape
        ("^.png", "[^a].png", True),  # only ! negates
        ("b.png", "[^a].png", False),
    ],
)
def test_patterns_match_the_parts_of_paths(path: str, pattern: str, wanted: bool) -> None:
    assert matches(tuple(path.split("/")), pattern) is wanted
