"""MobileNetV2 with published weights and with the user's own."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from mnv2cli.errors import InputError, WeightsError
from mnv2cli.models import mobilenet_v2
from mnv2cli.models.mobilenet_v2 import MobileNetV2, published_sizes
from mnv2cli.models.weights import digest, import_keras
from tests.conftest import WEIGHTS as NAME

pytestmark = pytest.mark.usefixtures("random_weights")


def test_the_url_and_the_file_name_are_those_of_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    keras = import_keras()
    requested: list[tuple[str, str, str]] = []

    def get_file(name: str, origin: str, cache_subdir: str) -> str:
        requested.append((name, origin, cache_subdir))
        raise FileNotFoundError

    module = sys.modules[keras.applications.MobileNetV2.__module__]
    monkeypatch.setattr(module.file_utils, "get_file", get_file)
    for alpha, size in [(0.35, 96), (0.5, 160), (1.0, 224), (1.4, 224)]:
        assert size in published_sizes(alpha)
        requested.clear()
        with pytest.raises(FileNotFoundError):
            keras.applications.MobileNetV2(alpha=alpha, input_shape=(size, size, 3))
        name = MobileNetV2(alpha=alpha, size=size).file_name
        assert requested == [(name, mobilenet_v2.WEIGHTS_URL + name, "models")]


def test_alpha_1_means_1_point_0() -> None:
    assert MobileNetV2(alpha=1).file_name.endswith("_1.0_224.h5")


@pytest.mark.parametrize(
    ("alpha", "size"), [(1.0, 100), (1.3, 192), (1.4, 96), (0.6, 224), (1.0, 256)]
)
def test_weights_that_are_not_published_are_refused(alpha: float, size: int) -> None:
    with pytest.raises(InputError, match="no weights are published") as caught:
        MobileNetV2(alpha=alpha, size=size)
    assert "alpha 1.3 or 1.4 with size 224" in caught.value.hint


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
            MobileNetV2(weights=str(tmp_path / "own.keras"), **bad)
    with pytest.raises(InputError, match="weights file not found"):
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


def _datasets(file: h5py.File) -> list[h5py.Dataset]:
    found: list[h5py.Dataset] = []
    file.visititems(lambda _, item: found.append(item) if isinstance(item, h5py.Dataset) else None)
    return found


def test_weights_that_are_not_finite_are_refused(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "nan.h5"
    path.write_bytes((home / "models" / NAME).read_bytes())
    with h5py.File(path, "r+") as file:
        kernel = next(v for v in _datasets(file) if v.ndim == 4)
        kernel[0, 0, 0, 0] = np.nan
    with pytest.raises(WeightsError, match=r"is damaged: .* is not finite"):
        MobileNetV2(alpha=0.35, size=96, weights=str(path)).build()


def test_a_damaged_cached_file_is_named_and_can_be_refreshed(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = (home / "models" / NAME).read_bytes()
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    cached = tmp_path / "models" / NAME
    cached.parent.mkdir()
    cached.write_bytes(good[: len(good) // 2])
    with pytest.raises(WeightsError, match="is truncated") as caught:
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


def test_a_channels_first_setting_is_ignored() -> None:
    keras = import_keras()
    keras.config.set_image_data_format("channels_first")
    assert MobileNetV2(alpha=0.35, size=96).build().input_shape == (None, 96, 96, 3)


def test_accurate_has_the_weights_of_224_and_a_larger_input(home: Path) -> None:
    plain, accurate = MobileNetV2(alpha=0.5), MobileNetV2(alpha=0.5, accurate=True)
    assert (plain.size, accurate.size) == (224, 256)
    assert accurate.cached == plain.cached and accurate.origin == plain.origin
    assert accurate.how_to_get == plain.how_to_get == "mnv2 models download --alpha 0.5 --size 224"
    assert accurate.model == "mobilenet_v2_0.5_224_accurate"
    assert accurate.name == "MobileNetV2 0.5 (256 x 256)"
    path = str(home / "models" / NAME)  # weights do not depend on the size
    own = MobileNetV2(alpha=0.35, weights=path, accurate=True)
    assert own.model == f"mobilenet_v2_0.35_224_accurate+{NAME}"
    assert own.build().input_shape == (None, 256, 256, 3)


def test_the_identity_never_changes_so_that_compiled_models_are_found(home: Path) -> None:
    path = str(home / "models" / NAME)
    plain = MobileNetV2(alpha=0.35, weights=path).identity()
    assert plain == {
        "architecture": "keras.applications.MobileNetV2",
        "alpha": 0.35,
        "size": 224,
        "divisor": 127.5,
        "shift": 1.0,
        "weights": digest(path),
    }
    accurate = MobileNetV2(alpha=0.35, weights=path, accurate=True).identity()
    assert accurate == {**plain, "size": 256}
