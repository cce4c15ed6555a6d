"""Real photos through a real network, with their labels as the names of folders."""

from __future__ import annotations

from pathlib import Path

import pytest

import mnv2cli
from tests.conftest import SHARED

IMAGES = SHARED / "images"

pytestmark = [
    pytest.mark.real_model,
    pytest.mark.skipif(not IMAGES.is_dir(), reason="needs photos beside the repository"),
]


def test_mobilenet_is_right_about_most_photos_of_imagenet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(SHARED / "keras"))
    for photo in sorted(IMAGES.glob("n*_*.JPEG"))[::4]:
        name = photo.stem.partition("_")[2]
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / photo.name).symlink_to(photo)
    found = mnv2cli.evaluate(tmp_path)
    assert found.matched == "25 labels"
    assert found.top1 >= 0.7 and found.top5 is not None and found.top5 >= 0.95
    assert found.calibration is not None
    assert not found.omitted.folders and not found.omitted.unreadable
