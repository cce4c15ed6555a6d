"""The real network with random weights: no download, the real loading code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from mnv2cli import Classifier
from mnv2cli.engines import EngineOptions, open_engine
from mnv2cli.errors import InputError, WeightsError
from mnv2cli.labels.imagenet import imagenet_labels
from mnv2cli.labels.options import LabelOptions
from mnv2cli.labels.rank import rank
from mnv2cli.models import mobilenet_v2
from mnv2cli.models.mobilenet_v2 import MobileNetV2, published_sizes
from mnv2cli.models.options import ModelOptions
from mnv2cli.models.weights import import_keras
from tests.conftest import WEIGHTS as NAME
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


def test_the_address_and_the_name_are_kerass_own(monkeypatch: pytest.MonkeyPatch) -> None:
    keras = import_keras()
    asked: list[tuple[str, str, str]] = []

    def get_file(name: str, origin: str, cache_subdir: str) -> str:
        asked.append((name, origin, cache_subdir))
        raise FileNotFoundError

    module = sys.modules[keras.applications.MobileNetV2.__module__]
    monkeypatch.setattr(module.file_utils, "get_file", get_file)  # type: ignore[attr-defined]
    for alpha, size in [(0.35, 96), (0.5, 160), (1.0, 224), (1.4, 224)]:
        assert size in published_sizes(alpha)
        asked.clear()
        with pytest.raises(FileNotFoundError):
            keras.applications.MobileNetV2(alpha=alpha, input_shape=(size, size, 3))
        name = MobileNetV2(alpha=alpha, size=size).file_name
        assert asked == [(name, mobilenet_v2.WEIGHTS_URL + name, "models")]


def test_alpha_1_means_1_point_0() -> None:
    assert MobileNetV2(alpha=1).file_name.endswith("_1.0_224.h5")


def test_kerass_decode_predictions_ranks_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    keras = import_keras()
    utils = sys.modules[keras.applications.imagenet_utils.decode_predictions.__module__]
    index = {str(i): [label.wnid, label.name] for i, label in enumerate(imagenet_labels())}
    monkeypatch.setattr(utils, "CLASS_INDEX", index)
    scores = np.random.default_rng(0).dirichlet(np.ones(1000), 50).astype(np.float32)
    for top in (1, 5, 1000):
        wanted = keras.applications.mobilenet_v2.decode_predictions(scores, top=top)
        for row, predictions in zip(scores, wanted, strict=True):
            mine = [(p.wnid, p.label, p.score) for p in rank(row, imagenet_labels(), top)]
            assert mine == [(w, n, float(str(s))) for w, n, s in predictions]


@pytest.mark.parametrize(
    ("alpha", "size"), [(1.0, 100), (1.3, 192), (1.4, 96), (0.6, 224), (1.0, 256)]
)
def test_weights_that_are_not_published_are_refused(alpha: float, size: int) -> None:
    with pytest.raises(InputError, match="no weights are published") as caught:
        MobileNetV2(alpha=alpha, size=size)
    assert "alpha 1.3 and 1.4 at size 224" in caught.value.hint


def test_own_weights_may_have_any_size(tmp_path: Path) -> None:
    keras = import_keras()
    own = keras.applications.MobileNetV2(weights=None, alpha=0.2, input_shape=(64, 64, 3))
    own.save_weights(tmp_path / "own.weights.h5")
    network = MobileNetV2(alpha=0.2, size=64, weights=str(tmp_path / "own.weights.h5"))
    assert network.build().input_shape == (None, 64, 64, 3)
    own.save(tmp_path / "own.keras")
    network = MobileNetV2(alpha=0.2, size=64, weights=str(tmp_path / "own.keras"))
    assert network.build().input_shape == (None, 64, 64, 3)
    for bad in ({"size": 8}, {"alpha": 0.0}, {"refresh": True}):
        with pytest.raises(InputError):
            MobileNetV2(weights=str(tmp_path / "own.keras"), **bad)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="there is no weights file"):
        MobileNetV2(weights="nowhere.h5")


def test_weights_of_another_network_are_refused(home: Path, tmp_path: Path) -> None:
    path = str(home / "models" / NAME)
    with pytest.raises(WeightsError, match=r"does not fit MobileNetV2 0\.5") as caught:
        MobileNetV2(alpha=0.5, size=96, weights=path).build()
    assert path in caught.value.message and "\n" not in caught.value.message
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = [1]
    with pytest.raises(WeightsError, match="does not fit"):
        MobileNetV2(weights=str(tmp_path / "x.h5")).build()


def test_weights_that_are_not_finite_are_refused(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "nan.h5"
    path.write_bytes((home / "models" / NAME).read_bytes())
    with h5py.File(path, "r+") as file:
        kernel = next(v for v in _datasets(file) if v.ndim == 4)
        kernel[0, 0, 0, 0] = np.nan
    with pytest.raises(WeightsError, match=r"is damaged: .* is not finite"):
        MobileNetV2(alpha=0.35, size=96, weights=str(path)).build()


def _datasets(file: h5py.File) -> list[h5py.Dataset]:
    found: list[h5py.Dataset] = []
    file.visititems(lambda _, item: found.append(item) if isinstance(item, h5py.Dataset) else None)
    return found


def test_a_damaged_cached_file_is_named_and_refreshed(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = (home / "models" / NAME).read_bytes()
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    cached = tmp_path / "models" / NAME
    cached.parent.mkdir()
    cached.write_bytes(good[: len(good) // 2])
    with pytest.raises(WeightsError, match="is cut short") as caught:
        MobileNetV2(alpha=0.35, size=96).build()
    assert str(cached) in caught.value.message and "--refresh-weights" in caught.value.hint
    assert f"mnv2 models import {NAME}" in caught.value.hint

    def fetch(origin: Any, progress: Any) -> None:
        assert (origin.url, origin.path) == (mobilenet_v2.WEIGHTS_URL + NAME, str(cached))
        Path(origin.path).write_bytes(good)

    monkeypatch.setattr("mnv2cli.models.download.download", fetch)
    assert MobileNetV2(alpha=0.35, size=96, refresh=True).build().output_shape == (None, 1000)
    cached.unlink()
    MobileNetV2(alpha=0.35, size=96).build()
    assert os.path.exists(cached)


def test_another_backend_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    keras = import_keras()
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(WeightsError, match="with the backend 'torch'"):
        import_keras()


def test_a_channels_first_setting_does_no_harm() -> None:
    keras = import_keras()
    keras.config.set_image_data_format("channels_first")
    assert MobileNetV2(alpha=0.35, size=96).build().input_shape == (None, 96, 96, 3)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Classifier(top=0),
        lambda: Classifier(top=1001),
        lambda: Classifier(labels=LabelOptions(threshold=-0.1)),
        lambda: Classifier(labels=LabelOptions(threshold=2)),
        lambda: Classifier(model=ModelOptions(size=225)),
    ],
)
def test_values_out_of_range_are_refused(make: Callable[[], Classifier]) -> None:
    with pytest.raises(InputError):
        make()
