"""How unlike all learned classes a photo is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEAST_LIKE = 0.05
"""Photos with a smaller p value are unknown; of held-out training photos, 95 % are not."""


@dataclass(frozen=True, eq=False)
class Unknown:
    """What is needed to measure unlikeness; small enough for the model's file."""

    def p_values(
        self, normalised: NDArray[np.float32], scores: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return the share of held-out training photos at least as unlike all classes, float32 [n].

        Args:
            normalised: Features of length 1, float32 [n, d].
            scores: The calibrated scores of the classes, float32 [n, k].
        """
        raise NotImplementedError

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays to store, by name."""
        raise NotImplementedError

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Unknown:
        """Return the measure of stored arrays.

        Raises:
            ValueError: An array is missing, has the wrong shape or type, or is not finite.
        """
        raise NotImplementedError
