"""Choose the engine for this machine: LiteRT on a CPU, Keras on a GPU or without LiteRT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mnv2cli.engines import keras_engine, litert
from mnv2cli.errors import CompileError, InputError
from mnv2cli.system.hardware import tensorflow_has_gpu

if TYPE_CHECKING:
    from mnv2cli.engines.calibration import Calibration
    from mnv2cli.engines.options import EngineOptions, Precision
    from mnv2cli.engines.protocol import Engine, Network
    from mnv2cli.events import Notice

PRECISIONS: tuple[Precision, ...] = ("float32", "int8")
COMPILES = True


def unavailable(precision: Precision) -> InputError | None:
    """Return why no engine here supports a precision; float32 always works."""
    return None if precision == "float32" else litert.unavailable(precision)


def create(
    options: EngineOptions, network: Network, calibration: Calibration | None, notify: Notice
) -> Engine:
    """Return LiteRT on a CPU, or Keras if TensorFlow has a GPU or LiteRT does not work.

    Raises:
        WeightsError: The network's weights cannot be loaded.
        CompileError: The network cannot be compiled to int8, which Keras does not support.
    """
    only_litert = options.precision != "float32"
    if only_litert or not (tensorflow_has_gpu() or litert.unavailable(options.precision)):
        try:
            return litert.create(options, network, calibration, notify)
        except CompileError as error:
            if only_litert:
                raise
            notify(f"Using the keras engine, which is slower: {error.message}.")
    return keras_engine.create(options, network, calibration, notify)
