"""Suffixes of images, and natural order."""

from __future__ import annotations

import random
from pathlib import Path

import pillow_heif
import pytest

from mnv2cli.images.formats import FORMATS, identify
from mnv2cli.images.signatures import HEAD_BYTES
from mnv2cli.sources.names import IMAGE_SUFFIXES, RAW_SUFFIXES, natural_sorted
from tests.conftest import draw

pillow_heif.register_heif_opener()


def test_natural_order_counts_numbers_and_ignores_case() -> None:
    wanted = ["a.jpg", "img1.jpg", "IMG2.jpg", "img02.jpg", "img10.jpg", "Z.jpg", "\u00e9.jpg"]
    for seed in range(20):
        names = list(wanted)
        random.Random(seed).shuffle(names)
        assert natural_sorted(names) == wanted


def test_composed_and_decomposed_names_sort_alike() -> None:
    assert natural_sorted(["\u00e9b", "e\u0301a", "\u00e9c"]) == ["e\u0301a", "\u00e9b", "\u00e9c"]


def test_suffixes_of_images_are_those_of_the_supported_formats() -> None:
    in_folders = [suffix for each in FORMATS if each.in_folders for suffix in each.suffixes]
    assert sorted(in_folders) == sorted(set(IMAGE_SUFFIXES) - set(RAW_SUFFIXES))
    suffixes = [suffix for each in FORMATS for suffix in each.suffixes]
    assert len(suffixes) == len(set(suffixes)) and all(each.suffixes for each in FORMATS)


@pytest.mark.parametrize("suffix", sorted(set(IMAGE_SUFFIXES) - set(RAW_SUFFIXES)))
def test_the_suffix_of_an_image_is_that_of_its_format(tmp_path: Path, suffix: str) -> None:
    if suffix in (".jxl", ".psd", ".psb", ".pfm"):
        pytest.skip(f"Pillow does not write {suffix}")
    path = draw(tmp_path / f"a{suffix}")
    with open(path, "rb") as file:
        image_format = identify(file.read(HEAD_BYTES))
        image_format.load_decoder()
        assert image_format.open(file).size == (40, 30)
    assert suffix in image_format.suffixes
