"""What a model's description tells without Keras: its input, its scale and how it ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from mnv2cli.errors import InputError, WeightsError
from mnv2cli.models.elsewhere.description import SAVE_AGAIN, Graph, Leaf, Placed, Ref

DEFAULT_SIZE = 224
"""Side of the input of a model that takes any size."""

LARGEST_SIZE = 1024

_BEFORE_SCALING = ("InputLayer", "Identity", "Resizing", "CenterCrop", "ZeroPadding2D")
_PASSIVE = ("Identity", "Flatten", "Reshape")
_POOLING = ("GlobalAveragePooling2D", "GlobalMaxPooling2D")
_ENDS: dict[str, Literal["softmax", "sigmoid", "logits"]] = {
    "softmax": "softmax", "sigmoid": "sigmoid", "linear": "logits",
}  # fmt: skip


@dataclass(frozen=True)
class Ending:
    """How a model ends.

    Attributes:
        kind: Its outputs are scores of a softmax, of a sigmoid, or logits.
        dense: The dense layer that computes them, if it is the last layer, or only an activation
            follows it.
        tail: The activation that follows.
        classes: Number of outputs; 0 if the description does not tell.
    """

    kind: Literal["softmax", "sigmoid", "logits"]
    dense: Leaf | None
    tail: Leaf | None
    classes: int


def size_of(graph: Graph, given: int | None, what: str) -> int:
    """Return the side of a model's input in pixels.

    Args:
        graph: The model.
        given: The side that the user gave, for models that take several.
        what: The name of its file in errors.

    Raises:
        InputError: The given side is not that of the model.
        WeightsError: The input is not a square RGB image.
    """
    shape = graph.shape or (None, None, 3)
    if len(shape) != 3:
        raise WeightsError(
            f"{what} does not classify images: its input has the shape {_text(shape)}",
            "Models take images as height x width x 3.",
        )
    height, width, channels = shape
    if channels != 3:
        first = "; the colours may come first (channels_first)" if height == 3 else ""
        kinds = {1: "grey images", 4: "images with 4 channels"}
        kind = kinds.get(channels or 0, f"an input of the shape {_text(shape)}{first}")
        raise WeightsError(
            f"{what} takes {kind}: only RGB images, height x width x 3, are supported",
            "Train it on RGB images.",
        )
    if height is not None and width is not None and height != width:
        raise WeightsError(
            f"{what} takes images of {width} x {height} pixels: only square inputs are supported",
            "Train it on square images.",
        )
    fixed = height if height is not None else width
    if fixed is not None and given not in (None, fixed):
        raise InputError(f"{what} takes images of {fixed} pixels, not {given}", "Omit --size.")
    size = fixed or given or DEFAULT_SIZE
    if not 8 <= size <= LARGEST_SIZE:
        raise InputError(f"the size {size} of {what} is not between 8 and {LARGEST_SIZE} pixels")
    return size


def _text(shape: tuple[int | None, ...]) -> str:
    return " x ".join("?" if side is None else str(side) for side in shape)


def scale_of(graph: Graph) -> str:
    """Return the scale of a model's input if its first layers scale pixels; else empty."""
    leaf = first_layer(graph)
    return "0..255" if leaf and _scales_bytes(leaf, graph) else ""


def first_layer(graph: Graph) -> Leaf | None:
    """Return the first layer that may scale pixels: not one for their size or for training."""
    return next((leaf for leaf in leaves(graph) if leaf.kind not in _BEFORE_SCALING), None)


def _scales_bytes(leaf: Leaf, graph: Graph) -> bool:
    """Return whether a first layer expects 0..255."""
    if leaf.kind == "Rescaling":
        return _largest(leaf.settings.get("scale")) <= 0.1
    if leaf.kind == "Normalization":  # learned means are checked when the weights are loaded
        mean = leaf.settings.get("mean")
        return mean is None or _largest(mean) > 2
    if leaf.is_operation and leaf.kind in ("Divide", "TrueDivide", "Multiply"):
        numbers = [each for each in _arguments(graph, leaf) if isinstance(each, int | float)]
        if len(numbers) == 1:
            return numbers[0] <= 0.1 if leaf.kind == "Multiply" else numbers[0] >= 10
    return False


def _largest(value: Any) -> float:
    """Return the largest magnitude in a number or in lists of numbers; infinity without one."""
    if isinstance(value, list):
        return max(map(_largest, value), default=float("inf"))
    return abs(float(value)) if isinstance(value, int | float) else float("inf")


def _arguments(graph: Graph, leaf: Leaf) -> list[Any]:
    """Return the arguments of a layer's calls, wherever it is."""
    found: list[Any] = []
    for placed in graph.layers:
        if placed.item is leaf:
            found.extend(argument for call in placed.calls for argument in call)
        elif isinstance(placed.item, Graph):
            found.extend(_arguments(placed.item, leaf))
    return found


def leaves(graph: Graph) -> Iterator[Leaf]:
    """Yield the layers of a model and of the models in it, from the input to the output."""
    for placed in graph.layers:
        if isinstance(placed.item, Graph):
            yield from leaves(placed.item)
        else:
            yield placed.item


def ending_of(graph: Graph, what: str) -> Ending:
    """Return how a model ends.

    A layer that is called several times cannot be replaced, so it is omitted from the ending.

    Raises:
        WeightsError: Its outputs are not scores or logits of classes.
    """
    found = _ending_of(graph, what)
    if any(_times(graph, leaf) > 1 for leaf in (found.dense, found.tail) if leaf is not None):
        return replace(found, dense=None, tail=None)
    return found


def _times(graph: Graph, leaf: Leaf) -> int:
    """Return how many times a model calls a layer, wherever it is."""
    total = 0
    for placed in graph.layers:
        times = 1 if graph.is_chain else len(placed.calls)
        if isinstance(placed.item, Graph):
            total += times * _times(placed.item, leaf)
        elif placed.item is leaf:
            total += times
    return total


def _ending_of(graph: Graph, what: str) -> Ending:
    tail: Leaf | None = None
    only_shapes = True
    for number, leaf in enumerate(_backwards(graph)):
        if leaf.kind in _PASSIVE or leaf.kind in _POOLING:
            only_shapes = only_shapes and leaf.kind in _PASSIVE
            continue
        name = _activation(leaf)
        if name is None:
            break
        if tail is not None:
            if leaf.kind == "Dense" and name == "linear":
                units = _units(leaf, what)
                return Ending(_ends(tail, what), leaf, tail, units)
            break
        is_last = number == 0
        if leaf.kind == "Dense":
            units = _units(leaf, what) if only_shapes else 0
            return Ending(_kind(name, what), leaf if is_last else None, None, units)
        if leaf.kind not in ("Activation", "Softmax", "Sigmoid"):
            return Ending(_kind(name, what), None, None, 0)
        if not is_last:
            return Ending(_kind(name, what), None, None, 0)
        tail = leaf
    if tail is not None:
        return Ending(_ends(tail, what), None, tail, 0)
    raise WeightsError(
        f"{what} is not a classifier: its last layer does not give scores of classes",
        "Models end in a Dense, Softmax or Activation layer.",
    )


def _units(leaf: Leaf, what: str) -> int:
    units = leaf.settings.get("units")
    if type(units) is not int or units < 1:
        raise WeightsError(f"{what} is damaged: a dense layer with {units!r:.40} units", SAVE_AGAIN)
    return units


def _ends(tail: Leaf, what: str) -> Literal["softmax", "sigmoid", "logits"]:
    return _kind(_activation(tail) or "", what)


def _kind(activation: str, what: str) -> Literal["softmax", "sigmoid", "logits"]:
    if activation not in _ENDS:
        raise WeightsError(
            f"{what} is not a classifier: its last activation is {activation}",
            "Models end in softmax or sigmoid, or without an activation.",
        )
    return _ENDS[activation]


def _activation(leaf: Leaf) -> str | None:
    """Return the activation of a layer; None if the layer cannot end a classifier."""
    if leaf.kind in ("Dense", "Conv2D", "Activation"):
        return str(leaf.settings.get("activation", "linear"))
    if leaf.kind == "Softmax":
        return "softmax" if leaf.settings.get("axis", -1) in (-1, 1) else None
    if leaf.is_operation and leaf.kind == "Sigmoid":
        return "sigmoid"
    return None


def _backwards(graph: Graph) -> Iterator[Leaf]:
    """Yield the layers from the last one towards the input, as far as each has one input."""
    if graph.is_chain:
        for placed in reversed(graph.layers):
            yield from _inside(placed)
            if isinstance(placed.item, Graph):
                return
        return
    by_name = {placed.name: placed for placed in graph.layers}
    at = graph.output
    for _ in range(len(by_name)):
        if at is None or at.name not in by_name or at.name == graph.source:
            return
        placed = by_name[at.name]
        yield from _inside(placed)
        if isinstance(placed.item, Graph) or len(placed.calls) != 1:
            return
        call = placed.calls[0]
        at = call[0] if len(call) == 1 and isinstance(call[0], Ref) else None


def _inside(placed: Placed) -> Iterator[Leaf]:
    if isinstance(placed.item, Graph):
        yield from _backwards(placed.item)
    else:
        yield placed.item


def is_teachable_machine(graph: Graph) -> bool:
    """Return whether a model is built as Teachable Machine builds them.

    They are a MobileNet and its pooling, then two dense layers, the last one without a bias.
    """
    items = [placed.item for placed in graph.layers]
    if not graph.is_chain or len(items) != 2:
        return False
    body, head = items
    if not (isinstance(body, Graph) and isinstance(head, Graph)):
        return False
    if not (body.is_chain and head.is_chain):
        return False
    last = head.layers[-1].item
    return (
        isinstance(body.layers[0].item, Graph)
        and isinstance(last, Leaf)
        and last.kind == "Dense"
        and last.settings.get("use_bias") is False
        and last.settings.get("activation") == "softmax"
    )
