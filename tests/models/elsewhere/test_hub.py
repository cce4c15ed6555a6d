"""Presets of KerasHub give its scores; what is not an image classifier of it is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnv2cli.engines import open_engine
from mnv2cli.engines.options import EngineOptions
from mnv2cli.errors import InputError, WeightsError
from mnv2cli.models import ModelOptions, open_model
from mnv2cli.models.elsewhere import hub
from mnv2cli.models.weights import import_keras
from tests.models.elsewhere.networks import pixels

CONVERTER = {"image_size": [32, 32], "scale": [0.02, 0.01, 0.005], "offset": [-2.0, -1.0, 0.0],
             "crop_to_aspect_ratio": True, "interpolation": "bilinear"}  # fmt: skip


def entry(kind: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return an object as KerasHub describes it."""
    return {"module": "keras_hub.src.models.resnet.module", "class_name": kind, "config": config,
            "registered_name": f"keras_hub>{kind}"}  # fmt: skip


def task(**backbone: Any) -> dict[str, Any]:
    """Return the description of a classifier."""
    converter = entry("ResNetImageConverter", dict(CONVERTER))
    return entry("ResNetImageClassifier", {
        "backbone": entry("ResNetBackbone", {"image_shape": [None, None, 3], **backbone}),
        "preprocessor": entry("ResNetImageClassifierPreprocessor", {"image_converter": converter}),
        "num_classes": 3, "pooling": "avg", "activation": None, "dropout": 0.0,
    })  # fmt: skip


def preset(folder: Path, content: Any) -> str:
    """Write a folder with a description and labels, without weights."""
    folder.mkdir()
    (folder / "task.json").write_text(json.dumps(content))
    (folder / "labels.txt").write_text("a\nb\nc\n")
    return str(folder)


def test_a_description_tells_size_scale_and_labels_without_kerashub(tmp_path: Path) -> None:
    path = preset(tmp_path / "preset", task())
    model = open_model(ModelOptions(path))
    assert (model.size, model.divisor, model.shift, model.model) == (32, 1.0, 0.0, "preset")
    assert model.image_defaults["fit"] == "crop" and "adds one" in model.notes[0]
    with pytest.raises(WeightsError, match="no trained last layer"):
        model.build()
    with pytest.raises(InputError, match="takes images of 32 pixels, not 96"):
        open_model(ModelOptions(path, size=96))
    with pytest.raises(InputError, match="--scale cannot be combined"):
        open_model(ModelOptions(path, scale="0..1"))
    (tmp_path / "preset" / "labels.txt").unlink()
    with pytest.raises(InputError, match="has no labels"):
        open_model(ModelOptions(path))


def test_without_kerashub_the_error_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = preset(tmp_path / "preset", task())
    for name in ("model.weights.h5", "task.weights.h5"):
        (tmp_path / "preset" / name).touch()
    monkeypatch.setattr(hub, "find_spec", lambda name: None)
    with pytest.raises(InputError) as caught:
        open_model(ModelOptions(path)).build()
    assert "requires KerasHub" in caught.value.message and hub.INSTALL in caught.value.hint


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"class_name": "CausalLM"}, "is not an image classifier of KerasHub: refused"),
        ({"module": "os"}, "of the module 'os'"),
        ({"registered_name": "mine>ResNetImageClassifier"}, "'mine>ResNetImageClassifier'"),
        ({"config": {}}, "is damaged"),
        ({"config": task(layer={"class_name": "Lambda"})["config"]}, "the setting 'layer'"),
        ({"config": task(filters=10**9)["config"]}, "contains the setting 'filters'"),
        ({"config": {**task()["config"], "preprocessor": None}}, "does not contain a converter"),
        ({"config": {**task()["config"], "num_classes": 4}}, "has 4 outputs, but the list has 3"),
    ],
)  # fmt: skip
def test_what_is_not_a_plain_image_classifier_is_refused(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    with pytest.raises((WeightsError, InputError)) as caught:
        open_model(ModelOptions(preset(tmp_path / "preset", {**task(), **change})))
    assert message in caught.value.message


def test_a_folder_that_is_no_preset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"does not contain task\.json"):
        open_model(ModelOptions(str(tmp_path)))


@pytest.mark.slow
def test_a_preset_gives_the_scores_of_kerashub_in_both_engines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keras_hub = pytest.importorskip("keras_hub")
    monkeypatch.setenv("MNV2_CACHE", str(tmp_path / "cache"))
    backbone = keras_hub.models.ResNetBackbone(
        [64], [3], [64, 64], [1, 1], [1, 2], "basic_block", image_shape=(None, None, 3)
    )
    made = keras_hub.models.ResNetImageClassifier(
        backbone=backbone,
        num_classes=3,
        preprocessor=keras_hub.models.ResNetImageClassifierPreprocessor(
            keras_hub.layers.ResNetImageConverter(**CONVERTER)
        ),
    )
    path = tmp_path / "preset"
    made.save_to_preset(str(path))
    (path / "labels.txt").write_text("a\nb\nc\n")
    wanted = import_keras().ops.softmax(
        made(made.preprocessor(pixels().astype(np.float32)), training=False)
    )
    for engine in ("keras", "litert"):
        got = open_engine(EngineOptions(engine), open_model(ModelOptions(str(path))))
        assert np.abs(got.predict(pixels()) - wanted).max() < 1e-4
    content = json.loads((path / "task.json").read_text())
    content["config"]["backbone"]["config"]["stackwise_num_filters"] = [64, 60_000]
    (path / "task.json").write_text(json.dumps(content))
    with pytest.raises(WeightsError, match="more weights than its files contain"):
        open_model(ModelOptions(str(path))).build()
