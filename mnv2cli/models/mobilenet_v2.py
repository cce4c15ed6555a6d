"""MobileNetV2 as Keras provides it, and its ImageNet weights.

Source: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mnv2cli.errors import InputError, WeightsError
from mnv2cli.events import DownloadProgress, ignore_download
from mnv2cli.models import weights as store
from mnv2cli.models.options import ModelOptions

if TYPE_CHECKING:
    from mnv2cli.models.download import Origin

ALPHAS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
"""Width multipliers with published ImageNet weights."""

SIZES = (96, 128, 160, 192, 224)
"""Input sides in pixels with published ImageNet weights, for alpha up to 1.0."""

WEIGHTS_URL = "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/"
"""The URL that Keras's own loader downloads from."""

CLASSES = 1000

SUFFIX = ".h5"

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


_FIT_HINT = "Use the --alpha and --size that the weights were trained with."
_FILE_HINT = "Use an intact file of weights alone, as Keras's save_weights() writes it."
_STEM = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels"
_FILE_NAME = re.compile(rf"{_STEM}_(?P<alpha>[0-9]+\.[0-9]+)_(?P<size>[0-9]+)\.h5")


def create(options: ModelOptions, progress: DownloadProgress) -> MobileNetV2:
    """Return MobileNetV2 of a width and size, by default 1.0 and 224.

    Raises:
        InputError: No weights are published for this width and size.
    """
    return MobileNetV2(
        alpha=1.0 if options.alpha is None else options.alpha,
        size=224 if options.size is None else options.size,
        weights=options.weights or "",
        refresh=options.refresh,
        progress=progress,
    )


def variants() -> Iterator[MobileNetV2]:
    """Yield every MobileNetV2 with published weights, from narrow to wide."""
    for alpha in ALPHAS:
        for size in published_sizes(alpha):
            yield MobileNetV2(alpha=alpha, size=size)


def options_of_file(file_name: str) -> ModelOptions | None:
    """Return the width and size in the published name of a weights file; None for other names."""
    match = _FILE_NAME.fullmatch(file_name)
    if match is None:
        return None
    return ModelOptions("mobilenet_v2", float(match["alpha"]), int(match["size"]))


def published_sizes(alpha: float) -> tuple[int, ...]:
    """Return the input sides with published weights for a width; empty if there are none."""
    if alpha not in ALPHAS:
        return ()
    return SIZES if alpha <= 1 else (224,)


@dataclass
class MobileNetV2:
    """``keras.applications.MobileNetV2`` with ImageNet's 1,000 classes.

    Attributes:
        alpha: Width multiplier, one of :data:`ALPHAS` unless ``weights`` is given.
        size: Side of the input in pixels, one of :data:`SIZES` unless ``weights`` is given.
        weights: The user's own weights file; empty for the published weights.
        refresh: Download the published weights even if they are in the cache.
        progress: Called with the progress of a download.
        divisor: ``pixel / 127.5 - 1``, the range [-1, 1] of Keras's own ``preprocess_input``.
        shift: See ``divisor``.
        family: The name that users type, for every width and size.
        ideas: The ideas behind it: titles and texts.
        packaged: Always False: its weights are downloaded.

    Raises:
        InputError: No weights are published for this alpha and size.
    """

    alpha: float = 1.0
    size: int = 224
    weights: str = ""
    refresh: bool = False
    progress: DownloadProgress = field(default=ignore_download, repr=False)
    divisor: float = 127.5
    shift: float = 1.0

    family = "mobilenet_v2"
    ideas = IDEAS
    packaged = False

    def __post_init__(self) -> None:
        try:
            self.alpha = float(self.alpha)  # with alpha=1 Keras looks for another file
        except (TypeError, ValueError) as error:
            raise InputError(f"alpha must be a number, not {self.alpha!r}") from error
        if self.weights:
            if self.refresh:
                raise InputError("--refresh-weights cannot be combined with --weights")
            if not os.path.isfile(self.weights):
                raise InputError(f"weights file not found: {self.weights}")
            if self.weights.endswith(".pth"):
                raise InputError(
                    f"{self.weights} is not a weights file of MobileNetV2",
                    "Use --model efficientnet_lite0 for a .pth file.",
                )
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

    @property
    def name(self) -> str:
        """The name that users see."""
        return f"MobileNetV2 {self.alpha} ({self.size} x {self.size})"

    @property
    def model(self) -> str:
        """The name in results; it includes the name of the user's own weights."""
        own = f"+{os.path.basename(self.weights)}" if self.weights else ""
        return f"mobilenet_v2_{self.alpha}_{self.size}{own}"

    @property
    def file_name(self) -> str:
        """The name of the published weights, in Keras's cache and on their host."""
        return f"{_STEM}_{self.alpha}_{self.size}{SUFFIX}"

    @property
    def how_to_get(self) -> str:
        """The command that downloads the published weights."""
        return f"mnv2 models download --alpha {self.alpha} --size {self.size}"

    @property
    def _again(self) -> str:
        return f"Download it again with: {self.how_to_get}"

    @property
    def origin(self) -> Origin:
        """The URL of the published weights and their path in Keras's cache."""
        from mnv2cli.models.download import Origin, published_at

        return Origin(published_at(WEIGHTS_URL, self.file_name), self.cached)

    @property
    def cached(self) -> str:
        """Absolute path of the published weights in Keras's cache."""
        return store.cache_path(self.file_name)

    def find(self) -> str:
        """Return the path of the weights; empty if they are not on this machine."""
        path = self.weights or self.cached
        return path if os.path.isfile(path) else ""

    def fetch(self) -> str:
        """Return the path of the weights, downloading them first if necessary.

        Raises:
            DownloadError: They cannot be downloaded.
        """
        if not self.weights and (self.refresh or not os.path.isfile(self.cached)):
            from mnv2cli.models.download import download

            download(self.origin, self.progress)
            self.refresh = False  # only once
        return self.weights or self.cached

    def check_file(self, path: str) -> None:
        """Check that a weights file is intact and safe, without Keras.

        Args:
            path: The file.

        Raises:
            WeightsError: It is not.
        """
        store.check_file(path, _FILE_HINT if self.weights else f"{self._again} --refresh")

    def check(self, path: str, hint: str = "", what: str = "") -> None:
        """Check that a weights file fits this network, by loading it.

        Args:
            path: The file.
            hint: The hint of errors.
            what: The name of the file in errors.

        Raises:
            WeightsError: It does not fit.
        """
        self._load(path, hint, what)

    def identity(self) -> dict[str, str | float]:
        """Return the architecture, its scaling and the SHA-256 of the weights file.

        Raises:
            WeightsError: The weights are not available.
        """
        return {
            "architecture": "keras.applications.MobileNetV2",
            "alpha": self.alpha,
            "size": self.size,
            "divisor": self.divisor,
            "shift": self.shift,
            "weights": store.digest(self.fetch()),
        }

    def build(self) -> Any:
        """Return the Keras model with its weights, downloading them first if necessary.

        Returns:
            A model from float32 [n, size, size, 3] in [-1, 1] to softmax scores
            float32 [n, 1000].

        Raises:
            WeightsError: The weights are not available, or do not fit this network.
        """
        path = self.fetch()
        if self.weights:
            return self._load(path)
        return self._load(path, "Download it again with --refresh-weights, or import a copy with:\n"
                          f"mnv2 models import {self.file_name}")  # fmt: skip

    def build_untrained(self) -> Any:
        """Return the Keras model with random weights, to examine its layers."""
        return self._architecture(None)

    def _load(self, path: str, hint: str = "", what: str = "") -> Any:
        """Build the network and load its weights with Keras's own code."""
        store.check_file(path, hint or _FILE_HINT, what)
        what = what or f"the weights file {path}"
        try:
            model = self._architecture(path)
        except Exception as error:  # Keras and h5py raise many types
            text = " ".join(str(error).split())[:300]
            message = f"{what} does not fit {self.name}: {text}"
            raise WeightsError(message, hint or _FIT_HINT) from error
        store.check_values(model, what, hint or _FILE_HINT)
        return model

    def _architecture(self, weights: str | None) -> Any:
        return store.import_keras().applications.MobileNetV2(
            input_shape=(self.size, self.size, 3),
            alpha=self.alpha,
            weights=weights,
            classes=CLASSES,
        )
