"""What the room is built around: the network that is run, the engine that runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.engines.calibration import Calibration
    from mnv2cli.engines.options import EngineOptions, Precision
    from mnv2cli.errors import InputError
    from mnv2cli.events import Notice


class Engine(Protocol):
    """Turns batches of pixels into scores.

    Attributes:
        name: As users see it, such as ``keras``.
        precision: ``float32`` or ``int8``.
        batch_size: The batch that measurements favour.
        workers: How many threads should decode and call ``predict``.
        at_once: How many of them may be in ``predict`` at a time.
    """

    name: str
    precision: str
    batch_size: int
    workers: int
    at_once: int

    def predict(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return softmax scores; ``at_once`` threads may call at a time.

        Args:
            batch: uint8 [n, size, size, 3], RGB, n from 1 up; scaling is the engine's work.

        Returns:
            float32 [n, classes], each row in [0, 1] with the sum 1.
        """
        ...


class Network(Protocol):
    """A network with its weights, ready to be built; engines need no more than this.

    Attributes:
        name: As users see it, such as ``MobileNetV2 1.0 (224 x 224)``.
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

    def identity(self) -> dict[str, str | float]:
        """Return all that identifies this network, its weights' content too.

        Cheap enough for every start: nothing heavy is imported. Missing weights are downloaded.

        Raises:
            WeightsError: The weights cannot be had.
        """
        ...

    def build(self) -> object:
        """Return the Keras model: float32 [n, size, size, 3], scaled, to [n, classes]."""
        ...


class EngineModule(Protocol):
    """What the module of an engine offers to the registry; it must be cheap to import.

    Attributes:
        PRECISIONS: The precisions that the engine computes in.
        COMPILES: It runs models that are compiled once and kept.
    """

    @property
    def PRECISIONS(self) -> tuple[Precision, ...]: ...  # noqa: N802
    @property
    def COMPILES(self) -> bool: ...  # noqa: N802

    def unavailable(self, precision: Precision) -> InputError | None:
        """Return why the engine cannot run here, as the error to raise; None if it can."""
        ...

    def create(
        self,
        options: EngineOptions,
        network: Network,
        calibration: Calibration | None,
        notify: Notice,
    ) -> Engine:
        """Return the engine on a network; this is where the heavy libraries are imported.

        Args:
            options: How to run it; precision and availability are checked already.
            network: What to run.
            calibration: The images for int8.
            notify: Called with what takes long, and what does not go as wished.

        Raises:
            WeightsError: The network's weights cannot be had.
            CompileError: The engine cannot compile the network.
        """
        ...
