"""What the room is built around: a model that can be run, and the family that it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mnv2cli.events import DownloadProgress
    from mnv2cli.models.download import Origin
    from mnv2cli.models.options import ModelOptions


class Model(Protocol):
    """A network of one width and size with its weights, wherever these are; nothing is loaded.

    Attributes:
        family: What users call the network, whatever its width and size.
        name: The name that users see, such as ``MobileNetV2 1.0 (224 x 224)``.
        model: The name that results carry; the user's own weights are named in it.
        alpha: Width multiplier.
        size: Side of the square input in pixels.
        weights: The user's own weights file; empty for the published ones.
        divisor: Inputs are ``pixel / divisor - shift``.
        shift: See ``divisor``.
        ideas: What makes the network what it is: titles and texts.
        packaged: The published weights come with a Python package, not by download.
        how_to_get: The command that fetches the published weights.
        cached: Where the published weights belong in Keras's cache, an absolute path.
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
    def packaged(self) -> bool: ...
    @property
    def how_to_get(self) -> str: ...
    @property
    def cached(self) -> str: ...

    @property
    def origin(self) -> Origin:
        """Where the published weights come from and where they belong.

        Raises:
            InputError: They are not downloaded, or the user's mirror has no address.
        """
        ...

    def find(self) -> str:
        """Return where the weights are, or nothing if they are not on this machine."""
        ...

    def fetch(self) -> str:
        """Return where the weights are, once they are there.

        Raises:
            WeightsError: They cannot be had; DownloadError, if a download failed.
        """
        ...

    def check(self, path: str, hint: str = "", what: str = "") -> None:
        """Check that a weights file is this network's, by loading it.

        Args:
            path: The file.
            hint: What errors advise.
            what: What errors call the file.

        Raises:
            WeightsError: It is not.
        """
        ...

    def identity(self) -> dict[str, str | float]:
        """Return all that identifies this model, its weights' content too.

        It never changes for the same network and weights: compiled models are kept by it.

        Raises:
            WeightsError: The weights cannot be had.
        """
        ...

    def build(self) -> Any:
        """Return the Keras model: float32 [n, size, size, 3], scaled, to [n, classes].

        Raises:
            WeightsError: The weights cannot be had, or are not this network's.
        """
        ...

    def build_untrained(self) -> Any:
        """Return the Keras model with random weights, for those who look at its shape alone."""
        ...


class Family(Protocol):
    """What the module of a family offers to the registry; it must be cheap to import.

    Attributes:
        SUFFIX: The suffix of its published weights files, with the dot.
    """

    @property
    def SUFFIX(self) -> str: ...  # noqa: N802

    def create(self, options: ModelOptions, progress: DownloadProgress) -> Model:
        """Return the model that is asked for; nothing is loaded yet.

        Args:
            options: Width, size and weights; the name is that of this family, or empty.
            progress: Called with the progress of a download.

        Raises:
            InputError: The family has no such model.
        """
        ...

    def variants(self) -> Iterator[Model]:
        """Yield every model with published weights."""
        ...

    def options_of_file(self, file_name: str) -> ModelOptions | None:
        """Return which model a weights file is for by its name; None if the name does not say.

        Width and size are None where any that the user names will do.
        """
        ...
