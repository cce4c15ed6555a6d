"""Learning without a network: features by colour, and a file without Keras's layers."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from mnv2cli.engines.protocol import Outputs
from mnv2cli.models import ModelOptions, open_model
from tests.conftest import FakeEngine, draw


class ColourEngine(FakeEngine):
    """Features by colour: alike for equal red and the same half of green, else unlike."""

    def run(self, batch: NDArray[np.uint8]) -> Outputs:
        """Return scores and features."""
        features = np.zeros((len(batch), 1280), np.float32)
        for i, (red, green, blue) in enumerate(batch.mean(axis=(1, 2)).round().astype(int)):
            noise = np.random.default_rng([red, green, blue])
            features[i] = noise.normal(0, 0.065, 1280)
            start = 2 * (2 * red + green // 128)
            features[i, start : start + 2] += 4
        return Outputs(self.predict(batch), features)


@pytest.fixture
def fast(fake_engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """Learn with the fake network, in an empty folder and with an empty cache of features."""
    engine = ColourEngine()
    monkeypatch.setattr("mnv2cli.inference.classifier.open_engine", lambda *args, **kwargs: engine)
    layers = io.BytesIO()
    with h5py.File(layers, "w") as file:
        file["layers/classes/vars/0"] = np.zeros((1280, 2), np.float32)
        file["layers/classes/vars/1"] = np.zeros(2, np.float32)
    config = {"config": {"layers": [{"class_name": "Dense", "config": {"name": "classes"}}]}}
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", layers.getvalue())
    monkeypatch.setattr(
        "mnv2cli.models.learned_template._template", lambda network: whole.getvalue()
    )
    monkeypatch.setenv("MNV2_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    weights = Path(open_model(ModelOptions()).cached)
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"weights")
    monkeypatch.chdir(tmp_path)
    return engine


def draw_classes(folder: Path, **photos: int) -> Path:
    """Draw photos of some classes: the red of a class is its position times 10."""
    for position, (name, number) in enumerate(photos.items()):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for photo in range(number):
            draw_photo(folder / name / f"{name}{photo}.png", position, photo)
    return folder


def draw_photo(path: Path, position: int, photo: int) -> Path:
    """Draw a photo of the class at a position."""
    return draw(path, (10 * position, 5 + photo % 100, photo // 100), (8, 8))
