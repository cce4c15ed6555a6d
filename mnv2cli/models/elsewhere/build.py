"""Build the Keras model of a description, layer by layer, and load its weights.

Each layer is created by its class of ``keras.layers`` from plain values; Keras's own loader never
sees the description. Before a layer is created its weights are counted, so that a description
cannot take more memory than its file has weights for.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mnv2cli.errors import WeightsError
from mnv2cli.models.elsewhere.calls import Calls
from mnv2cli.models.elsewhere.description import SAVE_AGAIN, Graph, Leaf, Ref
from mnv2cli.models.weights import check_values, import_keras

if TYPE_CHECKING:
    from collections.abc import Callable

    from mnv2cli.models.elsewhere.container import Container
    from mnv2cli.models.elsewhere.facts import Ending

_LONGEST_REASON = 150  # characters of an error of Keras
_LARGEST_OUTPUT = 1 << 26  # numbers in the output of one layer for one image
_LARGEST_OUTPUTS = 1 << 30  # in those of all layers; EfficientNetB7's have about 0.9 billion


class Tracer:
    """Calls the layers of a model on an input.

    Args:
        what: The name of the file in errors.
        budget: The number of weights that its file contains.
    """

    def __init__(self, what: str, budget: int) -> None:
        self.keras = import_keras()
        self.what = what
        self._left = budget
        self._room = _LARGEST_OUTPUTS
        self._made: dict[int, Any] = {}
        self._kept: list[Any] = []  # the numbers of objects are unique only while they exist

    def structured(self, graph: Graph, shape: tuple[Any, ...]) -> Any:
        """Return a model with the same models in it as in the file, as weights are stored.

        Args:
            graph: The description.
            shape: The shape of its input, without the batch.
        """
        given = self.keras.Input(shape)
        used: list[Any] = []

        def leaf(item: Leaf, arguments: tuple[Any, ...]) -> Any:
            return self._call(item, self._layer(item, arguments), arguments, used)

        def inner(item: Graph, x: Any) -> Any:
            if id(item) not in self._made:
                self._keep(item, self.structured(item, tuple(x.shape[1:])))
            used.append(self._made[id(item)])
            return self._made[id(item)](x)

        output = self._run(graph, given, leaf, inner)
        if graph.is_chain:
            return self.keras.Sequential([self.keras.Input(shape), *used])
        return self.keras.Model(given, output)

    def flat(self, graph: Graph, given: Any, twin: Tracer, without: tuple[Leaf, ...]) -> Any:
        """Return the output of the model for an input, without models in it.

        Args:
            graph: The description.
            given: The input, a symbolic tensor.
            twin: It built the structured model, whose weights are copied.
            without: The layers to omit, at the end.
        """

        def leaf(item: Leaf, arguments: tuple[Any, ...]) -> Any:
            if item in without:
                return arguments[0]
            is_new = id(item) not in self._made
            learned = item.kind == "Normalization" and item.settings.get("mean") is None
            if is_new and learned:  # it uses weights only after adapt() or loading a file
                mean, variance, *_ = twin.weights_of(item)
                settings = {**item.settings, "mean": mean, "variance": variance}
                self._keep(item, self.keras.layers.Normalization(**settings))
            output = self._call(item, self._layer(item, arguments), arguments, [])
            if is_new and not (learned or item.is_operation):
                self._made[id(item)].set_weights(twin.weights_of(item))
            return output

        def inner(item: Graph, x: Any) -> Any:
            return self._run(item, x, leaf, inner)

        return self._run(graph, given, leaf, inner)

    def weights_of(self, item: Leaf) -> list[Any]:
        """Return the weights of a layer, as arrays."""
        weights: list[Any] = self._made[id(item)].get_weights()
        return weights

    def _keep(self, item: Leaf | Graph, made: Any) -> None:
        self._made[id(item)] = made
        self._kept.append(item)

    def _run(
        self,
        graph: Graph,
        x: Any,
        leaf: Callable[[Leaf, tuple[Any, ...]], Any],
        inner: Callable[[Graph, Any], Any],
    ) -> Any:
        """Return the output of a graph, calling each layer once its arguments exist."""
        if graph.is_chain:
            for placed in graph.layers:
                item = placed.item
                x = inner(item, x) if isinstance(item, Graph) else leaf(item, (x,))
            return x
        done: dict[str, list[Any]] = {graph.source: [x]}
        waiting = [(placed, number) for placed in graph.layers if placed.name != graph.source
                   for number in range(len(placed.calls))]  # fmt: skip
        calls = Calls(graph)

        def find(ref: Ref) -> Any:
            """Return a tensor; None if it does not exist yet."""
            outputs = done.get(ref.name, [])
            number = calls.number(ref)
            return outputs[number] if 0 <= number < len(outputs) else None

        while waiting:
            later = []
            for placed, number in waiting:
                arguments = _filled(placed.calls[number], find)
                if arguments is None or len(done.get(placed.name, [])) != number:
                    later.append((placed, number))
                    continue
                item = placed.item
                output = (
                    inner(item, arguments[0]) if isinstance(item, Graph) else leaf(item, arguments)
                )
                done.setdefault(placed.name, []).append(output)
            if len(later) == len(waiting):
                self._refuse("describes layers whose inputs do not exist")
            waiting = later
        output = find(graph.output) if graph.output else None
        if output is None:
            self._refuse("describes an output that does not exist")
        return output

    def _layer(self, item: Leaf, arguments: tuple[Any, ...]) -> Any:
        """Return the layer or function of an item, created on its first call."""
        if id(item) in self._made:
            return self._made[id(item)]
        if item.is_operation:
            from mnv2cli.models.elsewhere.allowed import OPERATIONS

            name = OPERATIONS[item.kind]
            made: Any = getattr(self.keras.ops, name, None) or getattr(self.keras.ops.nn, name)
        else:
            if arguments and hasattr(arguments[0], "shape"):
                self._pay(item, tuple(arguments[0].shape[1:]))
            made = getattr(self.keras.layers, item.kind)(**item.settings)
        self._keep(item, made)
        return made

    def _pay(self, item: Leaf, shape: tuple[int | None, ...]) -> None:
        """Count the weights of a layer before it is created."""
        self._left -= _weights(item, shape)
        if self._left < 0:
            self._refuse("describes layers with more weights than the file contains")

    def _call(self, item: Leaf, layer: Any, arguments: tuple[Any, ...], used: list[Any]) -> Any:
        if not item.is_operation:
            used.append(layer)
        output = layer(*arguments)
        size = math.prod(side or 1 for side in output.shape[1:])
        self._room -= size
        if size > _LARGEST_OUTPUT:
            self._refuse(f"contains a layer {item.kind} whose output is far too large")
        if self._room < 0:
            self._refuse("contains layers whose outputs are far too large together")
        return output

    def _refuse(self, why: str) -> None:
        raise WeightsError(f"{self.what} {why}: refused", SAVE_AGAIN)


def _filled(call: tuple[Any, ...], find: Callable[[Ref], Any]) -> tuple[Any, ...] | None:
    """Return the arguments of a call with tensors for references; None if one does not exist."""
    filled: list[Any] = []
    for argument in call:
        if isinstance(argument, Ref):
            value = find(argument)
        elif isinstance(argument, list) and any(isinstance(each, Ref) for each in argument):
            value = [find(each) if isinstance(each, Ref) else each for each in argument]
            if any(each is None for each in value):
                return None
        else:
            value = argument
        if value is None:
            return None
        filled.append(value)
    return tuple(filled) if filled else None


def _weights(item: Leaf, shape: tuple[int | None, ...]) -> int:
    """Return the number of weights of a layer, or more, for inputs of a shape."""
    sides = [side or 1 for side in shape]
    last = sides[-1] if sides else 1
    get = item.settings.get
    kernel = get("kernel_size", 1)
    window = math.prod(kernel) if isinstance(kernel, list) else int(kernel) ** 2
    if item.kind == "Dense":
        return (last + bool(get("use_bias", True))) * int(get("units", 0))
    if item.kind in ("Conv2D", "Conv2DTranspose"):
        return window * (last // max(1, int(get("groups") or 1))) * int(get("filters", 0))
    if item.kind == "DepthwiseConv2D":
        return window * last * int(get("depth_multiplier", 1))
    if item.kind == "SeparableConv2D":
        deep = last * int(get("depth_multiplier", 1))
        return window * deep + deep * int(get("filters", 0))
    if item.kind == "PReLU":
        shared = get("shared_axes") or ()
        return math.prod(side for axis, side in enumerate(sides, 1) if axis not in shared)
    if item.kind in ("BatchNormalization", "LayerNormalization", "GroupNormalization"):
        axis = get("axis", -1)
        axes = axis if isinstance(axis, list) else [axis]
        return math.prod(sides[each if each < 0 else each - 1] for each in axes)
    return 0


@dataclass(frozen=True)
class Plan:
    """How to build a model.

    Attributes:
        size: Side of the input in pixels.
        ending: How it ends.
        is_scale_read: Its scale was read from the description, not given by the user.
    """

    size: int
    ending: Ending
    is_scale_read: bool


def build_scores(source: Container, plan: Plan) -> Any:
    """Return a model from scaled images to softmax scores, whose last layer has one input.

    Models inside the model are dissolved. The last dense layer and its activation become one dense
    layer with softmax: the same for softmax, the usual scores for logits, and [1 - p, p] for one
    sigmoid p, since p = softmax([0, logit])[1].

    Args:
        source: Its file.
        plan: How to build it.

    Raises:
        WeightsError: The weights do not fit the description, or the outputs are not scores.
    """
    graph, what, ending = source.graph, source.what, plan.ending
    shape = (plan.size, plan.size, 3)
    try:
        with source.weights() as weights:
            twin = Tracer(what, weights.count)
            whole = twin.structured(graph, shape)
            whole.load_weights(weights.path)
        check_values(whole, what, SAVE_AGAIN)
        if plan.is_scale_read:
            _check_normalisation(twin, graph, what)
        flat = Tracer(what, weights.count)
        given = twin.keras.Input(shape)
        without = tuple(each for each in (ending.dense, ending.tail) if each is not None)
        body = flat.flat(graph, given, twin, without)
        model = twin.keras.Model(given, _finished(twin, body, ending, what))
        _check_scores(whole, model, plan, what)
    except WeightsError:
        raise
    except Exception as error:  # Keras, TensorFlow and h5py raise many types
        text = one_sentence(str(error))
        hint = "A model for any size may require the --size that it was trained with."
        raise WeightsError(
            f"{what} cannot be loaded: {text}", SAVE_AGAIN if graph.shape else hint
        ) from error
    return model


def one_sentence(text: str) -> str:
    """Return the first sentence of an error of Keras, without colours and arguments of calls."""
    text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text).partition("Arguments received by")[0]
    text = re.sub(r"^Exception encountered when calling .*?\.\n", "", text.strip())
    plain = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    first = re.split(r"(?<=[^.]{3}\.) ", plain)[0].rstrip(".")
    return first if len(first) <= _LONGEST_REASON else f"{first[: _LONGEST_REASON - 3]}..."


def _finished(twin: Tracer, body: Any, ending: Ending, what: str) -> Any:
    """Return the softmax scores from the input of the last layers."""
    import numpy as np

    layers = twin.keras.layers
    width = int(body.shape[-1]) if len(body.shape) == 2 else 0
    if not width:
        raise WeightsError(
            f"{what} does not give one list of scores: its output has {len(body.shape)} axes",
            "Add a layer such as GlobalAveragePooling2D before the last one.",
        )
    weights = twin.weights_of(ending.dense) if ending.dense else [np.eye(width, dtype=np.float32)]
    if ending.kind != "sigmoid":
        if ending.dense is None:
            is_done = ending.kind == "softmax" and ending.tail is None
            return body if is_done else layers.Softmax()(body)
        last = layers.Dense(weights[0].shape[1], "softmax", use_bias=len(weights) > 1)
        output = last(body)
        last.set_weights(weights)
        return output
    if weights[0].shape[1] != 1:
        raise WeightsError(
            f"{what} gives each of {weights[0].shape[1]} labels a separate score (sigmoid), so "
            "an image may have several or none: not supported",
            "Train it with softmax, or with one output for two classes.",
        )
    last = layers.Dense(2, "softmax", use_bias=len(weights) > 1)
    output = last(body)
    last.set_weights([np.stack([np.zeros_like(each[..., 0]), each[..., 0]], -1)
                      for each in weights])  # fmt: skip
    return output


def _check_normalisation(twin: Tracer, graph: Graph, what: str) -> None:
    """Check that a normalisation in the beginning, which means 0..255, learned such means."""
    import numpy as np

    from mnv2cli.models.elsewhere.facts import first_layer
    from mnv2cli.models.elsewhere.scales import SCALE_HINT

    first = first_layer(graph)
    if first is None or first.kind != "Normalization" or first.settings.get("mean") is not None:
        return
    means = np.abs(twin.weights_of(first)[0])
    if not means.max() > 2:
        raise WeightsError(f"{what} was not trained on pixels 0..255: its means are at most "
                           f"{means.max():.2f}", SCALE_HINT)  # fmt: skip


def _check_scores(whole: Any, model: Any, plan: Plan, what: str) -> None:
    """Check on noise that the model gives the scores of the file's model."""
    import numpy as np

    noise = np.random.default_rng(0).random((1, plan.size, plan.size, 3), np.float32)
    wanted = np.asarray(whole(noise, training=False), np.float64)
    got = np.asarray(model(noise, training=False), np.float64)
    if plan.ending.kind == "logits":
        wanted = np.exp(wanted - wanted.max(-1, keepdims=True))
        wanted /= wanted.sum(-1, keepdims=True)
    elif plan.ending.kind == "sigmoid":
        wanted = np.concatenate([1 - wanted, wanted], -1)
    if wanted.shape != got.shape or not np.abs(wanted - got).max() <= 1e-4:
        raise WeightsError(f"{what} gives other scores than its parts: refused", SAVE_AGAIN)
    if not np.abs(got.sum(-1) - 1).max() <= 1e-3:
        raise WeightsError(f"{what} is not a classifier: its scores do not add up to 1", SAVE_AGAIN)
