"""Options for the network that a run uses."""

from __future__ import annotations

from dataclasses import dataclass

from mnv2cli.errors import InputError


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """The network to use.

    Attributes:
        name: A registered family, the path of a model, or ``keras:`` and the name of a network of
            Keras; empty for the default, which another may replace offline.
        alpha: Width multiplier of MobileNetV2; None for its default.
        size: Side of the input in pixels; None for its default.
        weights: Path of a weights file; None for the published ImageNet weights.
        refresh: Download the published weights again.
        accurate: Use the whole centre square of each image as a larger input, and average the
            scores of it and of its mirror image: more accurate, at 2.6 times the inference.
        labels: Path of a file with the labels of a model made elsewhere; None for its own.
        scale: What such a model's pixels are scaled to: ``0..1``, ``-1..1`` or ``0..255``; None to
            read it from the model.

    Raises:
        InputError: The size is not a whole number, or given although ``accurate`` sets it.
    """

    name: str = ""
    alpha: float | None = None
    size: int | None = None
    weights: str | None = None
    refresh: bool = False
    accurate: bool = False
    labels: str | None = None
    scale: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.size, int | None):
            raise InputError(f"size must be a whole number, not {self.size!r}")
        if self.accurate and self.size is not None:
            raise InputError(
                "--accurate cannot be combined with --size", "Omit --size: --accurate sets it."
            )

    @property
    def is_explicit(self) -> bool:
        """Whether the user chose this network, so that no other may replace it."""
        return bool(
            self.name or self.alpha or self.size or self.weights or self.refresh or self.accurate
        )
