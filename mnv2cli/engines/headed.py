"""Run a learned head in NumPy on the features that a shared, compiled network computes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mnv2cli.engines.protocol import Outputs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.engines.protocol import Engine
    from mnv2cli.models.head import Head


class HeadedEngine:
    """Run another engine, and a head on its features.

    Nothing is compiled for a new head, so a model that was just learned opens at once.

    Args:
        engine: Computes the features.
        head: Turns them into scores.
        unknown: Whether scores include ``unknown``, as the last class.

    Attributes:
        engine: That engine; name, precision, batch size and workers are its own.
    """

    def __init__(self, engine: Engine, head: Head, *, unknown: bool = False) -> None:
        self.engine = engine
        self.name, self.precision = engine.name, engine.precision
        self.batch_size = engine.batch_size
        self.workers, self.at_once = engine.workers, engine.at_once
        self._head = head
        self._unknown = unknown

    def predict(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return softmax scores, float32 [n, classes], of uint8 [n, size, size, 3]."""
        return self.run(batch).scores

    def run(self, batch: NDArray[np.uint8]) -> Outputs:
        """Return the head's scores and the features of uint8 [n, size, size, 3]."""
        features = self.engine.run(batch).features
        return Outputs(self._head.scores(features, unknown=self._unknown), features)
