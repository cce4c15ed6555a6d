"""Predict each image and its mirror image, and average the scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mnv2cli.engines.protocol import Outputs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.engines.protocol import Engine


class MirroredEngine:
    """Run another engine on each image and on its mirror image.

    What a photo shows hardly depends on left and right, but a network's scores do, a little; the
    average errs less often.

    Args:
        engine: Computes the scores.

    Attributes:
        engine: That engine; name, precision, batch size and workers are its own.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.name, self.precision = engine.name, engine.precision
        self.batch_size = engine.batch_size
        self.workers, self.at_once = engine.workers, engine.at_once

    def predict(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return averaged softmax scores, float32 [n, classes], of uint8 [n, size, size, 3]."""
        scores: NDArray[np.float32] = self.engine.predict(batch) + self.engine.predict(
            _mirrored(batch)
        )
        scores /= 2
        return scores

    def run(self, batch: NDArray[np.uint8]) -> Outputs:
        """Return averaged scores and averaged features of uint8 [n, size, size, 3]."""
        import numpy as np

        one, other = self.engine.run(batch), self.engine.run(_mirrored(batch))
        half = np.float32(0.5)
        return Outputs((one.scores + other.scores) * half, (one.features + other.features) * half)


def _mirrored(batch: NDArray[np.uint8]) -> NDArray[np.uint8]:
    import numpy as np

    return np.ascontiguousarray(batch[:, :, ::-1])
