"""Photos of rooms through the real network, if they are beside the repository."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.conftest import SHARED

ROOMS = SHARED / "rooms"

pytestmark = [
    pytest.mark.real_model,
    pytest.mark.skipif(
        not ROOMS.is_dir(), reason="needs photos and weights beside the repository, in ../shared"
    ),
]


def test_rooms_of_ten_houses_teach_those_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, invoke: Callable[..., Result]
) -> None:
    """Learned from ten houses, nearly all rooms of other houses are recognised."""
    monkeypatch.setenv("KERAS_HOME", str(SHARED / "keras"))
    monkeypatch.chdir(tmp_path)
    for path in ROOMS.glob("*/*.jpg"):
        house = int(path.name.partition("_")[0])
        if house <= 10 or 13 <= house < 18:
            part = "training" if house <= 10 else "test"
            target = tmp_path / part / path.parent.name / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    done = invoke(
        "learn", "training", "-o", "mine.keras", "--group-by", "([0-9]+)_[a-z]+", "--json"
    )
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["photos"] == 40
    assert report["groups"] <= 10
    assert report["interval"][0] < report["accuracy"] <= 1
    done = invoke("classify", "test", "--model", "mine.keras", "-k", "1", "-q")
    rows = [line.split(",") for line in done.stdout.splitlines()[1:]]
    right = [Path(row[0]).parent.name == row[2] for row in rows]
    assert len(right) == 20
    assert sum(right) >= 17
