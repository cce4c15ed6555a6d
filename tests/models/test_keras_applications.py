"""The networks of keras.applications are built, fed and labelled as Keras does, with any weights.

The weights here are random: only the graph, the pixels and the order of the labels are compared.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from mnv2cli import Classifier
from mnv2cli.engines import litert
from mnv2cli.errors import InputError, WeightsError
from mnv2cli.images.options import ImageOptions
from mnv2cli.labels.imagenet import imagenet_labels
from mnv2cli.models import MODELS, ModelOptions, open_model
from mnv2cli.models.importing import import_weights, options_of_file
from mnv2cli.models.keras_application import KerasApplication
from mnv2cli.models.weights import import_keras
from mnv2cli.records import Record

FAMILIES = ("mobilenet_v3_large", "efficientnet_v2_b0", "convnext_tiny")
EACH_FAMILY = pytest.mark.parametrize("family", FAMILIES)


def network(family: str, **options: Any) -> KerasApplication:
    model = open_model(ModelOptions(family, **options))
    assert isinstance(model, KerasApplication)
    return model


def noise(count: int) -> NDArray[np.uint8]:
    """Return images, uint8 [count, 224, 224, 3]: coarse patterns of different contrast."""
    random = np.random.default_rng(0)
    coarse = (
        random.integers(0, 256, (count, 8, 8, 3)) // np.arange(1, count + 1)[:, None, None, None]
    )
    return coarse.repeat(28, axis=1).repeat(28, axis=2).astype(np.uint8)


def randomise(model: Any, images: NDArray[np.uint8]) -> None:
    """Give a network random weights with which its scores depend on the image.

    Batch norms get the statistics of the images, and of noise, with which compiled models are
    checked: without, signals would fade, or grow until rounding decides the scores. A layer scale
    of 1e-6, with which Keras begins, would hide the blocks of ConvNeXt. Which blocks the training
    step drops is drawn from the seed: a few draws amplify rounding to a thousand times the usual.
    """
    import_keras().utils.set_random_seed(0)
    random = np.random.default_rng(1)
    for variable in model.weights:
        if len(variable.shape) > 1:
            scale = (2 / np.prod(variable.shape[:-1])) ** 0.5
            variable.assign(random.normal(0, scale, variable.shape))
        elif "moving" not in variable.path:
            is_scale = "gamma" in variable.path or "layer_scale" in variable.path
            variable.assign(random.normal(is_scale, 0.1, variable.shape))
    norms = [layer for layer in model.layers if hasattr(layer, "momentum")]
    for layer in norms:
        layer.momentum = 0.0
    if norms:
        fine = random.integers(0, 256, images.shape, np.uint8)
        model(np.concatenate([images, fine]).astype(np.float32), training=True)


def save(model: Any, path: Path) -> None:
    """Write weights in the format of the published files."""
    from keras.src.legacy.saving import legacy_h5_format

    path.parent.mkdir(exist_ok=True)
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)


def keras_model(model: KerasApplication, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    """Return the network as Keras builds it, with random weights, and its module in Keras.

    Keras's own loader runs up to the download.
    """
    keras = import_keras()
    function = getattr(keras.applications, model.function)
    module = sys.modules[function.__module__]
    wanted: list[tuple[str, str, str, str]] = []

    def get_file(name: str, origin: str, cache_subdir: str, file_hash: str) -> str:
        wanted.append((name, origin, cache_subdir, file_hash))
        return ""

    with monkeypatch.context() as patch:
        patch.setattr(module.file_utils, "get_file", get_file)
        patch.setattr(keras.Model, "load_weights", lambda self, path: None)
        built = function(weights="imagenet", input_shape=(224, 224, 3))
    name, digest = model.file_name, model.checksum.partition(":")[2]
    assert wanted == [(name, model.host + name, "models", digest)]
    assert model.origin.url == model.host + name
    return built, module


def check_parity(family: str, engine: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Check labels and scores of an engine against those of Keras on the same pixels."""
    monkeypatch.setenv("KERAS_HOME", str(folder))
    monkeypatch.delenv("MNV2_WEIGHTS_URL", raising=False)
    model, module = keras_model(network(family), monkeypatch)
    images = noise(2)
    randomise(model, images)
    save(model, Path(network(family).cached))
    for i, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{i}.png")
    labels = imagenet_labels()
    index = {str(i): [label.wnid, label.name] for i, label in enumerate(labels)}
    monkeypatch.setattr(module.imagenet_utils, "CLASS_INDEX", index)
    scores = np.asarray(model(module.preprocess_input(images.astype(np.float32)), training=False))
    assert np.abs(scores[0] - scores[1]).max() > 1e-4  # scores depend on the image
    options = ImageOptions("stretch", "nearest")
    records: list[Record] = list(
        Classifier(top=5, model=family, engine=engine, images=options).classify(folder)
    )
    for record, row in zip(records, module.decode_predictions(scores, top=5), strict=True):
        assert record.model == family
        assert [p.wnid for p in record.predictions] == [wnid for wnid, _, _ in row]
        np.testing.assert_allclose(
            [p.score for p in record.predictions], [score for _, _, score in row], atol=1e-5
        )


@EACH_FAMILY
def test_keras_gives_the_scores_and_labels_of_keras_itself(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_parity(family, "keras", tmp_path, monkeypatch)


@pytest.mark.slow
@pytest.mark.skipif(not litert.is_available(), reason="LiteRT has no wheel here")
@EACH_FAMILY
def test_litert_gives_the_scores_and_labels_of_keras_itself(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_parity(family, "litert", tmp_path, monkeypatch)


def test_weights_of_another_network_are_refused(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (other,) = (home / "models").glob("*.h5")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    model = network("mobilenet_v3_large")
    with pytest.raises(WeightsError, match="does not fit MobileNetV3-Large"):
        import_weights(str(other), model, force=False)
    own = network("mobilenet_v3_large", weights=str(other))
    assert own.model == f"mobilenet_v3_large+{other.name}"
    with pytest.raises(WeightsError, match="does not fit MobileNetV3-Large") as caught:
        own.build()
    assert caught.value.hint == "Use the --model that the weights were trained for."


@EACH_FAMILY
def test_the_published_name_of_a_file_means_its_network(family: str) -> None:
    name = network(family).file_name
    assert options_of_file(f"/stick/{name}", ModelOptions()) == ModelOptions(family)
    assert network(family).how_to_get == f"mnv2 models download {family}"


@EACH_FAMILY
def test_missing_weights_are_an_error_with_ways_out(family: str, no_weights: str) -> None:
    model = network(family)
    with pytest.raises(WeightsError, match="connection refused") as caught:
        Classifier(model=family).load()
    assert no_weights + model.file_name in caught.value.hint
    assert "mnv2 models import FILE" in caught.value.hint and model.cached in caught.value.hint


def test_own_weights_are_checked_before_keras_reads_them(tmp_path: Path) -> None:
    pickle = tmp_path / "w.h5"
    pickle.write_bytes(b"\x80\x04evil")
    for family in MODELS:
        if family != "efficientnet_lite0":
            with pytest.raises(WeightsError, match="is a pickle, which can run code"):
                network(family, weights=str(pickle)).build()
    (tmp_path / "w.pth").touch()
    with pytest.raises(InputError, match="is not a weights file of ConvNeXt-Tiny"):
        network("convnext_tiny", weights=str(tmp_path / "w.pth"))
