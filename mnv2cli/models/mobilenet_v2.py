"""MobileNetV2 as Keras provides it, and its ImageNet weights.

Source: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mnv2cli.errors import InputError
from mnv2cli.models import keras_application
from mnv2cli.models.options import ModelOptions

ALPHAS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
"""Width multipliers with published ImageNet weights."""

SIZES = (96, 128, 160, 192, 224)
"""Input sides in pixels with published ImageNet weights, for alpha up to 1.0."""

SUFFIX = keras_application.SUFFIX

ACCURATE_SIZE = 256
"""Side of the input with ``--accurate``, for weights of size 224.

Usually the shorter side of an image becomes 256 pixels, and the network sees the centre of 224.
With this size it sees the whole square at the same scale.
"""

WEIGHTS_URL = "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/"
"""The URL that Keras's own loader downloads from."""

IDEAS = (
    (
        "Depthwise separable convolutions",
        "A k x k convolution of all channels is split in two: a k x k filter for each single "
        "channel, then a 1 x 1 convolution that mixes channels. For 3 x 3 filters this takes "
        "eight to nine times fewer multiply-adds.",
    ),
    (
        "Inverted residuals",
        "A block widens its input by the expansion factor, filters it depthwise, and narrows it "
        "again. The shortcut connects the narrow ends, which keeps memory use low. A block has "
        "one if its stride is 1 and its input and output have equally many channels.",
    ),
    (
        "Linear bottlenecks",
        "The narrow end of a block has no activation, because ReLU destroys information where "
        "channels are few.",
    ),
    (
        "ReLU6",
        "Activations are clipped to the range 0 to 6, which is small enough for 8-bit arithmetic.",
    ),
    (
        "Width and resolution multipliers",
        "alpha scales the channels of every layer (rounded to multiples of 8; the last layer is "
        "never narrowed), so parameters and multiply-adds grow with about its square. size "
        "scales the image, and multiply-adds grow with its square.",
    ),
)
"""The ideas behind this network: titles and texts. Source: the paper named above."""


_STEM = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels"
_FILE_NAME = re.compile(rf"{_STEM}_(?P<alpha>[0-9]+\.[0-9]+)_(?P<size>[0-9]+)\.h5")


def published_sizes(alpha: float) -> tuple[int, ...]:
    """Return the input sides with published weights for a width; empty if there are none."""
    if alpha not in ALPHAS:
        return ()
    return SIZES if alpha <= 1 else (224,)


class MobileNetV2(keras_application.KerasApplication):
    """``keras.applications.MobileNetV2`` with ImageNet's 1,000 classes.

    With ``accurate`` the weights are those of size 224, and ``size`` is :data:`ACCURATE_SIZE`: the
    network is convolutional up to its global pooling, so weights do not depend on the size.

    Attributes:
        alpha: Width multiplier, one of :data:`ALPHAS` unless ``weights`` is given.
        size: Side of the input in pixels, one of :data:`SIZES` unless ``weights`` or ``accurate``
            is given.
        trained_size: Side of the images that the published weights were trained on.
        divisor: ``pixel / 127.5 - 1``, the range [-1, 1] of Keras's own ``preprocess_input``.
        shift: See ``divisor``.

    Raises:
        InputError: No weights are published for this alpha and size.
    """

    family = "mobilenet_v2"
    title = "MobileNetV2"
    function = "MobileNetV2"
    host = WEIGHTS_URL
    ideas = IDEAS
    divisor = 127.5
    shift = 1.0
    precisions = ("float32", "int8")
    _fit_hint = "Use the --alpha and --size that the weights were trained with."

    def __post_init__(self) -> None:
        try:
            self.alpha = float(self.alpha)  # with alpha=1 Keras looks for another file
        except (TypeError, ValueError) as error:
            raise InputError(f"alpha must be a number, not {self.alpha!r}") from error
        self._check_options()
        if self.weights:
            if not (0 < self.alpha <= 4 and 32 <= self.size <= 1024):
                raise InputError(
                    "with --weights, --alpha must be above 0 and at most 4, and --size 32 to 1024"
                )
        elif self.size not in published_sizes(self.alpha):
            raise InputError(
                f"no weights are published for alpha {self.alpha} at size {self.size}",
                "Choose alpha 0.35, 0.5, 0.75 or 1.0 with size 96, 128, 160, 192 or 224, or alpha "
                "1.3 or 1.4 with size 224; or use your own weights with --weights FILE.",
            )
        self.trained_size = self.size
        if self.accurate:
            self.size = ACCURATE_SIZE

    @classmethod
    def variants(cls) -> Iterator[MobileNetV2]:
        """Yield every MobileNetV2 with published weights, from narrow to wide."""
        for alpha in ALPHAS:
            for size in published_sizes(alpha):
                yield cls(alpha=alpha, size=size)

    @classmethod
    def options_of_file(cls, file_name: str) -> ModelOptions | None:
        """Return the width and size in the published name of a file; None for other names."""
        match = _FILE_NAME.fullmatch(file_name)
        if match is None:
            return None
        return ModelOptions(cls.family, float(match["alpha"]), int(match["size"]))

    @property
    def name(self) -> str:
        """The name that users see."""
        return f"{self.title} {self.alpha} ({self.size} x {self.size})"

    @property
    def features(self) -> int:
        """The channels of the last convolution, which only widths above 1.0 change."""
        return 1280 if self.alpha <= 1 else int(1280 * self.alpha + 4) // 8 * 8

    @property
    def _variant(self) -> str:
        suffix = "_accurate" if self.accurate else ""
        return f"{self.family}_{self.alpha}_{self.trained_size}{suffix}"

    @property
    def file_name(self) -> str:
        """The name of the published weights, in Keras's cache and on their host."""
        return f"{_STEM}_{self.alpha}_{self.trained_size}{SUFFIX}"

    @property
    def how_to_get(self) -> str:
        """The command that downloads the published weights."""
        return f"mnv2 models download --alpha {self.alpha} --size {self.trained_size}"

    @property
    def _arguments(self) -> dict[str, Any]:
        return {"alpha": self.alpha}


create, variants = MobileNetV2.create, MobileNetV2.variants
options_of_file = MobileNetV2.options_of_file
