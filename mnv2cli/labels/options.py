"""What to report for each image: the options that the user chooses."""

from __future__ import annotations

from dataclasses import dataclass

from mnv2cli.errors import InputError
from mnv2cli.labels.imagenet import CLASS_COUNT


@dataclass(frozen=True, slots=True)
class LabelOptions:
    """What to report for each image.

    Attributes:
        top: The number of predictions per image, 1 to 1000, best first.
        min_score: The lowest score of a prediction to report, in [0, 1].
        min_margin: Report no prediction if the best class leads the next by less than this, and no
            category if the best category does; in [0, 1].
        category: Report the image's category.
        categories: Path of a TOML file with the user's categories; None for the built-in
            categories.
        unknown: Label images that are unlike all classes of a learned model ``unknown``; None for
            True if the model can tell.
        rollup: Report the deepest node whose summed score reaches this, in (0, 1]; None for no
            node.

    Raises:
        InputError: A value is out of range.
    """

    top: int = 5
    min_score: float = 0.0
    min_margin: float = 0.0
    category: bool = False
    categories: str | None = None
    rollup: float | None = None
    unknown: bool | None = False

    def __post_init__(self) -> None:
        if not isinstance(self.top, int):
            raise InputError(f"top must be a whole number, not {self.top!r}")
        if not 1 <= self.top <= CLASS_COUNT:
            raise InputError(f"top must be 1 to {CLASS_COUNT}, not {self.top}")
        if not 0 <= self.min_score <= 1:
            raise InputError(f"min_score must be 0 to 1, not {self.min_score}")
        if not 0 <= self.min_margin <= 1:
            raise InputError(f"min_margin must be 0 to 1, not {self.min_margin}")
        if self.rollup is not None and not 0 < self.rollup <= 1:
            raise InputError(f"rollup must be above 0 and at most 1, not {self.rollup}")
