"""Files that would run code, take memory or read other files are refused, and run nothing."""

from __future__ import annotations

import os
import pickle
import resource
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from mnv2cli.errors import InputError, WeightsError
from mnv2cli.models import ModelOptions, open_model
from mnv2cli.models.elsewhere.build import one_sentence
from mnv2cli.models.weights import import_keras
from tests.models.elsewhere.networks import as_keras2, edit_h5, edit_keras, names, tiny
from tests.models.test_untrusted import Malicious, lambda_model


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    """The file that appears if the attack works."""
    return tmp_path / "was-run"


def check_refused(path: Path, message: str) -> None:
    """Check that a file is refused when it is opened, or at the latest when it is built."""
    labels = names(path.parent)
    with pytest.raises((WeightsError, InputError)) as caught:
        open_model(ModelOptions(str(path), labels=labels)).build()
    assert message in caught.value.message, caught.value.message
    assert "\n" not in caught.value.message and str(path) in caught.value.message


@pytest.mark.parametrize("name", ["evil.keras", "evil.h5", "evil.zip"])
def test_a_lambda_layer_is_refused_and_not_run(tmp_path: Path, marker: Path, name: str) -> None:
    path = tmp_path / name
    saved = path.with_suffix(".h5") if name.endswith(".zip") else path
    lambda_model(marker).save(saved)
    if saved.suffix == ".h5":
        edit_h5(saved, as_keras2)
    if saved != path:
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(saved, "keras_model.h5")
    marker.unlink(missing_ok=True)
    check_refused(path, "contains a Lambda layer, which is Python code: refused")
    assert not marker.exists()


LAYER = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 3},
         "registered_name": None}  # fmt: skip


def put(entry: dict[str, Any]) -> Callable[[Any], Any]:
    """Return an edit that puts a layer in the middle of a chain."""

    def edit(config: Any) -> Any:
        config["config"]["layers"].insert(3, entry)
        return config

    return edit


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"class_name": "TFOpLambda", "config": {"function": "math.truediv"}},
         "contains TFOpLambda, which calls a function of TensorFlow by its name"),
        ({"class_name": "SlicingOpLambda", "config": {}}, "contains SlicingOpLambda"),
        ({**LAYER, "module": "os", "class_name": "system"}, "'system' of the module 'os'"),
        ({**LAYER, "module": "keras_evil"}, "of the module 'keras_evil'"),
        ({**LAYER, "registered_name": "mine>Dense"}, "'mine>Dense', a class of its author"),
        ({**LAYER, "class_name": "mine>Dense"}, "'mine>Dense', a class of its author"),
        ({**LAYER, "class_name": "TFSMLayer", "config": {"filepath": "x"}},
         "contains the layer 'TFSMLayer', which mnv2 does not load"),
        ({**LAYER, "class_name": "TorchModuleWrapper"}, "'TorchModuleWrapper'"),
        ({**LAYER, "class_name": "get_file", "module": "keras.src.utils.file_utils"},
         "contains the layer 'get_file'"),
        ({**LAYER, "config": {"units": 3, "activation": "__import__"}}, "'__import__'"),
        ({**LAYER, "config": {"units": 3, "activation":
          {"module": "os", "class_name": "function", "config": "system"}}}, "module 'os'"),
        ({**LAYER, "config": {"units": 3, "activation": {"class_name": "__lambda__",
          "config": {"value": []}}}}, "uses the function"),
        ({**LAYER, "config": {"units": 3, "lora_rank": 4}}, "with 'lora_rank'"),
        ({**LAYER, "config": {"units": {"class_name": "X", "config": {}}}}, "a setting that is"),
        ({**LAYER, "config": {"units": 10**30}}, "a setting that is not"),
        ({**LAYER, "config": {"units": 3, "dtype": {"class_name": "QuantizedDTypePolicy",
          "config": {"name": "int8_from_float32"}}}}, "computes in 'int8_from_float32'"),
        ({**LAYER, "class_name": "Conv2D", "config": {"filters": 3, "kernel_size": 1,
          "data_format": "channels_first"}}, "channels_first"),
        ({"class_name": "Dense"}, "is damaged: its description"),
        ("Dense", "is damaged: its description"),
    ],
)  # fmt: skip
def test_what_is_not_a_known_layer_with_plain_settings_is_refused(
    tmp_path: Path, entry: Any, message: str
) -> None:
    path = tmp_path / "evil.keras"
    tiny().save(path)
    edit_keras(path, put(entry))
    check_refused(path, message)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({**LAYER, "config": {"units": 10**9}}, "more weights than the file contains"),
        ({**LAYER, "class_name": "Conv2D", "config": {"filters": 10**6, "kernel_size": [999, 999]}},
         "more weights than the file contains"),
        ({**LAYER, "class_name": "UpSampling2D", "config": {"size": [10**6, 10**6]}},
         "output is far too large"),
        ({**LAYER, "class_name": "ZeroPadding2D", "config": {"padding": 10**8}},
         "output is far too large"),
    ],
)  # fmt: skip
def test_a_layer_that_would_exhaust_memory_is_refused_before_it_is_created(
    tmp_path: Path, entry: dict[str, Any], message: str
) -> None:
    path = tmp_path / "evil.keras"
    tiny().save(path)
    import_keras()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    edit_keras(path, put(entry))
    check_refused(path, message)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000  # kilobytes


def test_models_in_models_without_end_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "evil.keras"
    tiny().save(path)
    nested: Any = LAYER
    for _ in range(40):
        nested = {"class_name": "Sequential", "config": {"name": "s", "layers": [nested]}}
    edit_keras(path, put(nested))
    check_refused(path, "contains more than 12 models in each other")
    many = [dict(LAYER) for _ in range(6000)]
    edit_keras(path, lambda config: {**config, "config": {"name": "s", "layers": many}})
    check_refused(path, "more than 3,000 layers")
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["config.json"] = b"[" * 1_000_000
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    check_refused(path, "is damaged: its description")


def test_models_that_multiply_by_calling_each_other_are_refused(tmp_path: Path) -> None:
    keras = import_keras()
    given = keras.Input((32, 32, 3))
    model = keras.Model(given, keras.layers.Activation("relu")(given))
    for _ in range(3):
        x = given = keras.Input((32, 32, 3))
        for _ in range(3):
            x = model(x)
        model = keras.Model(given, x)
    path = tmp_path / "evil.keras"
    model.save(path)

    def multiply(config: Any) -> Any:
        layers = config["config"]["layers"]
        layers[1]["inbound_nodes"] *= 1000
        inner = layers[1]["config"]["layers"][1]
        inner["inbound_nodes"] *= 1000
        return config

    edit_keras(path, multiply)
    check_refused(path, "is far too large: more than 6,000 layers")


@pytest.mark.parametrize("name", ["evil.keras", "evil.h5", "evil.zip"])
def test_a_pickle_is_refused_and_not_run(tmp_path: Path, marker: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(pickle.dumps(Malicious(f"touch {marker}")))
    check_refused(path, "is a pickle, which can run code: refused")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("keras_model.h5", b"")
        archive.writestr("data.pkl", pickle.dumps(Malicious(f"touch {marker}")))
    check_refused(path, "contains a pickle, 'data.pkl', which can run code: refused")
    assert not marker.exists()


def test_archives_that_are_bombs_or_leave_their_folder_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "evil.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("keras_model.h5", "w", force_zip64=True) as member,
    ):
        for _ in range(1100):
            member.write(bytes(1 << 20))
    check_refused(path, "far too large")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../keras_model.h5", b"x")
    check_refused(path, "a path outside the archive: refused")
    for name, message in (
        ("model.savedmodel/saved_model.pb", "SavedModel of TensorFlow, which is a program"),
        ("model_unquant.tflite", "contains a TensorFlow Lite model"),
        ("model.json", "contains a TensorFlow.js model"),
        ("photo.jpg", "does not contain one model of Keras"),
    ):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, b"x")
        check_refused(path, message)


def test_weights_that_link_to_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "evil.h5"
    tiny().save(path)
    with h5py.File(path, "r+") as file:
        file["model_weights"]["secret"] = h5py.ExternalLink("/etc/passwd", "/")
    check_refused(path, "links to other files: refused")


def test_weights_that_do_not_fit_or_are_not_numbers_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.keras"
    tiny(4).save(path)
    edit_keras(path, lambda config: _with_units(config, 3))
    check_refused(path, "cannot be loaded")
    made = tiny()
    made.layers[-1].bias.assign(np.array([1, np.nan, 2], np.float32))
    made.save(path)
    check_refused(path, "is not finite")


def _with_units(config: Any, units: int) -> Any:
    config["config"]["layers"][-1]["config"]["units"] = units
    return config


def test_errors_of_keras_become_one_plain_sentence(tmp_path: Path) -> None:
    path = tmp_path / "other.keras"
    tiny().save(path)
    settings = {"name": "p", "pool_size": [2, 2], "strides": [0, 0]}
    edit_keras(path, put({"class_name": "MaxPooling2D", "config": settings}))
    with pytest.raises(WeightsError) as caught:
        open_model(ModelOptions(str(path), labels=names(tmp_path))).build()
    text = str(caught.value).splitlines()[0]
    assert text.isprintable() and "Arguments" not in text
    why = text.partition("cannot be loaded: ")[2]
    assert why and len(why) <= 150
    colours = (
        "Exception encountered when calling MaxPooling2D.call().\n\n\x1b[1mNo pool. More.\x1b[0m\n"
    )
    assert one_sentence(f"{colours}\nArguments received by MaxPooling2D.call():") == "No pool"
    assert one_sentence("x" * 200) == f"{'x' * 147}..."


def test_files_that_are_not_models_are_refused_with_what_they_are(tmp_path: Path) -> None:
    path = tmp_path / "other.h5"
    with pytest.raises(InputError, match="model file not found"):
        open_model(ModelOptions(str(path)))
    for content, message in (
        (b"", "is empty"),
        (b"hello", "is not a model of Keras"),
        (b"\x1c\0\0\0TFL3", "is a TensorFlow Lite model"),
        (b"PK\x03\x04", "is damaged"),
        (b"\x89HDF\r\n\x1a\n", "is"),
    ):
        path.write_bytes(content)
        check_refused(path, message)
    path.unlink()
    tiny().save_weights(str(tmp_path / "x.weights.h5"))
    os.rename(tmp_path / "x.weights.h5", path)
    check_refused(path, "contains weights without a description")


def test_a_custom_loss_that_is_not_needed_is_ignored(tmp_path: Path, marker: Path) -> None:
    path = tmp_path / "other.keras"
    tiny().save(path)
    edit_keras(path, lambda config: {**config, "compile_config": {"loss": {
        "module": "os", "class_name": "function", "config": "system"}}})  # fmt: skip
    open_model(ModelOptions(str(path), labels=names(tmp_path))).build()
    assert not marker.exists()
