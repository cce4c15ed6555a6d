"""Models of other programs give the scores of Keras, in both engines."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from mnv2cli.engines import open_engine
from mnv2cli.engines.options import EngineOptions
from mnv2cli.errors import InputError, WeightsError
from mnv2cli.models import ModelOptions, open_model
from mnv2cli.models.weights import import_keras
from tests.conftest import draw
from tests.models.elsewhere.networks import (
    SIZE,
    as_keras2,
    branched,
    chain,
    edit_h5,
    ending_in_a_model,
    names,
    pixels,
    repeated,
    teachable,
    tiny,
    transfer,
)

MODELS: dict[str, Callable[[], Any]] = {
    "chain": tiny,
    "logits": lambda: tiny(activation=None),
    "graph": branched,
    "one unit": transfer,
    "transfer": lambda: transfer("softmax", 3),
}


def expected(model: Any, scaled: Any) -> Any:
    """Return softmax scores as Keras computes them."""
    scores = np.asarray(model(np.asarray(scaled, np.float32), training=False))
    if scores.shape[1] == 1:
        return np.concatenate([1 - scores, scores], 1)
    return scores if abs(scores.sum(1) - 1).max() < 1e-4 else import_keras().ops.softmax(scores)


def save(folder: Path, model: Any, name: str = "other.keras") -> str:
    model.save(folder / name)
    return str(folder / name)


@pytest.mark.parametrize("suffix", ["keras", "h5"])
@pytest.mark.parametrize("name", MODELS)
def test_the_keras_engine_gives_the_scores_of_keras(tmp_path: Path, name: str, suffix: str) -> None:
    made = MODELS[name]()
    path = save(tmp_path, made, f"other.{suffix}")
    count = 2 if name == "one unit" else 3
    model = open_model(ModelOptions(path, labels=names(tmp_path, count), size=None))
    assert [label.name for label in model.labels] == [f"thing {i}" for i in range(count)]
    assert model.size == (224 if name == "graph" else SIZE)
    images = pixels(model.size)
    got = open_engine(EngineOptions("keras"), model).predict(images)
    wanted = expected(made, images)
    assert np.abs(got - wanted).max() < 1e-5 and np.ptp(wanted) > 0.01
    assert bool(model.notes) == (name == "logits")
    last = model.build().layers[-1]
    assert model.features in (0, last.input.shape[-1])


REPEATED: dict[str, Callable[[], Any]] = {
    "called once": lambda: repeated(1, 0),
    "called twice": lambda: repeated(2, 0),
    "called three times": lambda: repeated(3, 0),
    "first call alone": lambda: repeated(3, 1),
    "a chain called twice": lambda: repeated(2, 0, as_chain=True),
    "output of one call": lambda: ending_in_a_model(1, 1),
    "output of the first call": lambda: ending_in_a_model(2, 1),
    "output of the second call": lambda: ending_in_a_model(2, 2),
}


@pytest.mark.parametrize("suffix", ["keras", "h5"])
@pytest.mark.parametrize("name", REPEATED)
def test_a_model_called_in_a_model_gives_the_scores_of_keras(
    tmp_path: Path, name: str, suffix: str
) -> None:
    path = save(tmp_path, REPEATED[name](), f"other.{suffix}")
    loaded = import_keras().models.load_model(path, compile=False)
    model = open_model(ModelOptions(path, labels=names(tmp_path)))
    got, wanted = (
        np.asarray(each(pixels().astype(np.float32))) for each in (model.build(), loaded)
    )
    assert np.abs(got - wanted).max() < 1e-5 and np.ptp(wanted) > 0.01


@pytest.mark.parametrize("as_chain", [False, True])
@pytest.mark.parametrize("first", [0, 1])
def test_keras_2_counts_the_calls_of_a_model_from_one(
    tmp_path: Path, as_chain: bool, first: int
) -> None:
    made = repeated(2, 0, as_chain=as_chain)
    path = Path(save(tmp_path, made, "other.h5"))
    inner = made.layers[2].name

    def edit(entry: Any) -> Any:
        found = as_keras2(entry)
        for layer in found["config"]["layers"]:
            for ref in (ref for node in layer["inbound_nodes"] for ref in node):
                ref[1] += first * (ref[0] == inner)
        return found

    edit_h5(path, edit)
    model = open_model(ModelOptions(str(path), labels=names(tmp_path)))
    if first or as_chain:
        got = np.asarray(model.build()(pixels().astype(np.float32)))
        assert np.abs(got - expected(made, pixels())).max() < 1e-5
    else:
        with pytest.raises(WeightsError, match="inputs do not exist"):
            model.build()


@pytest.mark.parametrize("name", ["logits", "one unit"])
def test_the_litert_engine_gives_the_scores_of_keras(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("MNV2_CACHE", str(tmp_path / "cache"))
    made = MODELS[name]()
    path = save(tmp_path, made)
    labels = names(tmp_path, 2 if name == "one unit" else 3)
    got = open_engine(EngineOptions("litert"), open_model(ModelOptions(path, labels=labels)))
    assert np.abs(got.predict(pixels()) - expected(made, pixels())).max() < 1e-5


def test_the_size_of_a_model_for_any_size_is_given_by_the_user(tmp_path: Path) -> None:
    made = branched()
    path, labels = save(tmp_path, made), names(tmp_path)
    model = open_model(ModelOptions(path, labels=labels, size=40))
    got = np.asarray(model.build()(pixels(40).astype(np.float32)))
    assert np.abs(got - expected(made, pixels(40))).max() < 1e-5
    fixed = save(tmp_path, tiny(), "fixed.keras")
    with pytest.raises(InputError, match="takes images of 32 pixels, not 40"):
        open_model(ModelOptions(fixed, labels=labels, size=40))


@pytest.mark.parametrize("as_archive", [False, True])
def test_a_model_of_teachable_machine_is_scaled_and_cropped_as_its_sample_code_does(
    tmp_path: Path, as_archive: bool
) -> None:
    made = teachable()
    path = tmp_path / "keras_model.h5"
    made.save(path)
    edit_h5(path, as_keras2)
    with pytest.raises(Exception, match="groups"):
        import_keras().models.load_model(path)
    labels = b"0 Cat\n1 Dog\n2 Hot dog\n"
    if as_archive:
        with zipfile.ZipFile(tmp_path / "converted_keras.zip", "w") as archive:
            archive.write(path, "keras_model.h5")
            archive.writestr("labels.txt", labels)
        path.unlink()
        path = tmp_path / "converted_keras.zip"
    else:
        (tmp_path / "labels.txt").write_bytes(labels)
    model = open_model(ModelOptions(str(path)))
    assert [label.name for label in model.labels] == ["Cat", "Dog", "Hot dog"]
    assert (model.divisor, model.shift) == (127.5, 1.0)
    assert model.image_defaults == {"fit": "crop", "crop_ratio": 1.0, "interpolation": "lanczos"}
    scaled = pixels().astype(np.float32) / 127.5 - 1
    got = open_engine(EngineOptions("keras"), model).predict(pixels())
    assert np.abs(got - expected(made, scaled)).max() < 1e-5


def test_without_a_layer_that_scales_the_scale_must_be_given(tmp_path: Path) -> None:
    made = tiny(scaled=False)
    path, labels = save(tmp_path, made), names(tmp_path)
    with pytest.raises(InputError, match="cannot tell which pixel values") as caught:
        open_model(ModelOptions(path, labels=labels))
    assert all(scale in caught.value.hint for scale in ("0..1", "-1..1", "0..255"))
    for scale, low, high in (("0..1", 0, 1), ("-1..1", -1, 1), ("0..255", 0, 255)):
        model = open_model(ModelOptions(path, labels=labels, scale=scale))
        assert [value / model.divisor - model.shift for value in (0, 255)] == [low, high]
    with pytest.raises(InputError, match="scale must be one of"):
        open_model(ModelOptions(path, labels=labels, scale="0..2"))
    model = open_model(ModelOptions(path, labels=labels, scale="0..1"))
    got = open_engine(EngineOptions("keras"), model).predict(pixels())
    assert np.abs(got - expected(made, pixels() / np.float32(255))).max() < 1e-5


def test_a_normalisation_that_learned_small_means_is_not_for_bytes(tmp_path: Path) -> None:
    layers = import_keras().layers
    normalisation = layers.Normalization()
    normalisation.adapt(np.random.default_rng(0).random((8, SIZE, SIZE, 3)))
    made = import_keras().Sequential([
        import_keras().Input((SIZE, SIZE, 3)), normalisation, layers.Flatten(),
        layers.Dense(3, "softmax"),
    ])  # fmt: skip
    path, labels = save(tmp_path, made), names(tmp_path)
    with pytest.raises(WeightsError, match="was not trained on pixels"):
        open_model(ModelOptions(path, labels=labels)).build()
    open_model(ModelOptions(path, labels=labels, scale="0..1")).build()


def test_labels_are_found_beside_the_model_and_counted(tmp_path: Path) -> None:
    path = save(tmp_path, tiny())
    with pytest.raises(InputError, match="has no labels") as caught:
        open_model(ModelOptions(path))
    assert "--labels FILE" in caught.value.hint and "imagenet" not in caught.value.hint
    (tmp_path / "labels.txt").write_text("a\nb\nc\n")
    assert len(open_model(ModelOptions(path)).labels) == 3
    with pytest.raises(InputError, match="has 3 outputs, but the list has 2 labels"):
        open_model(ModelOptions(path, labels=names(tmp_path, 2)))
    graph = save(tmp_path, branched(), "graph.keras")  # its description does not tell
    with pytest.raises(InputError, match="has 3 outputs, but the list has 2 labels"):
        open_model(ModelOptions(graph, labels=names(tmp_path, 2))).build()


def test_a_thousand_outputs_are_not_taken_for_imagenet(tmp_path: Path) -> None:
    path = save(tmp_path, tiny(1000))
    with pytest.raises(InputError) as caught:
        open_model(ModelOptions(path))
    assert "--labels imagenet" in caught.value.hint
    assert open_model(ModelOptions(path, labels="imagenet")).labels[0].name == "tench"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda k: chain(k.Flatten(), k.Dense(3, "softmax"), channels=1), "takes grey images"),
        (lambda k: chain(k.Flatten(), k.Dense(3, "softmax"), channels=4), "images with 4 channels"),
        (lambda k: chain(k.Rescaling(1 / 255), k.Conv2D(3, 1, activation="softmax")),
         "does not give one list of scores: its output has 4 axes"),
        (lambda k: chain(k.Rescaling(1 / 255), k.Flatten(), k.Dense(3, "relu")),
         "its last activation is relu"),
        (lambda k: chain(k.Rescaling(1 / 255), k.Flatten(), k.BatchNormalization()),
         "is not a classifier"),
        (lambda k: chain(k.Rescaling(1 / 255), k.Flatten(), k.Dense(3, "sigmoid")),
         "each of 3 labels a separate score"),
        (lambda k: chain(k.Rescaling(1 / 255), k.Flatten(), k.Dense(3, "softmax"), size=4),
         "is not between 8 and 1024"),
    ],
)  # fmt: skip
def test_networks_that_are_no_classifiers_of_images_are_refused(
    tmp_path: Path, make: Callable[[Any], Any], message: str
) -> None:
    path = save(tmp_path, make(import_keras().layers))
    with pytest.raises((WeightsError, InputError)) as caught:
        open_model(ModelOptions(path, labels=names(tmp_path))).build()
    assert message in caught.value.message and path in caught.value.message


def test_several_inputs_or_outputs_and_other_shapes_are_refused(tmp_path: Path) -> None:
    keras = import_keras()
    one, other = keras.Input((SIZE, SIZE, 3)), keras.Input((SIZE, SIZE, 3))
    x = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(one))
    scores, more = keras.layers.Dense(3)(x), keras.layers.Dense(3)(x)
    both = keras.layers.Dense(3)(keras.layers.Flatten()(keras.layers.Add()([one, other])))
    wide = keras.Input((16, SIZE, 3))
    cases = {
        "has several inputs": keras.Model([one, other], both),
        "has several outputs": keras.Model(one, [scores, more]),
        "only square inputs": keras.Model(
            wide, keras.layers.Dense(3)(keras.layers.Flatten()(wide))
        ),
    }
    for message, made in cases.items():
        path = save(tmp_path, made)
        with pytest.raises(WeightsError, match=message):
            open_model(ModelOptions(path, labels=names(tmp_path)))


@pytest.mark.parametrize(
    "option", [{"alpha": 0.5}, {"accurate": True}, {"weights": "w.h5"}, {"refresh": True}]
)
def test_options_of_other_networks_are_refused(tmp_path: Path, option: dict[str, Any]) -> None:
    path = save(tmp_path, tiny())
    with pytest.raises(InputError, match="cannot be combined with --model"):
        open_model(ModelOptions(path, **option))
    with pytest.raises(InputError, match="--scale requires --model"):
        open_model(ModelOptions("mobilenet_v2", scale="0..1"))


def test_the_identity_changes_with_the_content_and_the_options(tmp_path: Path) -> None:
    path = save(tmp_path, tiny(scaled=False))
    labels = names(tmp_path)
    found = [
        open_model(ModelOptions(path, labels=labels, scale=scale)).identity()
        for scale in ("0..1", "-1..1", "0..1")
    ]
    assert found[0] == found[2] != found[1]
    save(tmp_path, tiny(activation=None, scaled=False))
    assert open_model(ModelOptions(path, labels=labels, scale="0..1")).identity() != found[0]


def test_opening_a_model_imports_no_keras(tmp_path: Path) -> None:
    path, labels = save(tmp_path, tiny()), names(tmp_path)
    code = (
        "import sys; from mnv2cli.models import ModelOptions, open_model\n"
        f"open_model(ModelOptions({path!r}, labels={labels!r})).identity()\n"
        "print(*{'tensorflow', 'keras', 'h5py'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "\n"


def test_the_command_classifies_with_the_model_and_its_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, invoke: Callable[..., Result]
) -> None:
    monkeypatch.setenv("MNV2_CACHE", str(tmp_path / "cache"))
    path, labels = save(tmp_path, tiny(activation=None)), names(tmp_path)
    photo = draw(tmp_path / "photo.jpg")
    common = ("classify", photo, "--model", path, "--labels", labels, "--engine", "keras")
    result = invoke(*common, "-f", "jsonl", "--top", "2")
    assert result.exit_code == 0, result.stderr
    record = json.loads(result.stdout)
    assert {each["label"] for each in record["predictions"]} <= {f"thing {i}" for i in range(3)}
    assert record["model"] == "other.keras" and "ends without softmax" in result.stderr


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mobilenet_v", "Did you mean 'mobilenet_v2'?"),
        ("keras:EfficientNetV2", "Did you mean 'keras:EfficientNetV2"),
        ("keras:nothing", "'keras:nothing' is not a network of keras.applications."),
        ("missing.keras", "'missing.keras' does not exist."),
        ("missing/folder", "'missing/folder' does not exist."),
    ],
)
def test_the_command_refuses_unknown_models_and_suggests_similar_ones(
    photos: Path, invoke: Callable[..., Result], name: str, message: str
) -> None:
    result = invoke("classify", "photos", "--model", name)
    assert result.exit_code == 2 and message in result.stderr
