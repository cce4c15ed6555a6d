"""``mnv2 tag`` with the real network on the example photos, in sidecars and in the photos."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.cli.fish import words
from tests.conftest import SHARED
from tests.doc_pages import make_photos
from tests.sorting.trees import restore_times, snapshot

Invoke = Callable[..., Result]
pytestmark = [
    pytest.mark.real_model,
    pytest.mark.skipif(not (SHARED / "keras").is_dir(), reason="needs weights in ../shared"),
]
EXPECTED = {
    "cat": ("cat", "tiger cat", "Egyptian cat"),
    "coffee": ("drink", "espresso"),
    "motorcycle": ("bicycle and motorcycle", "motor scooter"),
}


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of example photos, with an old time."""
    pytest.importorskip("skimage")
    monkeypatch.setenv("KERAS_HOME", str(SHARED / "keras"))
    monkeypatch.chdir(tmp_path)
    make_photos(tmp_path)
    restore_times(tmp_path)
    return tmp_path / "photos"


def test_example_photos_get_sidecars_and_are_restored(photos: Path, invoke: Invoke) -> None:
    before = snapshot(photos)
    result = invoke("tag", "photos")
    assert result.exit_code == 0, result.output
    assert "Tagged     5 photos with 11 keywords, 5 new sidecars" in result.stderr
    assert "Unsure     1 photo: no label scores 0.3, and no category 0.5;" in result.stderr
    for name, expected in EXPECTED.items():
        assert words(photos / f"{name}.png.xmp") == expected
    assert invoke("undo", "photos").exit_code == 0
    assert snapshot(photos) == before


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="needs exiftool")
def test_example_photos_get_embedded_keywords_and_are_restored(
    photos: Path, invoke: Invoke
) -> None:
    before = snapshot(photos)
    result = invoke("tag", "photos", "--embed", "--hierarchy")
    assert result.exit_code == 0, result.output
    assert "Tagged     5 photos with 11 keywords, 5 photos changed" in result.stderr
    shown = subprocess.run(
        ["exiftool", "-s3", "-Subject", "-HierarchicalSubject", "photos/coffee.png"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown.stdout.splitlines() == ["drink, espresso", "drink|espresso"]
    after = snapshot(photos, journals=False)
    changed = {name for name in after if after[name] != before[name] and name != str(photos)}
    assert len(changed) == 5
    for name in changed:  # permissions and times stay
        assert after[name][2:4] == before[name][2:4]
    assert invoke("undo", "photos").exit_code == 0
    assert snapshot(photos) == before
