"""A model in a file that another program wrote."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from mnv2cli.errors import InputError, WeightsError
from mnv2cli.labels.imagenet import Label
from mnv2cli.models.elsewhere.base import ForeignModel, check_options
from mnv2cli.models.elsewhere.container import Container, open_container
from mnv2cli.models.elsewhere.facts import (
    Ending,
    ending_of,
    is_teachable_machine,
    scale_of,
    size_of,
)
from mnv2cli.models.elsewhere.names_file import FORMATS, IMAGENET, parse_names, read_names
from mnv2cli.models.elsewhere.scales import SCALE_HINT, SCALES
from mnv2cli.models.weights import digest

if TYPE_CHECKING:
    from mnv2cli.models.options import ModelOptions

CONVERSION = 1
"""Version of how a file becomes a network; raise it when that changes, to compile it again."""

BESIDE = "labels.txt"
"""The list of labels that is used if it is in the folder of the model."""

TEACHABLE_MACHINE = {"fit": "crop", "crop_ratio": 1.0, "interpolation": "lanczos"}
"""The largest square in the centre. Source: Teachable Machine's sample code for Keras,
``ImageOps.fit(image, (224, 224), Image.Resampling.LANCZOS)`` and ``pixels / 127.5 - 1``."""


class FileModel(ForeignModel):
    """A ``.keras`` or ``.h5`` file, or an archive of Teachable Machine.

    Args:
        options: The path as ``name``; labels, scale and size.

    Attributes:
        scale: What pixels are scaled to, a key of ``SCALES``.

    Raises:
        InputError: An option is missing or contradicts the model, or the labels are refused.
        WeightsError: The file is refused or damaged.
    """

    def __init__(self, options: ModelOptions) -> None:
        check_options(options)
        self.path = options.name
        self._container: Container = open_container(self.path)
        graph, what = self._container.graph, self._container.what
        self.size = size_of(graph, options.size, what)
        self._ending: Ending = ending_of(graph, what)
        self.labels, is_numbered = _labels(self._container, options.labels, self._ending)
        is_teachable = is_numbered and is_teachable_machine(graph)
        found = scale_of(graph) or ("-1..1" if is_teachable else "")
        self._is_scale_read = not options.scale
        self.scale = options.scale or found
        if self.scale not in SCALES:
            what = f"cannot tell which pixel values {what} takes"
            if self.scale:
                what = f"scale must be one of {', '.join(SCALES)}, not {self.scale!r}"
            raise InputError(what, SCALE_HINT)
        self.divisor, self.shift = SCALES[self.scale]
        self.image_defaults = dict(TEACHABLE_MACHINE) if is_teachable else {}
        self.features = self._ending.dense.inputs if self._ending.dense else 0
        self.family = self.path
        self.model = os.path.basename(self.path)
        self.name = f"{self.model} ({self.size} x {self.size})"
        if self._ending.kind == "logits":
            self.notes = (f"{self.model} ends without softmax: mnv2 adds one.",)

    def find(self) -> str:
        """Return the path of the file; empty if it was removed."""
        return self.path if os.path.isfile(self.path) else ""

    def fetch(self) -> str:
        """Return the path of the file.

        Raises:
            WeightsError: It was removed.
        """
        if not self.find():
            raise WeightsError(f"model file not found: {self.path}")
        return self.path

    def identity(self) -> dict[str, str | float]:
        """Return the SHA-256 of the file, and what else determines the network."""
        return {
            "architecture": f"file, conversion {CONVERSION}",
            "size": self.size,
            "divisor": self.divisor,
            "shift": self.shift,
            "classes": len(self.labels),
            "weights": digest(self.path),
        }

    def build(self) -> Any:
        """Return the Keras model, from scaled float32 [n, size, size, 3] to softmax scores.

        Models inside the model are dissolved, and its last layer has one input.

        Raises:
            InputError: There are more or fewer labels than outputs.
            WeightsError: The weights do not fit, or the model is not a classifier.
        """
        from mnv2cli.models.elsewhere.build import Plan, build_scores

        model = build_scores(self._container, Plan(self.size, self._ending, self._is_scale_read))
        outputs = int(model.output.shape[-1])
        if outputs != len(self.labels):
            raise _wrong_number(self._container.what, outputs, len(self.labels))
        features = int(model.layers[-1].input.shape[-1])
        if self.features not in (0, features):
            raise WeightsError(f"{self._container.what} is damaged: its last layer takes "
                               f"{features} features, not {self.features}")  # fmt: skip
        return model


def _labels(
    container: Container, given: str | None, ending: Ending
) -> tuple[tuple[Label, ...], bool]:
    """Return the labels of a model, and whether their file is Teachable Machine's."""
    beside = os.path.join(os.path.dirname(container.path), BESIDE)
    if given:
        labels, is_numbered = read_names(given)
    elif container.names is not None:
        labels, is_numbered = parse_names(container.names, f"{BESIDE} in {container.path}")
    elif os.path.isfile(beside):
        labels, is_numbered = read_names(beside)
    else:
        raise InputError(f"{container.what} has no labels", _how_to_label(ending.classes))
    classes = 2 if ending.kind == "sigmoid" and ending.classes == 1 else ending.classes
    if classes and classes != len(labels):
        raise _wrong_number(container.what, classes, len(labels))
    return labels, is_numbered


def _how_to_label(classes: int) -> str:
    text = f"Add --labels FILE. {FORMATS}"
    if classes == 1000:
        text += f"\nIf its classes are ImageNet's in Keras's order, add --labels {IMAGENET}."
    return text


def _wrong_number(what: str, outputs: int, labels: int) -> InputError:
    return InputError(
        f"{what} has {outputs} {'output' if outputs == 1 else 'outputs'}, but the list has "
        f"{labels} {'label' if labels == 1 else 'labels'}",
        f"Add --labels FILE with the labels of this model. {FORMATS}",
    )
