"""MobileNetV2 as Keras ships it, and where its ImageNet weights are.

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
"""Input sides with published ImageNet weights, for alpha up to 1.0."""

WEIGHTS_URL = "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/"
"""The folder that Keras's own loader downloads from."""

CLASSES = 1000

SUFFIX = ".h5"

IDEAS = (
    (
        "Depthwise separable convolutions",
        "A k x k convolution of all channels is split in two: one k x k filter for each channel "
        "by itself, then a 1 x 1 convolution that mixes channels. With 3 x 3 that takes eight to "
        "nine times fewer multiply-adds.",
    ),
    (
        "Inverted residuals",
        "A block widens its input by the expansion, filters it depthwise, and narrows it again. "
        "The shortcut joins the narrow ends, so that little has to be kept in memory. There is "
        "one wherever stride is 1 and the channels stay the same.",
    ),
    (
        "Linear bottlenecks",
        "The narrow end of a block has no activation: in few channels ReLU would destroy what "
        "the block found.",
    ),
    (
        "ReLU6",
        "Activations are cut off at 6 as well as at 0, which keeps their range small enough for "
        "8-bit arithmetic.",
    ),
    (
        "Width and resolution multipliers",
        "alpha scales the channels of every layer (rounded to multiples of 8; the last one is "
        "never narrowed), so parameters and multiply-adds go with about its square. size scales "
        "the image, and multiply-adds go with its square.",
    ),
)
"""What makes this network what it is: titles and texts. Source: the paper named above."""


_STEM = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels"
_FILE_NAME = re.compile(rf"{_STEM}_(?P<alpha>[0-9]+\.[0-9]+)_(?P<size>[0-9]+)\.h5")


def create(options: ModelOptions, progress: DownloadProgress) -> MobileNetV2:
    """Return MobileNetV2 of a width and size, by default 1.0 and 224.

    Raises:
        InputError: There are no published weights of this width and size.
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
    """Return the input sides with published weights of this width; empty if there are none."""
    if alpha not in ALPHAS:
        return ()
    return SIZES if alpha <= 1 else (224,)


@dataclass
class MobileNetV2:
    """``keras.applications.MobileNetV2`` with ImageNet's 1,000 classes.

    Attributes:
        alpha: Width multiplier, one of :data:`ALPHAS` unless ``weights`` is given.
        size: Side of the input in pixels, one of :data:`SIZES` unless ``weights`` is given.
        weights: The user's own weights file; empty for the published ones.
        refresh: Download the published weights even if the cache has them.
        progress: Called with the progress of a download.
        divisor: ``pixel / 127.5 - 1``, the range [-1, 1] of Keras's own ``preprocess_input``.
        shift: See ``divisor``.
        family: What users call the network, whatever its width and size.
        ideas: What makes it what it is: titles and texts.
        packaged: Always False: its weights are downloaded.

    Raises:
        InputError: There are no published weights of this alpha and size.
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
            self.alpha = float(self.alpha)  # Keras asks for another file with alpha=1
        except (TypeError, ValueError) as error:
            raise InputError(f"alpha must be a number, not {self.alpha!r}") from error
        if self.weights:
            if self.refresh:
                raise InputError("--refresh-weights is about downloads: leave out --weights")
            if not os.path.isfile(self.weights):
                raise InputError(f"there is no weights file {self.weights!r}")
            if self.weights.endswith(".pth"):
                raise InputError(
                    f"{self.weights!r} is no file of MobileNetV2's",
                    "A .pth file is for --model efficientnet_lite0.",
                )
            if not (0 < self.alpha <= 4 and 32 <= self.size <= 1024):
                raise InputError("alpha must be over 0 and at most 4, size from 32 to 1024")
        elif self.size not in published_sizes(self.alpha):
            raise InputError(
                f"no weights are published for alpha {self.alpha} at size {self.size}",
                "Published are alpha 0.35, 0.5, 0.75 and 1.0 at size 96, 128, 160, 192 and 224, "
                "and alpha 1.3 and 1.4 at size 224. Use --weights for a file of your own.",
            )

    @property
    def name(self) -> str:
        """The name that users see."""
        return f"MobileNetV2 {self.alpha} ({self.size} x {self.size})"

    @property
    def model(self) -> str:
        """The name that results carry; the user's own weights are named in it."""
        own = f"+{os.path.basename(self.weights)}" if self.weights else ""
        return f"mobilenet_v2_{self.alpha}_{self.size}{own}"

    @property
    def file_name(self) -> str:
        """The name of the published weights in Keras's cache and on its host."""
        return f"{_STEM}_{self.alpha}_{self.size}{SUFFIX}"

    @property
    def how_to_get(self) -> str:
        """The command that fetches the published weights."""
        return f"mnv2 models download --alpha {self.alpha} --size {self.size}"

    @property
    def origin(self) -> Origin:
        """Where the published weights come from and where they belong."""
        from mnv2cli.models.download import Origin, published_at

        return Origin(published_at(WEIGHTS_URL, self.file_name), self.cached)

    @property
    def cached(self) -> str:
        """Where the published weights belong, an absolute path."""
        return store.cache_path(self.file_name)

    def find(self) -> str:
        """Return where the weights are, or nothing if they are not on this machine."""
        path = self.weights or self.cached
        return path if os.path.isfile(path) else ""

    def fetch(self) -> str:
        """Return where the weights are, once they are there."""
        if not self.weights and (self.refresh or not os.path.isfile(self.cached)):
            from mnv2cli.models.download import download

            download(self.origin, self.progress)
            self.refresh = False  # once is enough
        return self.weights or self.cached

    def check(self, path: str, hint: str = "", what: str = "") -> None:
        """Check that a weights file is this network's, by loading it.

        Args:
            path: The file.
            hint: What errors advise.
            what: What errors call the file.

        Raises:
            WeightsError: It is not.
        """
        self._load(path, hint or "Is it a file of this network, alpha and size?", what)

    def identity(self) -> dict[str, str | float]:
        """Return the architecture, its scaling and the SHA-256 of the weights file.

        Raises:
            WeightsError: The weights cannot be had.
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
        """Return the Keras model with its weights, downloading them first if need be.

        Returns:
            A model from float32 [n, size, size, 3] in [-1, 1] to softmax scores
            float32 [n, 1000].

        Raises:
            WeightsError: The weights cannot be had, or are not this network's.
        """
        path = self.fetch()
        if self.weights:
            return self._load(path, "Is it a file of this network, alpha and size?")
        return self._load(path, "Fetch it again with --refresh-weights, or by hand with:\n"
                          f"mnv2 models import {self.file_name}")  # fmt: skip

    def build_untrained(self) -> Any:
        """Return the Keras model with random weights, for those who look at its shape alone."""
        return self._architecture(None)

    def _load(self, path: str, hint: str, what: str = "") -> Any:
        """Build the network and fill it, by Keras's own code."""
        store.check_file(path, hint, what)
        what = what or f"the weights file {path}"
        try:
            model = self._architecture(path)
        except Exception as error:  # Keras and h5py raise many kinds
            text = " ".join(str(error).split())[:300]
            raise WeightsError(f"{what} does not fit {self.name}: {text}", hint) from error
        store.check_values(model, what, hint)
        return model

    def _architecture(self, weights: str | None) -> Any:
        return store.import_keras().applications.MobileNetV2(
            input_shape=(self.size, self.size, 3),
            alpha=self.alpha,
            weights=weights,
            classes=CLASSES,
        )
