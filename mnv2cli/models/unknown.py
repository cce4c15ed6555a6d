"""How unlike all classes of a learned model an image is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Unknown:
    """Placeholder."""

    def p_values(
        self, features: NDArray[np.float32], scores: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        raise NotImplementedError

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        raise NotImplementedError

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Unknown:
        raise NotImplementedError
