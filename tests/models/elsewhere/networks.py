"""Small networks with random weights, and the files that other programs would write of them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from mnv2cli.models.weights import import_keras

SIZE = 32


def filled(model: Any) -> Any:
    """Fill a model with random weights that give distinct scores."""
    rng = np.random.default_rng(7)
    for variable in model.variables:
        if variable.dtype == "float32":
            values = rng.normal(0, 0.4, variable.shape)
            variable.assign(abs(values) + 0.5 if "variance" in variable.path else values)
    return model


def chain(*layers: Any, size: int | None = SIZE, channels: int = 3) -> Any:
    """Return a Sequential model of layers."""
    keras = import_keras()
    return filled(keras.Sequential([keras.Input((size, size, channels)), *layers]))


def tiny(units: int = 3, activation: str | None = "softmax", scaled: bool = True) -> Any:
    """Return a network with the usual layers, in a chain."""
    layers = import_keras().layers
    return chain(
        layers.RandomFlip(),
        *([layers.Rescaling(1 / 255)] if scaled else []),
        layers.Conv2D(4, 3, activation="relu"),
        layers.BatchNormalization(),
        layers.Dropout(0.5),
        layers.DepthwiseConv2D(3, padding="same"),
        layers.LeakyReLU(0.1),
        layers.GlobalAveragePooling2D(),
        layers.Dense(units, activation=activation),
    )


def branched() -> Any:
    """Return a graph with branches, a layer called twice, operations, and any size of input."""
    keras = import_keras()
    layers = keras.layers
    given = keras.Input((None, None, 3))
    x = layers.Conv2D(4, 3, padding="same")(given / 127.5 - 1.0)
    y = layers.SeparableConv2D(4, 3, padding="same")(x)
    x = layers.Concatenate()([x, layers.Add()([x, y])])
    shared = layers.Conv2D(8, 1)
    x = layers.Conv2D(3, 1)(keras.activations.relu(shared(shared(x))))
    return filled(keras.Model(given, layers.Softmax()(layers.GlobalAveragePooling2D()(x))))


def transfer(activation: str = "sigmoid", units: int = 1) -> Any:
    """Return a model in a model, as tutorials of transfer learning build them."""
    keras = import_keras()
    layers = keras.layers
    given = keras.Input((SIZE, SIZE, 3))
    x = layers.Conv2D(4, 3, activation="relu6")(given)
    base = keras.Model(given, layers.BatchNormalization()(x), name="base")
    pixels = keras.Input((SIZE, SIZE, 3))
    x = layers.Rescaling(1 / 127.5, offset=-1)(layers.RandomRotation(0.1)(pixels))
    x = layers.GlobalAveragePooling2D()(base(x, training=False))
    return filled(keras.Model(pixels, layers.Dense(units, activation=activation)(x)))


def repeated(calls: int, used: int, *, as_chain: bool = False) -> Any:
    """Return a graph that calls a model in it several times.

    Args:
        calls: How many times, each on the output of the one before.
        used: Which call gives the features: from 1, or 0 for a difference of all outputs.
        as_chain: The model in it is a chain instead of a graph.
    """
    keras = import_keras()
    layers = keras.layers
    given = keras.Input((SIZE, SIZE, 3))
    inner = keras.Model(given, layers.Conv2D(3, 3, padding="same", activation="tanh")(given))
    if as_chain:
        inner = keras.Sequential([given, layers.Conv2D(3, 3, padding="same", activation="tanh")])
    inner(keras.Input((SIZE, SIZE, 3)))  # a call outside the model
    pixels = keras.Input((SIZE, SIZE, 3))
    outputs = [layers.Rescaling(1 / 255)(pixels)]
    for _ in range(calls):
        outputs.append(inner(outputs[-1]))
    x = outputs[used]
    if not used:
        for each in outputs[1:]:
            x = layers.Subtract()([x, each])
    x = layers.GlobalMaxPooling2D()(x)
    return filled(keras.Model(pixels, layers.Dense(3, "softmax")(x)))


def ending_in_a_model(calls: int, used: int) -> Any:
    """Return a graph whose output is that of a model in it, from call number ``used``.

    Args:
        calls: How many times the model is called.
        used: Which call, from 1.
    """
    keras = import_keras()
    layers = keras.layers
    given = keras.Input((3,))
    inner = keras.Model(given, layers.Dense(3, "softmax")(given))
    pixels = keras.Input((SIZE, SIZE, 3))
    x = layers.GlobalMaxPooling2D()(layers.Rescaling(1 / 255)(pixels))
    outputs = [layers.Dense(3)(x)]
    for _ in range(calls):
        outputs.append(inner(outputs[-1]))
    return filled(keras.Model(pixels, outputs[used]))


def teachable() -> Any:
    """Return a network as Teachable Machine builds them: without scaling."""
    keras = import_keras()
    layers = keras.layers
    given = keras.Input((SIZE, SIZE, 3))
    x = layers.ReLU(6.0)(layers.Conv2D(4, 3, strides=2, use_bias=False)(given))
    x = layers.BatchNormalization()(layers.DepthwiseConv2D(3, use_bias=False)(x))
    body = keras.Sequential([keras.Model(given, x, name="model1"), layers.GlobalAveragePooling2D()])
    head = keras.Sequential([layers.Dense(10, "relu"), layers.Dense(3, "softmax", use_bias=False)])
    return filled(keras.Sequential([body, head]))


def edit_h5(path: Path, edit: Callable[[Any], Any], version: str = "2.4.0") -> None:
    """Change the description in an HDF5 file."""
    with h5py.File(path, "r+") as file:
        config = edit(json.loads(file.attrs["model_config"]))
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = version


def edit_keras(path: Path, edit: Callable[[Any], Any]) -> None:
    """Change the description in a ``.keras`` file."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["config.json"] = json.dumps(edit(json.loads(members["config.json"]))).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def as_keras2(entry: Any) -> Any:
    """Return a description in the form that Keras 2 wrote, with groups in depthwise layers."""
    if isinstance(entry, list):
        return [as_keras2(each) for each in entry]
    if not isinstance(entry, dict):
        return entry
    found = {key: as_keras2(value) for key, value in entry.items()
             if key not in ("module", "registered_name", "build_config")}  # fmt: skip
    if "batch_shape" in found:
        found["batch_input_shape"] = found.pop("batch_shape")
    if found.get("class_name") == "DepthwiseConv2D":
        found["config"]["groups"] = 1
    for nodes in found.get("inbound_nodes") or ():
        if isinstance(nodes, dict):
            given = nodes["args"][0]
            refs = [each["config"]["keras_history"] + [{}]
                    for each in (given if isinstance(given, list) else [given])]  # fmt: skip
            nodes.clear()
            nodes["refs"] = refs
    if "inbound_nodes" in found:
        found["inbound_nodes"] = [node["refs"] for node in found["inbound_nodes"]]
    if found.get("class_name") == "DTypePolicy":
        return "float32"
    return found


def names(folder: Path, count: int = 3) -> str:
    """Write a list of labels, and return its path."""
    path = folder / "names.txt"
    path.write_text("".join(f"thing {number}\n" for number in range(count)))
    return str(path)


def pixels(size: int = SIZE, count: int = 3) -> NDArray[np.uint8]:
    """Return images of noise."""
    return np.random.default_rng(1).integers(0, 256, (count, size, size, 3), np.uint8)
