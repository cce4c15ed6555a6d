"""What the networks of ``keras.applications`` share: to find, check and load their weights."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, ClassVar

from mnv2cli.errors import InputError, WeightsError
from mnv2cli.models import weights as store
from mnv2cli.models.base import BaseModel
from mnv2cli.models.options import ModelOptions

if TYPE_CHECKING:
    from mnv2cli.models.download import Origin

CLASSES = 1000

SUFFIX = ".h5"

_FILE_HINT = "Use an intact file of weights alone, as Keras's save_weights() writes it."


class KerasApplication(BaseModel):
    """A network of ``keras.applications`` with ImageNet's 1,000 classes.

    A subclass names the network in its class attributes; its methods ``create``, ``variants`` and
    ``options_of_file`` are those of a ``Family``. Unless the subclass says otherwise, it scales
    pixels itself, as Keras builds it.

    Attributes:
        function: The function of ``keras.applications`` that builds it.
        host: The URL of the folder that Keras's own loader downloads from.
        published_name: The name of the published weights there; empty if it depends on the width.
        checksum: The digest that Keras knows of them, as ``md5:...`` or ``sha256:...``; empty if it
            knows none.
        divisor: The network's input is ``pixel / divisor - shift``.
        shift: See ``divisor``.
        precisions: The precisions that suit it. With random weights, LiteRT cannot run
            MobileNetV3-Large in int8, and EfficientNetV2-B0 had another first label for every
            image.
        ideas: The ideas behind it: titles and texts.
        packaged: Always False: its weights are downloaded.

    Raises:
        InputError: The network does not exist in this width and size, or cannot use this file.
    """

    function: ClassVar[str]
    host: ClassVar[str]
    ideas: ClassVar[tuple[tuple[str, str], ...]]
    published_name: ClassVar[str] = ""
    checksum: ClassVar[str] = ""
    divisor: ClassVar[float] = 1.0
    shift: ClassVar[float] = 0.0
    precisions: ClassVar[tuple[str, ...]] = ("float32",)
    packaged: ClassVar[bool] = False
    _fit_hint: ClassVar[str] = "Use the --model that the weights were trained for."

    @classmethod
    def options_of_file(cls, file_name: str) -> ModelOptions | None:
        """Return this network for the published name of its weights; None for other names."""
        return ModelOptions(cls.family) if file_name == cls.published_name else None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_options()

    def _check_options(self) -> None:
        """Check that the user's own weights, if any, exist and may be a file of Keras."""
        if not self.weights:
            return
        if self.refresh:
            raise InputError("--refresh-weights cannot be combined with --weights")
        if not os.path.isfile(self.weights):
            raise InputError(f"weights file not found: {self.weights}")
        if self.weights.endswith(".pth"):
            raise InputError(
                f"{self.weights} is not a weights file of {self.title}",
                "Use --model efficientnet_lite0 for a .pth file.",
            )

    @property
    def file_name(self) -> str:
        """The name of the published weights, in Keras's cache and on their host."""
        return self.published_name

    @property
    def how_to_get(self) -> str:
        """The command that downloads the published weights."""
        return f"mnv2 models download {self.family}"

    @property
    def origin(self) -> Origin:
        """The URL of the published weights and their path in Keras's cache."""
        from mnv2cli.models.download import Origin, published_at

        return Origin(published_at(self.host, self.file_name), self.cached, self.checksum)

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
        again = f"Download it again with: {self.how_to_get} --refresh"
        store.check_file(path, _FILE_HINT if self.weights else again)

    def identity(self) -> dict[str, str | float]:
        """Return the architecture, its scaling and the SHA-256 of the weights file.

        Raises:
            WeightsError: The weights are not available.
        """
        return {
            "architecture": f"keras.applications.{self.function}",
            "alpha": self.alpha,
            "size": self.size,
            "divisor": self.divisor,
            "shift": self.shift,
            "weights": store.digest(self.fetch()),
        }

    def build(self) -> Any:
        """Return the Keras model with its weights, downloading them first if necessary.

        Returns:
            A model from float32 [n, size, size, 3], scaled as ``divisor`` and ``shift`` say, to
            softmax scores float32 [n, 1000].

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
            raise WeightsError(message, hint or self._fit_hint) from error
        store.check_values(model, what, hint or _FILE_HINT)
        return model

    def _architecture(self, weights: str | None) -> Any:
        """Return the Keras model, with softmax scores of 1,000 classes.

        Args:
            weights: The path of a weights file; None for random weights.
        """
        build = getattr(store.import_keras().applications, self.function)
        return build(
            input_shape=(self.size, self.size, 3),
            weights=weights,
            classes=CLASSES,
            **self._arguments,
        )

    @property
    def _arguments(self) -> dict[str, Any]:
        """Further arguments of the function that builds it."""
        return {}
