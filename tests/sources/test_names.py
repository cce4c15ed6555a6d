from __future__ import annotations

import random

import pytest

from mnv2cli.sources.names import matches, natural_sorted


def test_natural_order_counts_numbers_and_ignores_case() -> None:
    wanted = ["a.jpg", "img1.jpg", "IMG2.jpg", "img02.jpg", "img10.jpg", "Z.jpg", "\u00e9.jpg"]
    for seed in range(20):
        names = list(wanted)
        random.Random(seed).shuffle(names)
        assert natural_sorted(names) == wanted


def test_composed_and_decomposed_names_sort_alike() -> None:
    assert natural_sorted(["\u00e9b", "e\u0301a", "\u00e9c"]) == ["e\u0301a", "\u00e9b", "\u00e9c"]


@pytest.mark.parametrize(
    ("path", "pattern", "wanted"),
    [
        ("a/IMG_1.JPG", "img_*", True),
        ("a/b", "a", False),  # without a slash, the last part alone
        ("a/b.png", "a/*", True),
        ("a/b/c.png", "a/*", False),
        ("a/b/c.png", "a/**/*.png", True),
        ("a/c.png", "a/**/*.png", True),
        ("c.png", "/c.png", True),
        ("a", "a/", True),
        ("a/.h.png", "a/*", True),  # a dot is no other letter
        ("a[1].png", "a[[]1].png", True),
        ("a\\*.png", "a\\*.png", True),  # a backslash escapes nothing
        ("^.png", "[^a].png", True),  # only ! negates
        ("b.png", "[^a].png", False),
    ],
)
def test_patterns_match_the_parts_of_paths(path: str, pattern: str, wanted: bool) -> None:
    assert matches(tuple(path.split("/")), pattern) is wanted
