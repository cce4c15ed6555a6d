"""A learned model and photos that it knows, without a network: features are mean colours."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from mnv2cli.engines.protocol import Outputs
from mnv2cli.models.head import Head
from mnv2cli.models.learned_file import LearnedContent, members
from mnv2cli.models.options import ModelOptions
from mnv2cli.models.unknown import Unknown
from tests.conftest import FakeEngine, draw

NAMES = ("red", "green", "blue")
SHARPNESS = 20.0


class ColourEngine(FakeEngine):
    """Gives features that begin with the mean colour; the others are 1."""

    def run(self, batch: NDArray[np.uint8]) -> Outputs:
        features = np.ones((len(batch), 1280), np.float32)
        features[:, :3] = batch.mean(axis=(1, 2)).round()
        return Outputs(self.predict(batch), features)


def use_colours(monkeypatch: pytest.MonkeyPatch) -> ColourEngine:
    """Replace the network with a fake."""
    engine = ColourEngine()
    monkeypatch.setattr("mnv2cli.inference.classifier.open_engine", lambda *args, **kwargs: engine)
    monkeypatch.setattr("mnv2cli.inference.classifier.available", lambda model, **kwargs: model)
    return engine


def content(**changes: Any) -> LearnedContent:
    """Return a head that scores by the largest of the first three features, too sure."""
    kernel = np.zeros((1280, 3), np.float32)
    kernel[:3] = np.eye(3) * SHARPNESS
    means = np.zeros((3, 1280), np.float32)
    means[:, :3] = np.eye(3)
    two = np.ones(2, np.float32)
    unknown = Unknown(means, two, two, np.linspace(-5, 5, 50, dtype=np.float32))
    head = Head(kernel, np.zeros(3, np.float32), unknown)
    return LearnedContent(NAMES, head, ModelOptions("mobilenet_v2"), **changes)


def write_model(path: Path, **changes: Any) -> Path:
    """Write a file of a learned model; of Keras's members, it has only a head."""
    made = content(**changes)
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        file["layers/backbone/vars/0"] = np.zeros((1280, 4), np.float32)
        file["layers/dense/vars/0"] = made.head.kernel
        file["layers/dense/vars/1"] = made.head.bias
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", weights.getvalue())
        for name, data in members(made).items():
            archive.writestr(name, data, zipfile.ZIP_DEFLATED)
    return path


def draw_photos(folder: Path, each: int = 40, wrong: int = 4, seed: int = 0) -> Path:
    """Draw photos in the folders red, green and blue; the first ones have another colour."""
    random = np.random.default_rng(seed)
    for index, name in enumerate(NAMES):
        for number in range(each):
            colour = random.integers(20, 60, 3)
            main = (index + 1) % 3 if number < wrong else index
            colour[main] += random.integers(45, 140)
            draw(folder / name / f"{number}.png", tuple(int(value) for value in colour))
    return folder


def draw_honest_photos(folder: Path, count: int, sharpness: float, seed: int = 0) -> Path:
    """Draw photos whose class is random, with the probabilities of a head of that sharpness."""
    random = np.random.default_rng(seed)
    for number in range(count):
        colour = random.integers(20, 200, 3)
        length = np.sqrt((colour.astype(float) ** 2).sum() + 1277)
        powers = np.exp(sharpness * colour / length)
        name = NAMES[random.choice(3, p=powers / powers.sum())]
        draw(folder / name / f"{number}.png", tuple(int(value) for value in colour))
    return folder
