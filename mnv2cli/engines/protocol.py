"""The interfaces of this package: an engine, and the network it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.engines.calibration import Calibration
    from mnv2cli.engines.options import EngineOptions, Precision
    from mnv2cli.errors import InputError
    from mnv2cli.events import Notice


class Outputs(NamedTuple):
    """What a network computes for a batch.

    Attributes:
        scores: Softmax scores, float32 [n, classes], each value in [0, 1].
        features: The input of the network's last layer, float32 [n, features].
    """

    scores: NDArray[np.float32]
    features: NDArray[np.float32]


class Engine(Protocol):
    """An engine turns batches of pixels into scores.

    Attributes:
        name: The name that users see, such as ``keras``.
        precision: ``float32`` or ``int8``.
        batch_size: The default batch size, the fastest one measured.
        workers: Default number of threads that decode and call ``predict``.
        at_once: Maximum number of threads in ``predict`` at a time.
    """

    name: str
    precision: str
    batch_size: int
    workers: int
    at_once: int

    def predict(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return softmax scores; up to ``at_once`` threads may call this concurrently.

        Args:
            batch: uint8 [n, size, size, 3], RGB, n at least 1; the engine scales it.

        Returns:
            float32 [n, classes], each value in [0, 1], each row with the sum 1.
        """
        ...

    def run(self, batch: NDArray[np.uint8]) -> Outputs:
        """Return scores and features; like ``predict``, of the same computation.

        Args:
            batch: uint8 [n, size, size, 3], RGB, n at least 1.
        """
        ...


class Network(Protocol):
    """A network with its weights, ready to be built, as an engine needs it.

    Attributes:
        name: The name that users see, such as ``MobileNetV2 1.0 (224 x 224)``.
        size: Side of the square input in pixels.
        divisor: The network's input is ``pixel / divisor - shift``.
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
        """Return everything that identifies this network, including its weights' content.

        It is called at every start, so it imports nothing heavy. Missing weights are downloaded.

        Raises:
            WeightsError: The weights cannot be loaded.
        """
        ...

    def build(self) -> object:
        """Return the Keras model, from scaled float32 [n, size, size, 3] to [n, classes]."""
        ...


class EngineModule(Protocol):
    """The module of an engine, as the registry uses it; it must be cheap to import.

    Attributes:
        PRECISIONS: The precisions that the engine supports.
        COMPILES: Whether it runs models that are compiled once and kept.
    """

    @property
    def PRECISIONS(self) -> tuple[Precision, ...]: ...  # noqa: N802
    @property
    def COMPILES(self) -> bool: ...  # noqa: N802

    def unavailable(self, precision: Precision) -> InputError | None:
        """Return an error if the engine cannot run here, else None."""
        ...

    def create(
        self,
        options: EngineOptions,
        network: Network,
        calibration: Calibration | None,
        notify: Notice,
    ) -> Engine:
        """Return the engine on a network; imports the heavy libraries.

        Args:
            options: How to run it; precision and availability are already checked.
            network: The network to run.
            calibration: The images to calibrate int8 on.
            notify: Called when a step takes a long time, or another engine or precision is used.

        Raises:
            WeightsError: The network's weights cannot be loaded.
            CompileError: The network cannot be compiled.
        """
        ...
