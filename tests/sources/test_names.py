from __future__ import annotations

import random

from mnv2cli.sources.names import natural_sorted


def test_natural_order_counts_numbers_and_ignores_case() -> None:
    wanted = ["a.jpg", "img1.jpg", "IMG2.jpg", "img02.jpg", "img10.jpg", "Z.jpg", "\u00e9.jpg"]
    for seed in range(20):
        names = list(wanted)
        random.Random(seed).shuffle(names)
        assert natural_sorted(names) == wanted


def test_composed_and_decomposed_names_sort_alike() -> None:
    assert natural_sorted(["\u00e9b", "e\u0301a", "\u00e9c"]) == ["e\u0301a", "\u00e9b", "\u00e9c"]
