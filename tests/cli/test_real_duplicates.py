"""Copies of real photos by the real network, among photos of rooms that resemble each other."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from PIL import Image, ImageEnhance

from tests.conftest import SHARED

IMAGES, ROOMS = SHARED / "images", SHARED / "rooms"
pytestmark = [
    pytest.mark.real_model,
    pytest.mark.skipif(
        not (IMAGES.is_dir() and ROOMS.is_dir()),
        reason="needs photos and weights beside the repository, in ../shared",
    ),
]


def test_copies_of_photos_are_found_and_different_photos_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, invoke: Callable[..., Result]
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(SHARED / "keras"))
    monkeypatch.chdir(tmp_path)
    expected = {}
    for i, path in enumerate(sorted(IMAGES.iterdir())[:12]):
        name = f"{i}.jpg"
        Path("photos").mkdir(exist_ok=True)
        shutil.copy(path, f"photos/{name}")
        with Image.open(path) as opened:
            image = opened.convert("RGB")
        width, height = image.size
        image.save(f"photos/{i}_compressed.jpg", quality=30)
        image.resize((width // 2, height // 2)).save(f"photos/{i}_half.webp")
        image.crop((width // 20, 0, width, height)).save(f"photos/{i}_cropped.jpg", quality=90)
        ImageEnhance.Brightness(image).enhance(0.7).save(f"photos/{i}_dark.jpg", quality=90)
        expected[i] = {f"photos/{i}{end}" for end in (
            ".jpg", "_compressed.jpg", "_half.webp", "_cropped.jpg", "_dark.jpg",
        )}  # fmt: skip
    for room in ("bathroom", "kitchen"):
        for house in range(1, 9):  # kitchens resemble each other
            for path in (ROOMS / room).glob(f"{house}_*.jpg"):
                shutil.copy(path, f"photos/{room}{house}.jpg")
    result = invoke("duplicates", "photos", "-f", "json")
    assert result.exit_code == 0, result.stderr
    groups: dict[int, set[str]] = {}
    for row in json.loads(result.stdout):
        groups.setdefault(row["group"], set()).add(row["path"])
    assert sorted(map(sorted, groups.values())) == sorted(map(sorted, expected.values()))
