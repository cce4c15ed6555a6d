"""What runs a network on batches; each engine is a file here and a name in ``ENGINES``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from mnv2cli.errors import InputError
from mnv2cli.system.hardware import tensorflow_has_gpu

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.engines.compiled import Calibration, Precision


class Engine(Protocol):
    """Turns batches of pixels into scores.

    Attributes:
        name: As told to users, such as ``keras``.
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

    def identity(self) -> dict[str, str | float]:
        """Return all that tells this network from others, its weights' content too.

        Cheap enough for every start: nothing heavy is imported. Missing weights are downloaded.

        Raises:
            WeightsError: The weights cannot be had.
        """
        ...

    def build(self) -> object:
        """Return the Keras model: float32 [n, size, size, 3], scaled, to [n, classes]."""
        ...


ENGINES = ("auto", "litert", "keras")
"""The engines that a user may name."""


def open_engine(
    name: str,
    network: Network,
    *,
    precision: Precision = "float32",
    calibration: Calibration | None = None,
    notify: Callable[[str], None] = lambda text: None,
) -> Engine:
    """Open an engine on a network; this is where the heavy libraries are imported.

    Args:
        name: One of :data:`ENGINES`. ``auto`` is LiteRT on a CPU, and Keras where TensorFlow has a
            GPU, where LiteRT is not installed, or where it cannot compile the network.
        network: What to run.
        precision: ``int8`` needs LiteRT and a calibration.
        calibration: The images for int8.
        notify: Told what takes long, and what does not go as wished.

    Raises:
        InputError: LiteRT is asked for and not installed.
        WeightsError: The network's weights cannot be had.
        CompileError: LiteRT is asked for, and cannot compile the network.
    """
    from mnv2cli.engines import litert
    from mnv2cli.engines.compiled import (
        CompileError,
        NothingToCalibrateError,
        find_or_compile,
    )

    chosen = name
    if name == "auto":
        chosen = "keras" if precision == "float32" and tensorflow_has_gpu() else "litert"
    if chosen == "litert" and not litert.is_available():
        if name == "litert" or precision == "int8":
            raise InputError(
                "LiteRT is not installed" + (", and int8 needs it" if precision == "int8" else ""),
                "Install it with: pip install ai-edge-litert (where it has a wheel).",
            )
        chosen = "keras"
    if chosen == "litert":
        try:
            try:
                return litert.LiteRTEngine(find_or_compile(network, precision, calibration, notify))
            except NothingToCalibrateError as error:
                if not (calibration and calibration.own):
                    raise
                # Perhaps there is no good image at all, and each still gets its row.
                notify(f"Using float32: {error.message}.")
                return litert.LiteRTEngine(find_or_compile(network, "float32", None, notify))
        except CompileError as error:
            if name == "litert" or precision == "int8":
                raise
            notify(f"Using Keras, which is slower: {error.message}.")

    from mnv2cli.engines.keras_engine import KerasEngine

    return KerasEngine(network)
