"""Read the description of a Keras model, of Keras 2 or 3, as data; nothing in it is run.

Keras's own loader turns names in a description into classes and functions, which is how files run
code. Here each name is looked up in a list, and everything else in the file is refused.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, TypeGuard

from mnv2cli.errors import WeightsError
from mnv2cli.models.elsewhere.allowed import (
    ACTIVATIONS,
    ENDINGS_WITHOUT_EFFECT,
    FLOATS,
    LAYERS,
    ONLY_TRAINING,
    OPERATIONS,
    RENAMED,
    WITHOUT_EFFECT,
)

SAVE_AGAIN = "Save the model again with built-in layers of Keras 3 alone."

_LARGEST = 16 << 20  # bytes; EfficientNetV2-B0's has 0.2 million
_MOST_LAYERS = 3_000  # NASNetLarge has about 1,000
_MOST_CALLS = 6_000  # counting those in nested models once for each call of these
_DEEPEST = 12  # models in models
_MOST_NUMBERS = 100_000  # in one setting
_LONGEST_TEXT = 200  # characters
_LARGEST_NUMBER = 1 << 31
_MODELS = ("Sequential", "Functional", "Model")
_KERAS = ("keras", "tf_keras", "tensorflow.keras", "tensorflow.python.keras")


@dataclass(frozen=True, eq=False)
class Leaf:
    """A layer or an operation.

    Attributes:
        kind: The name of its class, from ``LAYERS`` or ``OPERATIONS``.
        name: Its name in the model.
        settings: The settings that change what it computes: plain values.
        is_operation: It is an operation of ``keras.ops``.
        inputs: Length of its input's last axis, as the file says; 0 if it does not.
    """

    kind: str
    name: str
    settings: dict[str, Any]
    is_operation: bool = False
    inputs: int = 0


@dataclass(frozen=True)
class Ref:
    """An output of a layer: of its call number ``call``, as the file counts them.

    Attributes:
        name: The name of the layer.
        call: The number of its call; ``Calls`` chooses between counting from 0 and from 1.
        origin: An argument of Keras 3, a list in the arguments of Keras 2, or an end of the model.
    """

    name: str
    call: int
    origin: Literal["argument", "list", "end"]


@dataclass(frozen=True, eq=False)
class Placed:
    """A layer or model at its place in a graph, with the arguments of each call."""

    item: Leaf | Graph
    name: str
    calls: tuple[tuple[Any, ...], ...] = ()


@dataclass(frozen=True, eq=False)
class Graph:
    """A model: a chain of layers (Sequential), or a graph (Functional).

    Attributes:
        name: Its name.
        is_chain: Each layer's input is the output of the previous one.
        layers: The layers; only a graph has an ``InputLayer`` among them.
        shape: The shape of the input without the batch, None where it varies; None if unknown.
        source: The name of the graph's input.
        output: The output of a graph; None for a chain.
    """

    name: str
    is_chain: bool
    layers: tuple[Placed, ...]
    shape: tuple[int | None, ...] | None
    source: str = ""
    output: Ref | None = None


def read_description(text: str | bytes, what: str, *, keras2: bool) -> Graph:
    """Return the model that a description describes.

    Args:
        text: JSON: ``config.json`` of a ``.keras`` file, or ``model_config`` of an ``.h5`` file.
        what: The name of the file in errors.
        keras2: It was saved by Keras 2.

    Raises:
        WeightsError: It is damaged, or contains anything but known layers.
    """
    try:
        if len(text) > _LARGEST:
            raise WeightsError(f"{what} is refused: its description is far too large", SAVE_AGAIN)
        entry = json.loads(text)
        reader = _Reader(what, keras2)
        graph = reader.item(entry, 0)
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise WeightsError(
            f"{what} is damaged: its description is not that of a Keras model", SAVE_AGAIN
        ) from error
    if not isinstance(graph, Graph):
        reader.refuse("is a single layer, not a model")
    if _calls(graph) > _MOST_CALLS:
        reader.refuse(f"is far too large: more than {_MOST_CALLS:,} layers")
    return graph


def _calls(graph: Graph) -> int:
    """Return the number of calls of layers, counting those in nested models each time."""
    total = 0
    for placed in graph.layers:
        times = 1 if graph.is_chain else len(placed.calls)
        total += times * (_calls(placed.item) if isinstance(placed.item, Graph) else 1)
    return total


class _Reader:
    """Reads the entries of one description.

    Args:
        what: The name of the file in errors.
        keras2: It was saved by Keras 2.
    """

    def __init__(self, what: str, keras2: bool) -> None:
        self._what, self._keras2 = what, keras2
        self._count = 0

    def refuse(self, why: str, hint: str = SAVE_AGAIN) -> NoReturn:
        """Raise the error that the file is refused."""
        raise WeightsError(f"{self._what} {why}: refused", hint)

    def item(self, entry: dict[str, Any], depth: int) -> Leaf | Graph:
        """Return the layer or model of an entry."""
        self._count += 1
        if self._count > _MOST_LAYERS:
            self.refuse(f"is far too large: more than {_MOST_LAYERS:,} layers")
        kind, module = entry["class_name"], entry.get("module")
        self._check_origin(kind, module, entry.get("registered_name"))
        if kind in _MODELS:
            return self._graph(kind, entry["config"], depth)
        return self._leaf(kind, str(module or ""), entry)

    def _check_origin(self, kind: Any, module: Any, registered: Any) -> None:
        if not isinstance(kind, str):
            self.refuse("contains a layer without a name")
        if kind.rpartition(">")[2] in ("Lambda", "__lambda__"):
            self.refuse("contains a Lambda layer, which is Python code")
        if kind in ("TFOpLambda", "SlicingOpLambda", "ClassMethod", "InstanceMethod",
                    "InstanceProperty", "TensorFlowOpLayer"):  # fmt: skip
            self.refuse(f"contains {kind}, which calls a function of TensorFlow by its name")
        is_keras = module is None or (
            isinstance(module, str)
            and any(module == name or module.startswith(f"{name}.") for name in _KERAS)
        )
        if not is_keras:
            self.refuse(
                f"contains {kind[:80]!r} of the module {str(module)[:80]!r}, which is not part of "
                "Keras, and code in other modules is never run"
            )
        if ">" in kind or (registered is not None and registered != kind):
            self.refuse(
                f"contains {str(registered or kind)[:80]!r}, a class of its author, whose code is "
                "never run"
            )

    def _graph(self, kind: str, config: Any, depth: int) -> Graph:
        if depth >= _DEEPEST:
            self.refuse(f"contains more than {_DEEPEST} models in each other")
        if isinstance(config, list):  # Sequential before Keras 2.2.3
            config = {"name": "sequential", "layers": config}
        name = str(config.get("name", ""))
        if kind == "Sequential":
            return self._chain(name, config, depth)
        shape, source, placed, seen = None, "", [], set()
        for entry in config["layers"]:
            item = self.item(entry, depth + 1)
            own = entry.get("name", item.name)
            if not isinstance(own, str) or own in seen:
                self.refuse("contains two layers with the same name")
            seen.add(own)
            if isinstance(item, Leaf) and item.kind == "InputLayer":
                if source:
                    self.refuse("has several inputs: only models of one image are supported", "")
                source, shape = own, self._shape(entry["config"])
            placed.append(Placed(item, own, self._nodes(entry)))
        inputs, outputs = self._ends(config["input_layers"]), self._ends(config["output_layers"])
        if len(outputs) != 1:
            self.refuse("has several outputs: only models with one list of scores are supported",
                        "Save a model with one output.")  # fmt: skip
        if len(inputs) != 1 or inputs[0].name != source:
            self.refuse("has no input, or several: only models of one image are supported", "")
        return Graph(name, False, tuple(placed), shape, source, outputs[0])

    def _chain(self, name: str, config: dict[str, Any], depth: int) -> Graph:
        shape, placed = None, []
        for number, entry in enumerate(config["layers"]):
            item = self.item(entry, depth + 1)
            if number == 0:
                shape = self._shape(entry["config"])
                if shape is None and isinstance(item, Graph):
                    shape = item.shape
            if isinstance(item, Leaf) and item.kind == "InputLayer":
                if number:
                    self.refuse("contains an input in the middle")
                continue
            placed.append(Placed(item, item.name))
        if not placed:
            self.refuse("contains a model without layers")
        if shape is None and config.get("build_input_shape"):
            shape = self._shape({"batch_shape": config["build_input_shape"]})
        return Graph(name, True, tuple(placed), shape)

    def _shape(self, config: Any) -> tuple[int | None, ...] | None:
        found = config.get("batch_shape") or config.get("batch_input_shape")
        if found is None:
            return None
        if len(found) > 8 or not all(n is None or (type(n) is int and n > 0) for n in found[1:]):
            self.refuse("has an impossible input shape")
        return tuple(found[1:])

    def _ends(self, found: Any) -> list[Ref]:
        """Return the inputs or outputs of a graph."""
        if isinstance(found, dict):
            found = list(found.values())
        if len(found) == 3 and isinstance(found[0], str):
            found = [found]
        return [self._ref("end", *each) for each in found]

    def _ref(self, origin: Literal["argument", "list", "end"], name: Any, call: Any,
             tensor: Any, *_: Any) -> Ref:  # fmt: skip
        if not isinstance(name, str) or type(call) is not int or call < 0 or tensor != 0:
            self.refuse("refers to an output that does not exist")
        return Ref(name, call, origin)

    def _nodes(self, entry: dict[str, Any]) -> tuple[tuple[Any, ...], ...]:
        """Return the arguments of each call of a layer in a graph."""
        calls = []
        for node in entry.get("inbound_nodes", ()):
            if isinstance(node, dict):  # Keras 3
                self._check_keywords(node.get("kwargs") or {})
                calls.append(tuple(self._argument(each) for each in node["args"]))
            else:
                if isinstance(node[0], str):
                    node = [node]  # noqa: PLW2901
                for each in node:
                    self._check_keywords(each[3] if len(each) > 3 else {})
                refs = [self._ref("list", *each) for each in node]
                calls.append((refs[0] if len(refs) == 1 else refs,))
        return tuple(calls)

    def _check_keywords(self, keywords: dict[str, Any]) -> None:
        for name, value in keywords.items():
            # Keras 3 replaces training when it predicts; some layers write True by default.
            if name not in ("training", "mask") or (name == "mask" and value is not None):
                self.refuse(f"calls a layer with {name[:60]!r}, which is not supported")

    def _argument(self, value: Any) -> Any:
        if isinstance(value, dict):
            if value.get("class_name") == "__keras_tensor__":
                return self._ref("argument", *value["config"]["keras_history"])
            return self._numbers(value)
        if isinstance(value, list) and any(isinstance(each, dict) for each in value):
            return [self._argument(each) for each in value]
        return self._numbers(value)

    def _numbers(self, value: Any) -> Any:
        """Return a plain value: text, a number, None, or lists of these."""
        if isinstance(value, dict):
            kind = value.get("class_name")
            if kind in ("__numpy__", "__tensor__"):
                value = value["config"]["value"]
            elif kind in ("__tuple__", "ListWrapper"):  # of Keras 2
                value = value["items"] if kind == "__tuple__" else value["config"]
        if not _is_plain(value):
            self.refuse("contains a setting that is not a number, a text or a list of these")
        return value

    def _leaf(self, kind: str, module: str, entry: dict[str, Any]) -> Leaf:
        config = entry["config"]
        name = str(config.get("name", kind))
        # An .h5 file names no modules; layers have more settings than operations.
        if kind in OPERATIONS and (
            ".ops" in module or not (module or set(config) - {"name", "axis"})
        ):
            others = {key: value for key, value in config.items() if key not in ("name", "dtype")}
            if others not in ({}, {"axis": -1}):
                self.refuse(f"contains the operation {kind} with {sorted(others)[0][:60]!r}")
            return Leaf(kind, name, {}, is_operation=True)
        if kind in ONLY_TRAINING:
            return Leaf("Identity", name, {})
        if kind not in LAYERS:
            self.refuse(f"contains the layer {kind[:80]!r}, which mnv2 does not load")
        settings = self._settings(kind, config)
        shape = (entry.get("build_config") or {}).get("input_shape")
        last = shape[-1] if kind == "Dense" and isinstance(shape, list) and shape else 0
        return Leaf(kind, name, settings, inputs=last if type(last) is int else 0)

    def _settings(self, kind: str, config: dict[str, Any]) -> dict[str, Any]:
        settings = {}
        for given, value in config.items():
            key = RENAMED.get((kind, given), given)
            if key == "dtype":
                self._check_type(kind, value)
            elif key == "activation" and key in LAYERS[kind]:
                settings[key] = self._activation(value)
            elif key in LAYERS[kind]:
                settings[key] = self._numbers(value)
            elif key == "groups" and value == 1:
                continue  # Keras 2 writes it for DepthwiseConv2D, Keras 3 refuses it
            elif (
                value is None
                or value is False
                or key in WITHOUT_EFFECT
                or key.endswith(ENDINGS_WITHOUT_EFFECT)
            ):
                continue
            else:
                self.refuse(f"contains a layer {kind} with {key[:60]!r}, which is not supported")
        if settings.get("data_format") == "channels_first":
            self.refuse("has the colours first in its input (channels_first)",
                        "Save the model with channels_last, the default of Keras.")  # fmt: skip
        if settings.get("data_format") is None:
            settings.pop("data_format", None)
        if kind in ("BatchNormalization", "Softmax") and isinstance(settings.get("axis"), list):
            if len(settings["axis"]) != 1:
                self.refuse(f"contains a layer {kind} over several axes")
            settings["axis"] = settings["axis"][0]
        return settings

    def _check_type(self, kind: str, value: Any) -> None:
        if isinstance(value, dict):
            value = (value.get("config") or {}).get("name")
        if value is not None and value not in FLOATS and kind not in ("InputLayer", "Rescaling"):
            self.refuse(f"computes in {str(value)[:40]!r}: only floating-point is supported")

    def _activation(self, value: Any) -> str:
        """Return the name of an activation function."""
        if isinstance(value, dict):
            if value.get("module") not in (None, "builtins", "keras.activations"):
                self.refuse(
                    f"uses a function of the module {str(value.get('module'))[:80]!r}, which is "
                    "never run"
                )
            kind = value.get("class_name")
            value = value["config"] if kind == "function" else kind
        if value is None:
            return "linear"
        if value not in ACTIVATIONS:
            self.refuse(f"uses the function {str(value)[:80]!r}, which mnv2 does not know")
        if value == "hard_sigmoid" and self._keras2:
            self.refuse("uses hard_sigmoid of Keras 2, which Keras 3 computes differently")
        return str(value)


def _is_plain(value: Any) -> TypeGuard[str | float | list[Any] | None]:
    """Return whether a value consists of texts, numbers and lists, and is not too large."""
    waiting, count = [value], 0
    while waiting:
        each = waiting.pop()
        count += 1
        if isinstance(each, list):
            waiting.extend(each)
        elif (
            not (each is None or isinstance(each, str | int | float))
            or (isinstance(each, str) and len(each) > _LONGEST_TEXT)
            or (isinstance(each, int) and abs(each) > _LARGEST_NUMBER)
        ):
            return False
        if count > _MOST_NUMBERS:
            return False
    return True
