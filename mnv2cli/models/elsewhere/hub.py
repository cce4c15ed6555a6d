"""Image classifiers of KerasHub from a folder, as ``save_to_preset`` writes it.

The folder's files are data: the classes are looked up in ``keras_hub.models`` by this module, and
get plain values only. Nothing is downloaded.
"""

from __future__ import annotations

import json
import math
import os
import re
from hashlib import sha256
from importlib.util import find_spec
from threading import Thread
from typing import TYPE_CHECKING, Any

from mnv2cli.errors import InputError, WeightsError
from mnv2cli.models.elsewhere.base import ForeignModel, check_options
from mnv2cli.models.elsewhere.facts import LARGEST_SIZE
from mnv2cli.models.elsewhere.names_file import FORMATS, IMAGENET, read_names
from mnv2cli.models.untrusted import check_hdf5
from mnv2cli.models.weights import check_values, digest, import_keras
from mnv2cli.system.messages import reason

if TYPE_CHECKING:
    from mnv2cli.models.options import ModelOptions

INSTALL = "pip install 'mnv2cli[hub]'"

_TASK, _BACKBONE_WEIGHTS, _TASK_WEIGHTS = "task.json", "model.weights.h5", "task.weights.h5"
_LARGEST = 1 << 20  # bytes of a description
_LARGEST_NUMBER = 1 << 16
_MOST_VALUES = 1_000  # in one setting
_CLASSIFIER = re.compile(r"[A-Za-z0-9]*ImageClassifier")
_BACKBONE = re.compile(r"[A-Za-z0-9]+Backbone")
_MODULE = "keras_hub.src.models."
_HINT = "Save it with save_to_preset() of an image classifier of KerasHub."
_NOT_SETTINGS = ("backbone", "preprocessor", "dtype", "trainable", "name", "head_dtype")
_INTERPOLATIONS = ("bilinear", "bicubic", "nearest")


class Preset(ForeignModel):
    """A folder with an image classifier of KerasHub.

    Args:
        options: The folder as ``name``; labels.

    Raises:
        InputError: An option contradicts the preset, or there are no labels.
        WeightsError: The folder has no image classifier, or one with anything but plain settings.
    """

    def __init__(self, options: ModelOptions) -> None:
        check_options(options)
        self.folder = options.name
        self._what = f"the preset {self.folder}"
        self._task = self._read()
        config = self._task["config"]
        converter = self._converter(config)
        self.size = _side(converter, self._what)
        if options.size not in (None, self.size):
            raise InputError(
                f"{self._what} takes images of {self.size} pixels, not {options.size}",
                "Omit --size.",
            )
        if options.scale:
            raise InputError(
                f"--scale cannot be combined with --model {self.folder}, which has its own",
                "Omit --scale.",
            )
        self._scale = _colours(converter.get("scale"), 1.0, self._what)
        self._offset = _colours(converter.get("offset"), 0.0, self._what)
        self.image_defaults = _image_defaults(converter)
        self.labels = self._labels(options.labels, config.get("num_classes"))
        self.family = self.folder
        self.model = os.path.basename(os.path.abspath(self.folder))
        self.name = f"{self.model} ({self.size} x {self.size})"
        if config.get("activation") is None:
            self.notes = (f"{self.model} ends without softmax: mnv2 adds one.",)

    def _read(self) -> dict[str, Any]:
        path = os.path.join(self.folder, _TASK)
        if not os.path.isfile(path):
            raise InputError(f"{self._what} does not contain {_TASK}", _HINT)
        try:
            with open(path, "rb") as file:
                content = file.read(_LARGEST + 1)
            if len(content) > _LARGEST:
                raise WeightsError(f"{path} is refused: far too large", _HINT)
            found = json.loads(content)
            self._check_class(found, _CLASSIFIER)
            self._check_class(found["config"]["backbone"], _BACKBONE)
        except OSError as error:
            raise WeightsError(f"cannot read {path}: {reason(error)}") from error
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
            raise WeightsError(f"{path} is damaged: not an image classifier", _HINT) from error
        return dict(found)

    def _check_class(self, entry: dict[str, Any], allowed: re.Pattern[str]) -> None:
        kind, module = str(entry["class_name"]), str(entry.get("module"))
        registered = str(entry.get("registered_name"))
        if not (
            allowed.fullmatch(kind)
            and module.startswith(_MODULE)
            and registered == f"keras_hub>{kind}"
        ):
            raise WeightsError(
                f"{self._what} contains {registered[:80]!r} of the module {module[:80]!r}, which "
                "is not an image classifier of KerasHub: refused",
                _HINT,
            )
        for name, value in entry["config"].items():
            if name not in _NOT_SETTINGS and not _is_plain(value):
                raise WeightsError(
                    f"{self._what} contains the setting {name[:60]!r}, which is not a plain value "
                    "of a usual size: refused",
                    _HINT,
                )

    def _converter(self, config: dict[str, Any]) -> dict[str, Any]:
        """Return the settings of the converter of images."""
        try:
            found = config["preprocessor"]["config"]["image_converter"]["config"]
            return dict(found)
        except (KeyError, TypeError, ValueError) as error:
            raise WeightsError(
                f"{self._what} does not contain a converter of images",
                "Save the classifier with its preprocessor and image converter.",
            ) from error

    def _labels(self, given: str | None, classes: Any) -> Any:
        path = given or os.path.join(self.folder, "labels.txt")
        if not given and not os.path.isfile(path):
            hint = f"Add --labels FILE. {FORMATS}"
            if classes == 1000:
                hint += f"\nIf its classes are ImageNet's in Keras's order: --labels {IMAGENET}."
            raise InputError(f"{self._what} has no labels", hint)
        labels, _ = read_names(path)
        if classes != len(labels):
            raise InputError(
                f"{self._what} has {classes} outputs, but the list has {len(labels)} labels",
                f"Add --labels FILE with the labels of this model. {FORMATS}",
            )
        return labels

    def find(self) -> str:
        """Return the path of the weights; empty if they are missing."""
        path = os.path.join(self.folder, _BACKBONE_WEIGHTS)
        return path if os.path.isfile(path) else ""

    def fetch(self) -> str:
        """Return the path of the weights.

        Raises:
            WeightsError: They are missing.
        """
        if not self.find():
            raise WeightsError(f"{self._what} does not contain {_BACKBONE_WEIGHTS}", _HINT)
        return self.find()

    def _files(self) -> list[str]:
        head = os.path.join(self.folder, _TASK_WEIGHTS)
        if not os.path.isfile(head):
            raise WeightsError(
                f"{self._what} has no trained last layer: {_TASK_WEIGHTS} is missing", _HINT
            )
        return [self.fetch(), head]

    def identity(self) -> dict[str, str | float]:
        """Return the digests of the description and of the weights."""
        from mnv2cli.system.packages import installed_version

        task = sha256(json.dumps(self._task, sort_keys=True).encode()).hexdigest()
        return {
            "architecture": f"keras-hub {installed_version('keras-hub')} {task}",
            "size": self.size,
            "weights": " ".join(map(digest, self._files())),
        }

    def build(self) -> Any:
        """Return the Keras model, from pixels 0..255 to softmax scores.

        Raises:
            InputError: KerasHub is not installed.
            WeightsError: The weights do not fit.
        """
        import numpy as np

        from mnv2cli.models.elsewhere.rebuild import rebuilt

        files = self._files()
        if find_spec("keras_hub") is None:
            raise InputError(f"{self._what} requires KerasHub", f"Install it with: {INSTALL}")
        for path in files:
            check_hdf5(path, f"the weights file {path}", _HINT, with_config=False)
        try:
            most = sum(map(_numbers_in, files))
            if self._weights_described() > most:
                raise WeightsError(
                    f"{self._what} describes layers with more weights than its files contain: "
                    "refused",
                    _HINT,
                )
            network = self._network()
            network.backbone.load_weights(files[0])
            network.load_task_weights(files[1])
            check_values(network, self._what, _HINT)
            last = network.layers[-1]
            if type(last).__name__ != "Dense" or last.units != len(self.labels):
                raise WeightsError(f"{self._what} does not end in one list of scores", _HINT)
            return rebuilt(network, self.size, np.diag(self._scale), self._offset)
        except (WeightsError, InputError):
            raise
        except Exception as error:  # Keras, KerasHub and h5py raise many types
            text = " ".join(str(error).split())[:300]
            raise WeightsError(f"{self._what} cannot be loaded: {text}", _HINT) from error

    def _network(self) -> Any:
        """Return the classifier with random weights."""
        import keras_hub

        return getattr(keras_hub.models, self._task["class_name"])(
            backbone=self._backbone(), **_settings(self._task["config"])
        )

    def _backbone(self) -> Any:
        """Return the network up to its features, with random weights."""
        import_keras()
        import keras_hub

        backbone = self._task["config"]["backbone"]
        shape = backbone["config"].get("image_shape")
        own = {"image_shape": (self.size, self.size, 3)} if isinstance(shape, list) else {}
        return getattr(keras_hub.models, backbone["class_name"])(
            **_settings(backbone["config"]) | own
        )

    def _weights_described(self) -> int:
        """Return the number of weights below the last layer, without memory for their values.

        Keras keeps a list for each thread of variables that wait for their values; with the
        thread it is gone.
        """
        keras = import_keras()
        found: list[int | Exception] = []

        def count() -> None:
            try:
                with keras.StatelessScope(initialize_variables=False):
                    found.append(sum(math.prod(v.shape) for v in self._backbone().variables))
            except Exception as error:  # raised again below
                found.append(error)

        thread = Thread(target=count)
        thread.start()
        thread.join()
        if isinstance(found[0], Exception):
            raise found[0]
        return found[0]


def _settings(config: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if name not in _NOT_SETTINGS}


def _is_plain(value: Any) -> bool:
    """Return whether a value is a text, a number, or a list of these, of a usual size."""
    if isinstance(value, list):
        return len(value) <= _MOST_VALUES and all(map(_is_plain, value))
    if isinstance(value, str):
        return len(value) <= 200
    return value is None or (isinstance(value, int | float) and abs(value) <= _LARGEST_NUMBER)


def _numbers_in(path: str) -> int:
    from mnv2cli.models.elsewhere.container import count_numbers

    return count_numbers(path)


def _side(converter: dict[str, Any], what: str) -> int:
    found = converter.get("image_size")
    if not (
        isinstance(found, list)
        and len(found) == 2
        and found[0] == found[1]
        and type(found[0]) is int
        and 8 <= found[0] <= LARGEST_SIZE
    ):
        raise WeightsError(
            f"{what} takes images of the size {found!r:.60}: only squares of 8 to {LARGEST_SIZE} "
            "pixels are supported",
            _HINT,
        )
    return found[0]


def _colours(value: Any, usual: float, what: str) -> list[float]:
    """Return a number for each colour."""
    values = value if isinstance(value, list) else [usual if value is None else value] * 3
    if len(values) != 3 or not all(isinstance(each, int | float) for each in values):
        raise WeightsError(f"{what} scales images in an unknown way", _HINT)
    return [float(each) for each in values]


def _image_defaults(converter: dict[str, Any]) -> dict[str, Any]:
    if converter.get("crop_to_aspect_ratio", True):
        found: dict[str, Any] = {"fit": "crop", "crop_ratio": 1.0}
    else:
        found = {"fit": "pad" if converter.get("pad_to_aspect_ratio") else "stretch"}
    if converter.get("interpolation") in _INTERPOLATIONS:
        found["interpolation"] = converter["interpolation"]
    return found
