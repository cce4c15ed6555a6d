"""Describe a network as papers do: a table of stages, counted from its Keras model."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mnv2cli.models.protocol import Model


@dataclass(frozen=True)
class Stage:
    """One row of the table: an operator, or several equal ones in sequence.

    Attributes:
        operator: ``conv2d``, ``average pool``, ``dense``, or a block of several: ``bottleneck``,
            ``bottleneck + SE`` with squeeze-and-excite, ``fused bottleneck`` or ``ConvNeXt block``.
        size: Side of the square input in pixels.
        inputs: Channels of the input.
        channels: Channels of the output.
        kernel: Side of the convolution's kernel; in a block, of its largest.
        stride: Stride of the first repeat; the stride of other repeats is 1.
        expansion: Ratio of a block's inner channels to its input channels; None for other
            operators.
        repeats: Number of equal operators in sequence.
        parameters: Trained parameters, including batch norms' scales and offsets.
        multiply_adds: Multiply-adds of convolutions and dense layers, for one image.
    """

    operator: str
    size: int
    inputs: int
    channels: int
    kernel: int
    stride: int
    expansion: float | None
    repeats: int
    parameters: int
    multiply_adds: int


@dataclass(frozen=True)
class Description:
    """A network in numbers.

    Attributes:
        stages: The stages from the image to the scores.
        statistics: Number of values that are not parameters: means and variances of batch norms.
    """

    stages: list[Stage]
    statistics: int

    @property
    def parameters(self) -> int:
        """Number of trained parameters."""
        return sum(stage.parameters for stage in self.stages)

    @property
    def multiply_adds(self) -> int:
        """Number of multiply-adds for one image."""
        return sum(stage.multiply_adds for stage in self.stages)


@dataclass
class _Step:
    """A convolution, pooling or dense layer, with the layers that belong to it."""

    layer: Any
    kind: str
    kernel: int
    others: list[Any] = field(default_factory=list)

    @property
    def shapes(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return tuple(self.layer.input.shape[1:]), tuple(self.layer.output.shape[1:])

    @property
    def parameters(self) -> int:
        layers = [self.layer, *self.others]
        return sum(math.prod(w.shape) for layer in layers for w in layer.trainable_weights)

    @property
    def multiply_adds(self) -> int:
        inputs, outputs = self.shapes
        if self.kind == "average pool":
            return 0  # only additions
        each = 1 if self.kind == "depthwise" else inputs[-1]
        return math.prod(outputs) * self.kernel**2 * each


_LETTERS = {"conv2d": "c", "depthwise": "d", "average pool": "a", "dense": "f"}
"""Operators, as letters in the patterns of blocks; p is a convolution with a 1 x 1 kernel."""

_BLOCKS = {
    "bottleneck": re.compile("p?dp"),
    "bottleneck + SE": re.compile("p?dappp"),
    "fused bottleneck": re.compile("cp"),
    "ConvNeXt block": re.compile("dff"),
}
"""The operators of each block, in sequence."""


def describe_model(model: Model) -> Description:
    """Return the description of a network, without TensorFlow if the network is published.

    That of a learned model has a last layer for its own classes.
    """
    if model.head is not None:
        network = describe_model(model.backbone)
        return replace(network, stages=[*network.stages[:-1], _own_last(model)])
    return _stored().get(model.model) or describe(model.build_untrained())


@cache
def _stored() -> dict[str, Description]:
    """Return the descriptions of published networks; a script counted them from Keras's models."""
    text = files("mnv2cli.models").joinpath("data/stages.json").read_text(encoding="utf-8")
    return {
        name: Description([Stage(*row) for row in entry["stages"]], entry["statistics"])
        for name, entry in json.loads(text).items()
    }


def _own_last(model: Model) -> Stage:
    """Return the last layer of a learned model."""
    features, classes = model.features, len(model.class_names)
    return Stage(
        operator="dense",
        size=1,
        inputs=features,
        channels=classes,
        kernel=1,
        stride=1,
        expansion=None,
        repeats=1,
        parameters=(features + 1) * classes,
        multiply_adds=features * classes,
    )


def describe(model: Any) -> Description:
    """Count the stages of a Keras model that is a chain of convolutions and known blocks.

    Args:
        model: A functional Keras model from an image to scores, such as MobileNetV2.
    """
    steps = _steps(model)
    stages: list[Stage] = []
    while steps:
        block, length = _block(steps)
        stage = _stage(steps[:length], block)
        del steps[:length]
        last = stages[-1] if stages else None
        if last and block and stage.stride == 1 and _kind(stage) == _kind(last):
            stages[-1] = replace(
                last,
                repeats=last.repeats + 1,
                parameters=last.parameters + stage.parameters,
                multiply_adds=last.multiply_adds + stage.multiply_adds,
            )
        else:
            stages.append(stage)
    statistics = sum(math.prod(w.shape) for w in model.non_trainable_weights)
    return Description(stages, statistics)


def _steps(model: Any) -> list[_Step]:
    steps: list[_Step] = []
    for layer in _layers(model):
        kind = type(layer).__name__
        if kind in ("Conv2D", "DepthwiseConv2D"):
            is_depthwise = kind == "DepthwiseConv2D" or layer.groups > 1
            name = "depthwise" if is_depthwise else "conv2d"
            steps.append(_Step(layer, name, layer.kernel_size[0]))
        elif kind == "Dense":
            steps.append(_Step(layer, "dense", 1))
        elif kind == "GlobalAveragePooling2D":
            steps.append(_Step(layer, "average pool", layer.input.shape[1]))
        elif steps:  # a batch norm belongs to the preceding convolution
            steps[-1].others.append(layer)
    return steps


def _layers(model: Any) -> Iterator[Any]:
    """Yield the layers of a model, and of the models in it."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _layers(layer)
        else:
            yield layer


def _block(steps: list[_Step]) -> tuple[str, int]:
    """Return the block that the first steps form, and their number; ("", 1) if they form none."""
    letters = "".join(
        "p" if step.kind == "conv2d" and step.kernel == 1 else _LETTERS[step.kind]
        for step in steps[:6]
    )
    for name, pattern in _BLOCKS.items():
        if match := pattern.match(letters):
            return name, match.end()
    return "", 1


def _stage(steps: list[_Step], block: str) -> Stage:
    middle = max((step for step in steps if step.kind != "average pool" or not block),
                 key=lambda step: step.kernel)  # fmt: skip
    inputs, outputs = steps[0].shapes[0], steps[-1].shapes[1]
    inner = max((step.shapes[1][-1] for step in steps[:-1]), default=0)
    return Stage(
        operator=block or middle.kind,
        size=inputs[0] if len(inputs) == 3 else 1,
        inputs=inputs[-1],
        channels=outputs[-1],
        kernel=middle.kernel,
        stride=middle.layer.strides[0] if hasattr(middle.layer, "strides") else 1,
        expansion=_ratio(inner, inputs[-1]) if block else None,
        repeats=1,
        parameters=sum(step.parameters for step in steps),
        multiply_adds=sum(step.multiply_adds for step in steps),
    )


def _ratio(inner: int, inputs: int) -> float:
    return inner // inputs if inner % inputs == 0 else round(inner / inputs, 3)


def _kind(stage: Stage) -> tuple[Any, ...]:
    return stage.operator, stage.kernel, stage.expansion, stage.channels
