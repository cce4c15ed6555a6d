"""What all networks here share: the options that choose one, and its name in results."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from mnv2cli.errors import InputError
from mnv2cli.events import DownloadProgress, ignore_download
from mnv2cli.models.options import ModelOptions

if TYPE_CHECKING:
    from typing_extensions import Self

ONLY_SIZE = 224
"""Side in pixels of the input of networks in one size, as usual for ImageNet."""


@dataclass
class BaseModel:
    """A network with ImageNet's 1,000 classes, in one width and size unless a subclass has more.

    ``create`` and ``variants`` are those of a ``Family``.

    Attributes:
        alpha: Width multiplier.
        size: Side of the input in pixels.
        weights: The user's own weights file; empty for the published weights.
        refresh: Download the published weights even if they are in the cache.
        progress: Called with the progress of a download.
        accurate: Use a larger input, and predict each image mirrored as well.
        family: The name that users type, for every width and size.
        title: The name that users see, without width and size.
        class_names: Always empty: its classes are ImageNet's.
        head: Always None: its own last layer computes the scores.
        image_defaults: Always empty: it suits all options of images.
        thresholds: Always empty: it is not calibrated to a precision.
        notes: Always empty: there is nothing to notify users of.

    Raises:
        InputError: The network does not exist in this width and size, or with ``accurate``.
    """

    alpha: float = 1.0
    size: int = ONLY_SIZE
    weights: str = ""
    refresh: bool = False
    progress: DownloadProgress = field(default=ignore_download, repr=False)
    accurate: bool = False

    family: ClassVar[str]
    title: ClassVar[str]
    class_names: ClassVar[tuple[str, ...]] = ()
    head: ClassVar[None] = None
    image_defaults: ClassVar[Mapping[str, str]] = {}
    thresholds: ClassVar[Mapping[str, float]] = {}
    notes: ClassVar[tuple[str, ...]] = ()
    _why_not_accurate: ClassVar[str] = "its gain has not been measured"

    def __post_init__(self) -> None:
        if (self.alpha, self.size) != (1.0, ONLY_SIZE):
            raise InputError(
                f"{self.title} supports only alpha 1.0 and size {ONLY_SIZE}",
                "Omit --alpha and --size, or use --model mobilenet_v2.",
            )
        if self.accurate:
            raise InputError(
                f"--accurate cannot be combined with --model {self.family}: "
                f"{self._why_not_accurate}",
                "Omit --accurate, or use --model mobilenet_v2.",
            )

    @classmethod
    def create(cls, options: ModelOptions, progress: DownloadProgress) -> Self:
        """Return the requested model; nothing is loaded yet.

        Args:
            options: Width, size and weights; the name is this family's, or empty.
            progress: Called with the progress of a download.

        Raises:
            InputError: The network does not exist in this width and size.
        """
        return cls(
            alpha=1.0 if options.alpha is None else options.alpha,
            size=ONLY_SIZE if options.size is None else options.size,
            weights=options.weights or "",
            refresh=options.refresh,
            progress=progress,
            accurate=options.accurate,
        )

    @classmethod
    def variants(cls) -> Iterator[Self]:
        """Yield every model with published weights."""
        yield cls()

    @property
    def name(self) -> str:
        """The name that users see."""
        return self.title

    @property
    def model(self) -> str:
        """The name in results; it includes the name of the user's own weights."""
        own = f"+{os.path.basename(self.weights)}" if self.weights else ""
        return f"{self._variant}{own}"

    @property
    def features(self) -> int:
        """The number of features under its last layer; 0 if that has other inputs."""
        return 0

    @property
    def backbone(self) -> Self:
        """The network that engines run: this one."""
        return self

    @property
    def _variant(self) -> str:
        """The name in results, without the user's own weights."""
        return self.family

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

    def _load(self, path: str, hint: str = "", what: str = "") -> Any:
        """Return the Keras model with the weights in a file; raises WeightsError."""
        raise NotImplementedError
