"""The real network with random weights: no download, the real loading code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mnv2cli import Classifier
from mnv2cli.engines import EngineOptions, open_engine
from mnv2cli.models.mobilenet_v2 import MobileNetV2
from mnv2cli.models.options import ModelOptions
from mnv2cli.models.weights import import_keras
from tests.conftest import draw

pytestmark = pytest.mark.usefixtures("random_weights")


def batch(n: int) -> NDArray[np.uint8]:
    return np.random.default_rng(n).integers(0, 256, (n, 96, 96, 3), np.uint8)


def test_scores_are_those_of_model_predict(model: Any) -> None:
    keras = import_keras()
    engine = open_engine(EngineOptions("keras"), MobileNetV2(alpha=0.35, size=96))
    for n in (1, 3, 8):
        images = batch(n)
        scaled = keras.applications.mobilenet_v2.preprocess_input(images.astype(np.float32))
        scores = engine.predict(images)
        assert scores.shape == (n, 1000) and scores.dtype == np.float32
        np.testing.assert_allclose(scores, model.predict(scaled, verbose=0), atol=1e-6)
        np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)


def test_classifier_runs_from_files_to_predictions(tmp_path: Path) -> None:
    for i in range(5):
        draw(tmp_path / f"{i}.png", (50 * i, 9, 9))
    draw(tmp_path / "bad.png").write_bytes(b"")
    classifier = Classifier(top=2, model=ModelOptions(alpha=0.35, size=96), engine="keras")
    records = list(classifier.classify(tmp_path))
    assert [r.status for r in records] == ["ok"] * 5 + ["error"]
    assert all(len(r.predictions) == 2 for r in records[:5])
    assert list(classifier.classify(str(tmp_path / "0.png"), tmp_path / "1.png")) == records[:2]
    assert classifier.load() is classifier.load()
