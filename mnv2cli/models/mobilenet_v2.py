"""MobileNetV2 as Keras ships it, and where its ImageNet weights are.

Source: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from mnv2cli.errors import InputError, WeightsError
from mnv2cli.models import weights as store
from mnv2cli.models.weights import Origin, Progress, no_progress

ALPHAS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
"""Width multipliers with published ImageNet weights."""

SIZES = (96, 128, 160, 192, 224)
"""Input sides with published ImageNet weights, for alpha up to 1.0."""

WEIGHTS_URL = "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/"
"""The folder that Keras's own loader downloads from."""

CLASSES = 1000


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
        progress: Told how a download goes.
        divisor: ``pixel / 127.5 - 1``, the range [-1, 1] of Keras's own ``preprocess_input``.
        shift: See ``divisor``.

    Raises:
        InputError: There are no published weights of this alpha and size.
    """

    alpha: float = 1.0
    size: int = 224
    weights: str = ""
    refresh: bool = False
    progress: Progress = field(default=no_progress, repr=False)
    divisor: float = 127.5
    shift: float = 1.0

    def __post_init__(self) -> None:
        self.alpha = float(self.alpha)  # Keras asks for another file with alpha=1
        if self.weights:
            if self.refresh:
                raise InputError("--refresh-weights is about downloads: leave out --weights")
            if not os.path.isfile(self.weights):
                raise InputError(f"there is no weights file {self.weights!r}")
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
    def file_name(self) -> str:
        """The name of the published weights in Keras's cache and on its host."""
        stem = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels"
        return f"{stem}_{self.alpha}_{self.size}.h5"

    @property
    def _origin(self) -> Origin:
        return Origin(WEIGHTS_URL + self.file_name, store.cache_path(self.file_name))

    def _weights_file(self) -> str:
        """Return where the weights are, once they are there."""
        if self.weights:
            return self.weights
        if self.refresh or not os.path.exists(self._origin.path):
            store.download(self._origin, self.progress)
            self.refresh = False  # once is enough
        return self._origin.path

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
            "weights": store.digest(self._weights_file()),
        }

    def build(self) -> Any:
        """Return the Keras model with its weights, downloading them first if need be.

        Returns:
            A model from float32 [n, size, size, 3] in [-1, 1] to softmax scores
            float32 [n, 1000].

        Raises:
            WeightsError: The weights cannot be had, or are not this network's.
        """
        path = self._weights_file()
        if self.weights:
            return self._load(path, "Is it a file of this network, alpha and size?")
        return self._load(
            path,
            f"Fetch it again with --refresh-weights, or put a good copy in its place by hand:\n"
            f"{self._origin.url}",
        )

    def _load(self, path: str, hint: str) -> Any:
        """Build the network and fill it, by Keras's own code."""
        store.check_file(path, hint)
        keras = store.import_keras()
        try:
            model = keras.applications.MobileNetV2(
                input_shape=(self.size, self.size, 3),
                alpha=self.alpha,
                weights=path,
                classes=CLASSES,
            )
        except Exception as error:  # Keras and h5py raise many kinds
            text = " ".join(str(error).split())[:300]
            raise WeightsError(
                f"the weights file {path} does not fit {self.name}: {text}", hint
            ) from error
        store.check_values(model, path, hint)
        return model
