"""What models made elsewhere share: attributes of the protocol that only say "none"."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn

from mnv2cli.errors import InputError
from mnv2cli.labels.imagenet import Label, imagenet_labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mnv2cli.models.options import ModelOptions


class ForeignModel:
    """A model that is not one of this package's networks; subclasses load it.

    Attributes:
        family: What users type after ``--model``.
        name: The name that users see.
        model: The name in results.
        size: Side of the square input in pixels.
        divisor: The network's input is ``pixel / divisor - shift``.
        shift: See ``divisor``.
        labels: The label of each output.
        features: Length of the features under the last layer; 0 if unknown.
        notes: What to notify users of before the first run; one sentence each.
        image_defaults: The options of images that the model was made with; empty if unknown.
        alpha: Always 1.0.
        weights: Always empty: the model has its own.
        head: Always None.
        thresholds: Always empty.
        ideas: Always empty.
        accurate: Always False.
        precisions: Always float32: what int8 changes is not known.
        packaged: Always False.
        cached: Always empty.
        checksum: Always empty.
    """

    family: str
    name: str
    model: str
    size: int
    divisor: float = 1.0
    shift: float = 0.0
    labels: tuple[Label, ...]
    features: int = 0
    notes: tuple[str, ...] = ()
    image_defaults: Mapping[str, Any] = MappingProxyType({})
    alpha = 1.0
    weights = ""
    head: None = None
    thresholds: Mapping[str, float] = MappingProxyType({})
    ideas: tuple[tuple[str, str], ...] = ()
    accurate = False
    precisions: tuple[str, ...] = ("float32",)
    packaged = False
    cached = ""
    checksum = ""
    how_to_get = ""

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the labels; empty if they are ImageNet's."""
        if self.labels is imagenet_labels():
            return ()
        return tuple(label.name for label in self.labels)

    @property
    def backbone(self) -> ForeignModel:
        """The network that engines compile: this one."""
        return self

    @property
    def origin(self) -> NoReturn:
        """Raise InputError: it has no address here."""
        raise InputError(f"{self.family} is not downloaded by mnv2")

    def identity(self) -> dict[str, str | float]:
        """Return everything that identifies this model; see ``Model``."""
        raise NotImplementedError

    def build(self) -> Any:
        """Return the Keras model, from scaled float32 [n, size, size, 3] to softmax scores."""
        raise NotImplementedError

    def build_untrained(self) -> Any:
        """Return the Keras model; its own weights are the only ones."""
        return self.build()

    def check_file(self, path: str) -> None:
        """Do nothing: the file was checked when it was opened."""

    def check(self, path: str, hint: str = "", what: str = "") -> None:
        """Check the model by loading it; the arguments are ignored.

        Raises:
            WeightsError: It cannot be loaded.
        """
        self.build()


def check_options(options: ModelOptions) -> None:
    """Check that no option for this package's own networks is given.

    Raises:
        InputError: One is.
    """
    given = {
        "--alpha": options.alpha is not None,
        "--weights": bool(options.weights),
        "--accurate": options.accurate,
        "--refresh-weights": options.refresh,
    }
    for option, is_given in given.items():
        if is_given:
            raise InputError(
                f"{option} cannot be combined with --model {options.name}", f"Omit {option}."
            )
