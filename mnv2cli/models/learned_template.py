"""Write the file of a learned model without Keras: a copy of a template, with another head.

The template is a ``.keras`` file with two classes, which Keras writes once for each network. Only
the number of classes, and the kernel and the bias of its last layer, differ between models, so that
learning need not wait for TensorFlow.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import zipfile
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mnv2cli.errors import OutputError, WeightsError
from mnv2cli.models import weights as store
from mnv2cli.models.learned_file import LearnedContent, members
from mnv2cli.system.files import AtomicFile
from mnv2cli.system.folders import cache_folder
from mnv2cli.system.messages import reason
from mnv2cli.system.packages import installed_version

if TYPE_CHECKING:
    from mnv2cli.models.protocol import Model

BACKBONE, CLASSES = "backbone", "classes"
"""The layers of the network, and of the scores."""

TEMPLATE_PREFIX = "mnv2-template-"

_LAYOUT = 1  # raise it when the layers change
_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"


def write_learned(
    path: str, content: LearnedContent, network: Model, *, replace: bool = True
) -> None:
    """Write the file of a learned model beside its place, then move it there.

    Args:
        path: The file.
        content: What the model is.
        network: The network that ``content.backbone`` names, with its weights.
        replace: Replace an existing file.

    Raises:
        OutputError: It exists and ``replace`` is not given, or it cannot be written; nothing is
            left behind.
        WeightsError: The network's weights are not available.
    """
    template = _template(network)
    try:
        part = AtomicFile(os.path.realpath(path), ".keras")  # a link stays
    except OSError as error:
        raise OutputError(f"cannot write {path}: {reason(error)}", "Name another file.") from error
    try:
        with zipfile.ZipFile(io.BytesIO(template)) as old, zipfile.ZipFile(part.file, "w") as new:
            for member in old.infolist():
                data = old.read(member)
                if member.filename == _METADATA:
                    data = _without_date(data)
                elif member.filename == _CONFIG:
                    data = _with_classes(data, len(content.class_names))
                elif member.filename == _WEIGHTS:
                    data = _with_head(data, content)
                new.writestr(_member(member.filename), data)
            for name, data in members(content).items():
                new.writestr(_member(name), data, zipfile.ZIP_DEFLATED)
        part.commit(replace=replace)
    except FileExistsError as error:
        raise OutputError(
            f"{path!r} already exists: it was written during the learning",
            "Overwrite it with --force, or name another file.",
        ) from error
    except OSError as error:
        raise OutputError(f"cannot write {path}: {reason(error)}", "Free some space.") from error
    finally:
        part.discard()


def _member(name: str) -> zipfile.ZipInfo:
    """Return a member with a fixed date, so that equal models are equal files."""
    return zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0))


def _without_date(metadata: bytes) -> bytes:
    """Return what Keras says of the file, without the date of the template."""
    about = json.loads(metadata)
    about.pop("date_saved", None)
    return json.dumps(about).encode()


def _with_classes(config: bytes, classes: int) -> bytes:
    """Return the description of the network with another number of classes."""
    network = json.loads(config)
    (last,) = (
        layer
        for layer in network["config"]["layers"]
        if layer["class_name"] == "Dense" and layer["config"]["name"] == CLASSES
    )
    last["config"]["units"] = classes
    return json.dumps(network).encode()


def _with_head(weights: bytes, content: LearnedContent) -> bytes:
    """Return the weights with another kernel and bias in the last layer."""
    import h5py

    head = content.head
    file = io.BytesIO(weights)
    with h5py.File(file, "r+") as layers:
        kernel, bias = _head_of(layers, head.kernel.shape[0])
        for name, values in ((kernel, head.kernel), (bias, head.bias)):
            del layers[name]
            layers.create_dataset(name, data=values)
    return file.getvalue()


def _head_of(layers: Any, features: int) -> tuple[str, str]:
    """Return the names of the kernel and of the bias of the template's last layer."""
    found: dict[tuple[int, ...], list[str]] = {}

    def visit(name: str, item: Any) -> None:
        if hasattr(item, "shape"):
            found.setdefault(tuple(item.shape), []).append(name)

    layers.visititems(visit)
    (kernel,) = found[features, 2]
    (bias,) = (name for name in found[2,] if os.path.dirname(name) == os.path.dirname(kernel))
    return kernel, bias


def _template(network: Model) -> bytes:
    """Return the template of a network, from the cache or written by Keras now."""
    versions = [installed_version("keras"), installed_version("tensorflow")]
    about = json.dumps([_LAYOUT, network.identity(), versions], sort_keys=True)
    key = hashlib.sha256(about.encode()).hexdigest()[:32]
    path = os.path.join(cache_folder(), f"{TEMPLATE_PREFIX}{key}.keras")
    with suppress(OSError, zipfile.BadZipFile, KeyError):
        with open(path, "rb") as file:
            content = file.read()
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if archive.testzip() is None and _WEIGHTS in archive.namelist():
                return content
    content = _build(network)
    with suppress(OSError):  # a read-only cache: build it each time
        os.makedirs(cache_folder(), exist_ok=True)
        part = AtomicFile(path)
        try:
            part.file.write(content)
            part.commit()
        finally:
            part.discard()
    return content


def _build(network: Model) -> bytes:
    """Return a ``.keras`` file of the network with a head of two classes."""
    keras = store.import_keras()
    whole: Any = network.build()
    last = whole.layers[-1]
    body = keras.Model(whole.input, last.input, name=BACKBONE)
    pixels = keras.Input((network.size, network.size, 3), name="pixels")
    scale = keras.layers.Rescaling(1 / network.divisor, -network.shift, name="scale")
    direction = keras.layers.UnitNormalization(name="direction")
    scores = keras.layers.Dense(2, activation="softmax", name=CLASSES)
    model = keras.Model(pixels, scores(direction(body(scale(pixels)))), name="mnv2")
    if body.output_shape != (None, network.features):
        raise WeightsError(
            f"{network.name} has no features to learn from", "Use --model mobilenet_v2."
        )
    with tempfile.TemporaryDirectory(prefix="mnv2-") as folder:
        path = os.path.join(folder, "template.keras")
        model.save(path)
        with open(path, "rb") as file:
            return file.read()
