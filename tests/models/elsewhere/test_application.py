"""Networks of keras.applications are scaled as their own ``preprocess_input`` does."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from mnv2cli.errors import DownloadError, InputError
from mnv2cli.models import ModelOptions, open_model
from mnv2cli.models.elsewhere.application import NETWORKS
from mnv2cli.models.elsewhere.rebuild import rebuilt
from mnv2cli.models.weights import import_keras
from tests.models.elsewhere.networks import pixels, tiny

MODULES = {
    "MobileNetV2": "mobilenet_v2", "DenseNet121": "densenet", "ResNet50": "resnet",
    "VGG16": "vgg16", "ResNet50V2": "resnet_v2", "EfficientNetV2B0": "efficientnet_v2",
    "ConvNeXtTiny": "convnext", "MobileNetV3Small": "mobilenet_v3", "Xception": "xception",
}  # fmt: skip


def test_all_networks_exist_in_keras() -> None:
    applications = import_keras().applications
    assert all(callable(getattr(applications, name)) for name in NETWORKS)


@pytest.mark.parametrize("name", MODULES)
def test_pixels_are_scaled_as_keras_scales_them(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = open_model(ModelOptions(f"keras:{name}"))
    images = pixels(model.size, 1).astype(np.float32)
    wanted = import_module(f"keras.applications.{MODULES[name]}").preprocess_input(images.copy())
    keras = import_keras()
    given = keras.Input((model.size, model.size, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(given)
    # A network that shows what it receives, in the place of the large one.
    last = keras.layers.Dense(3, kernel_initializer="identity")
    seen = keras.Model(given, last(keras.layers.Identity()(pooled)))
    got = model._scaled(seen)  # type: ignore[attr-defined]
    scaled = images / model.divisor - model.shift
    softmax = keras.ops.softmax(wanted.mean((1, 2)))
    result = np.asarray(got(scaled, training=False))
    if got is seen:
        result = np.asarray(keras.ops.softmax(result))
    assert np.abs(result - softmax).max() < 1e-4


def test_the_last_layer_of_a_rebuilt_network_has_one_input() -> None:
    network = tiny(activation=None)
    graph = import_keras().Model(network.inputs, network.outputs[0])
    made = rebuilt(graph, 32, np.eye(3), [0, 0, 0])
    assert made.layers[-1].input.shape[1:] == (4,)
    wanted = import_keras().ops.softmax(network(pixels().astype(np.float32), training=False))
    assert (
        np.abs(np.asarray(made(pixels().astype(np.float32), training=False)) - wanted).max() < 1e-5
    )


def test_weights_that_cannot_be_downloaded_are_an_error_with_a_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))

    def refuse(*args: object, **kwargs: object) -> None:
        sys.stdout.write("Downloading data")
        raise Exception("URL fetch failure")

    monkeypatch.setattr(import_keras().applications, "ResNet50", refuse)
    with pytest.raises(DownloadError, match="cannot load Keras's weights of ResNet50") as caught:
        open_model(ModelOptions("keras:ResNet50")).build()
    assert str(tmp_path) in caught.value.hint and capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (ModelOptions("keras:Nothing"), "unknown network 'Nothing'"),
        (ModelOptions("keras:VGG16", labels="x"), "--labels cannot be combined"),
        (ModelOptions("keras:VGG16", scale="0..1"), "--scale cannot be combined"),
        (ModelOptions("keras:VGG16", size=96), "takes images of 224 pixels, not 96"),
        (ModelOptions("keras:VGG16", alpha=0.5), "--alpha cannot be combined"),
    ],
)
def test_options_that_contradict_the_network_are_refused(
    options: ModelOptions, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        open_model(options)


def test_the_identity_and_labels_need_no_weights() -> None:
    one, other = (open_model(ModelOptions(f"keras:{name}")) for name in ("VGG16", "VGG19"))
    assert one.identity() != other.identity()
    assert one.labels[0] == ("n01440764", "tench") and one.find() == one.fetch() == ""
