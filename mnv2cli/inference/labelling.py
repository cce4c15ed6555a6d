"""From the scores of an image to its record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnv2cli.errors import ImageError
from mnv2cli.records import CategoryScore, Prediction, Record, Source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Scores = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Labelling:
    """Turns scores, or the reason why there are none, into records.

    Attributes:
        rank: From float32 [classes] to predictions, best first; may raise ImageError.
        categorize: From float32 [classes] to a category; None for records without one.
        rollup: From float32 [classes] to a node of the tree, likewise.
        model: The name of the network, which every record has.
    """

    rank: Callable[[Scores], tuple[Prediction, ...]]
    categorize: Callable[[Scores], CategoryScore] | None = None
    rollup: Callable[[Scores], Prediction] | None = None
    model: str = ""

    def record(self, source: Source, scores: Scores) -> Record:
        """Return the record of an image with these softmax scores, float32 [classes]."""
        try:
            return Record(
                source.path,
                self.rank(scores),
                model=self.model,
                category=self.categorize(scores) if self.categorize else None,
                node=self.rollup(scores) if self.rollup else None,
                position=source.position,
            )
        except ImageError as error:
            return self.failed(source, str(error))

    def failed(self, source: Source, error: str) -> Record:
        """Return the record of an image that cannot be read."""
        return Record(source.path, error=error, model=self.model, position=source.position)
