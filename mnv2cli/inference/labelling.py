"""Turn the scores of an image into its record."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnv2cli.errors import ImageError
from mnv2cli.records import CategoryScore, Prediction, Record, Source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.engines import Engine

    Scores = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Labelling:
    """Turns scores or errors into records.

    Attributes:
        rank: Called with float32 [classes] in [0, 1], returns the predictions, best first; may
            raise ImageError.
        categorize: Called with the same, returns the category; None for records without one.
        rollup: Called with the same, returns the node of the WordNet tree; None for records without
            one.
        model: The name of the network, for every record.
    """

    rank: Callable[[Scores], tuple[Prediction, ...]]
    categorize: Callable[[Scores], CategoryScore] | None = None
    rollup: Callable[[Scores], Prediction] | None = None
    model: str = ""

    def known(self, source: Source) -> Record | None:
        """Return None: labels are always computed."""
        return None

    def predict(self, engine: Engine, batch: NDArray[np.uint8]) -> Iterable[Scores]:
        """Return the scores of each image of uint8 [n, size, size, 3], float32 [n, classes]."""
        return engine.predict(batch)

    def record(self, source: Source, scores: Scores) -> Record:
        """Return the record of an image from its softmax scores, float32 [classes] in [0, 1]."""
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
        """Return the record of an unreadable image."""
        return Record(source.path, error=error, model=self.model, position=source.position)
