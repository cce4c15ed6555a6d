"""What runs a network on batches; each engine is a file here and a line in ``ENGINES``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Engine(Protocol):
    """Turns a batch of pixels into scores.

    Attributes:
        name: As told to users, such as ``keras``.
        batch_size: The batch that measurements favour on this kind of machine.
    """

    name: str
    batch_size: int

    def predict(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return softmax scores.

        Args:
            batch: uint8 [n, size, size, 3], RGB, n from 1 up; scaling is the engine's work.

        Returns:
            float32 [n, classes], each row in [0, 1] with the sum 1.
        """
        ...


class Network(Protocol):
    """A network with its weights, ready to be built; engines need no more than this.

    Attributes:
        name: As told to users, such as ``MobileNetV2 1.0 (224 x 224)``.
        size: Side of the square input in pixels.
        divisor: Inputs are ``pixel / divisor - shift``.
        shift: See ``divisor``.
    """

    @property
    def name(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def divisor(self) -> float: ...
    @property
    def shift(self) -> float: ...

    def build(self) -> object:
        """Return the Keras model: float32 [n, size, size, 3], scaled, to [n, classes]."""
        ...


def _keras(network: Network) -> Engine:
    from mnv2cli.engines.keras_engine import KerasEngine

    return KerasEngine(network)


ENGINES: dict[str, Callable[[Network], Engine]] = {"keras": _keras}


def open_engine(name: str, network: Network) -> Engine:
    """Open an engine on a network; this is where the heavy libraries are imported."""
    return ENGINES[name](network)
