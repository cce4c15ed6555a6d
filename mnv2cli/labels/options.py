"""What is reported of each image, as the user asks for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LabelOptions:
    """What is reported of each image.

    Attributes:
        top: Predictions in a record, 1 to 1000, best first.
        threshold: Predictions with a score below this are dropped, in [0, 1].
        category: Report the image's category.
        categories: Path of a TOML file of the user's categories; None for the built-in ones.
        rollup: Report the deepest node whose summed score reaches this, in (0, 1]; None for none.
    """

    top: int = 5
    threshold: float = 0.0
    category: bool = False
    categories: str | None = None
    rollup: float | None = None
