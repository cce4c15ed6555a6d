"""The interfaces of this package: a model that engines can run, and its family."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mnv2cli.events import DownloadProgress
    from mnv2cli.models.download import Origin
    from mnv2cli.models.head import Head
    from mnv2cli.models.options import ModelOptions


class Model(Protocol):
    """A network of one width and size and the place of its weights; nothing is loaded yet.

    Attributes:
        family: The name that users type after ``--model``, for every width and size.
        name: The name that users see, such as ``MobileNetV2 1.0 (224 x 224)``.
        model: The name in results; it includes the name of the user's own weights.
        alpha: Width multiplier.
        size: Side of the square input in pixels.
        weights: The user's own weights file; empty for the published weights.
        divisor: The network's input is ``pixel / divisor - shift``.
        shift: See ``divisor``.
        ideas: The ideas behind the network: titles and texts.
        accurate: Whether each image is also predicted mirrored, and the scores are averaged.
        precisions: The precisions that suit the network: its labels stay almost the same.
        packaged: Whether the published weights come in a Python package, not as a download.
        how_to_get: The command that installs or downloads the published weights.
        cached: Absolute path of the published weights in Keras's cache.
        class_names: The names of the classes, in the order of the scores; empty for ImageNet's
            1,000 classes.
        features: The length of the features that its last layer gets; 0 if it has none to use.
        head: What computes the scores from the features; None if the network itself does.
        image_defaults: Fields of ``ImageOptions`` that suit the model, where the user chose none.
        thresholds: By class, the score below which it is not precise enough; may lack classes.
        backbone: The network that engines run: with a head the one below it, else this one.
        notes: What to notify users of before the first run; one sentence each.
        checksum: The known digest of the published weights, as ``md5:...`` or ``sha256:...``;
            empty if none is known.
    """

    @property
    def family(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def alpha(self) -> float: ...
    @property
    def size(self) -> int: ...
    @property
    def weights(self) -> str: ...
    @property
    def divisor(self) -> float: ...
    @property
    def shift(self) -> float: ...
    @property
    def ideas(self) -> tuple[tuple[str, str], ...]: ...
    @property
    def accurate(self) -> bool: ...
    @property
    def precisions(self) -> tuple[str, ...]: ...
    @property
    def packaged(self) -> bool: ...
    @property
    def how_to_get(self) -> str: ...
    @property
    def cached(self) -> str: ...
    @property
    def class_names(self) -> tuple[str, ...]: ...
    @property
    def features(self) -> int: ...
    @property
    def head(self) -> Head | None: ...
    @property
    def image_defaults(self) -> Mapping[str, str]: ...
    @property
    def thresholds(self) -> Mapping[str, float]: ...
    @property
    def backbone(self) -> Model: ...
    @property
    def checksum(self) -> str: ...

    @property
    def notes(self) -> tuple[str, ...]: ...

    @property
    def origin(self) -> Origin:
        """The URL of the published weights and their path in Keras's cache.

        Raises:
            InputError: They are not available for download, or the mirror's URL is invalid.
        """
        ...

    def find(self) -> str:
        """Return the path of the weights; empty if they are not on this machine."""
        ...

    def fetch(self) -> str:
        """Return the path of the weights, downloading them first if necessary.

        Raises:
            WeightsError: They are not available; DownloadError if a download failed.
        """
        ...

    def check_file(self, path: str) -> None:
        """Check that a weights file is intact and safe, without Keras: quicker than ``check``.

        Args:
            path: The file.

        Raises:
            WeightsError: It is not; its hint advises how to replace the file.
        """
        ...

    def check(self, path: str, hint: str = "", what: str = "") -> None:
        """Check that a weights file fits this network, by loading it.

        Args:
            path: The file.
            hint: The hint of errors.
            what: The name of the file in errors.

        Raises:
            WeightsError: It does not fit.
        """
        ...

    def identity(self) -> dict[str, str | float]:
        """Return everything that identifies this model, including its weights' content.

        It never changes for the same network and weights, because it names compiled models.

        Raises:
            WeightsError: The weights are not available.
        """
        ...

    def build(self) -> Any:
        """Return the Keras model, from scaled float32 [n, size, size, 3] to [n, classes].

        Raises:
            WeightsError: The weights are not available, or do not fit this network.
        """
        ...

    def build_untrained(self) -> Any:
        """Return the Keras model with random weights, to examine its layers."""
        ...


class Family(Protocol):
    """The module of a family, as the registry uses it; it must be cheap to import.

    Attributes:
        SUFFIX: The suffix of its published weights files, with the dot.
    """

    @property
    def SUFFIX(self) -> str: ...  # noqa: N802

    def create(self, options: ModelOptions, progress: DownloadProgress) -> Model:
        """Return the requested model; nothing is loaded yet.

        Args:
            options: Width, size and weights; the name is this family's, or empty.
            progress: Called with the progress of a download.

        Raises:
            InputError: The family does not have this model.
        """
        ...

    def variants(self) -> Iterator[Model]:
        """Yield every model with published weights."""
        ...

    def options_of_file(self, file_name: str) -> ModelOptions | None:
        """Return the model that the name of a weights file identifies; None if it identifies none.

        Width and size are None if the name does not determine them.
        """
        ...
