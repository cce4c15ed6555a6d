"""How unlike all learned classes a photo is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEAST_LIKE = 0.05
"""Photos with a smaller p value are unknown; of held-out training photos, 95 % are not.

The p value is that of conformal prediction: Vovk, Gammerman and Shafer, "Algorithmic Learning in a
Random World", 2005.
"""

DISTANCE_WEIGHT = 3.0
LEAST_LACK = 0.02


@dataclass(frozen=True, eq=False)
class Unknown:
    """What is needed to measure unlikeness; small enough for the model's file.

    A photo is unlike all classes if it is far from the mean of each (by cosine), and if no class
    has a high score. Both are counted in standard deviations and added with weights: the distance
    alone refuses photos of other things best, the score those that look much like a class. The
    distance to the nearest photos, Mahalanobis' distance and the rest outside the principal
    components refuse no more, and need more space or time.

    Attributes:
        means: The mean of each class, of length 1, float32 [k, d].
        centre: The mean of both measures for held-out training photos, float32 [2].
        spread: The standard deviations of both, above 0, float32 [2].
        held_out: The unlikeness of held-out training photos, ascending, float32 [m].
        temperature: What the logits were divided by since; the measure is that of the scores
            before, so that calibrating scores leaves it unchanged.
    """

    means: NDArray[np.float32]
    centre: NDArray[np.float32]
    spread: NDArray[np.float32]
    held_out: NDArray[np.float32]
    temperature: float = 1.0

    def p_values(
        self, normalised: NDArray[np.float32], scores: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return the share of held-out training photos at least as unlike all classes, float32 [n].

        Args:
            normalised: Features of length 1, float32 [n, d].
            scores: The calibrated scores of the classes, float32 [n, k].
        """
        import numpy as np

        if self.temperature != 1:
            powers = scores.astype(np.float64) ** self.temperature
            scores = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
        cosines = (normalised @ self.means.T).max(axis=1)
        found = unlikeness(measures(cosines, scores), self.centre, self.spread)
        below = np.searchsorted(self.held_out, found, side="left")
        return (1 - below / len(self.held_out)).astype(np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays to store, by name."""
        import numpy as np

        arrays = {name: getattr(self, name) for name in NAMES}
        if self.temperature != 1:
            arrays[TEMPERATURE] = np.array([self.temperature], np.float32)
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Unknown:
        """Return the measure of stored arrays.

        Raises:
            ValueError: An array is missing, has the wrong shape or type, or is not finite.
        """
        import numpy as np

        for name, dimensions in NAMES.items():
            if name not in arrays:
                raise ValueError(f"the array {name!r} is missing")
            array = arrays[name]
            if array.dtype != np.float32 or array.ndim != dimensions or not array.size:
                raise ValueError(
                    f"{name!r} is {array.dtype} {list(array.shape)}, "
                    f"not float32 with {dimensions} dimensions"
                )
            if not np.isfinite(array).all():
                raise ValueError(f"{name!r} contains values that are not finite")
        for name in ("centre", "spread"):
            if arrays[name].shape != (2,):
                raise ValueError(f"{name!r} has {len(arrays[name])} values, not 2")
        if (arrays["spread"] <= 0).any():
            raise ValueError("'spread' contains values that are not positive")
        if (np.diff(arrays["held_out"]) < 0).any():
            raise ValueError("'held_out' is not ascending")
        temperature = arrays.get(TEMPERATURE, np.ones(1, np.float32))
        if temperature.shape != (1,) or not 0 < temperature[0] < LARGEST_TEMPERATURE:
            raise ValueError("'temperature' is not a positive number")
        found = {name: np.asarray(arrays[name]) for name in NAMES}
        return cls(**found, temperature=float(temperature[0]))


TEMPERATURE, LARGEST_TEMPERATURE = "temperature", 1e6
"""The array that only calibrated models have."""

NAMES = {"means": 2, "centre": 1, "spread": 1, "held_out": 1}
"""The arrays of the measure, and their dimensions."""


def measures(cosines: NDArray[np.float32], scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the two measures that unlikeness is made of, float32 [n, 2].

    They are the cosine distance to the nearest mean, and the logarithm of what the best score lacks
    to 1, which distinguishes 0.99 from 0.9 as 0.9 from 0.

    Args:
        cosines: The largest cosine with a mean of a class, float32 [n].
        scores: Calibrated scores, float32 [n, k].
    """
    import numpy as np

    lack = np.log(1 + LEAST_LACK - scores.max(axis=1))
    return np.stack([1 - cosines, lack], axis=1).astype(np.float32)


def unlikeness(
    measured: NDArray[np.float32], centre: NDArray[np.float32], spread: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return how unlike all classes photos are, float32 [n].

    Args:
        measured: As from ``measures``, float32 [n, 2].
        centre: See ``Unknown``.
        spread: See ``Unknown``.
    """
    import numpy as np

    weights = np.array([DISTANCE_WEIGHT, 1.0], dtype=np.float32)
    return np.asarray(((measured - centre) / spread) @ weights, dtype=np.float32)
