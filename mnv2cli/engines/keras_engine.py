"""The reference: Keras on TensorFlow, on a CPU or a GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mnv2cli.system.hardware import usable_cores

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.engines.calibration import Calibration
    from mnv2cli.engines.options import EngineOptions, Precision
    from mnv2cli.engines.protocol import Network
    from mnv2cli.errors import InputError
    from mnv2cli.events import Notice

PRECISIONS: tuple[Precision, ...] = ("float32",)
COMPILES = False


def unavailable(precision: Precision) -> InputError | None:
    """Return None: Keras and TensorFlow are installed with the package."""
    return None


def create(
    options: EngineOptions, network: Network, calibration: Calibration | None, notify: Notice
) -> KerasEngine:
    """Return Keras on a network, in float32.

    Raises:
        WeightsError: The network's weights cannot be had.
    """
    return KerasEngine(network)


class KerasEngine:
    """Run a Keras model as one compiled TensorFlow function.

    The function has a free batch dimension, so that it is traced once and the last, smaller batch
    costs nothing extra; ``model.predict`` in a loop traces and leaks. Batches travel as uint8 and
    are scaled on the device.

    On a CPU one batch at a time uses all cores, and the other workers decode meanwhile. On a GPU
    two are under way, so that one batch travels to the device while the other is computed. (The
    GPU's part is written after TensorFlow's documentation and has not run on one.)
    """

    name = "keras"
    precision = "float32"

    def __init__(self, network: Network) -> None:
        model: Any = network.build()
        import tensorflow as tf

        on_gpu = bool(tf.config.list_physical_devices("GPU"))
        self.batch_size = 64 if on_gpu else 16
        self.workers = usable_cores() + (2 if on_gpu else 1)
        self.at_once = 2 if on_gpu else 1

        @tf.function(  # type: ignore[untyped-decorator, unused-ignore]
            input_signature=[tf.TensorSpec((None, network.size, network.size, 3), tf.uint8)]
        )
        def predict(batch: Any) -> Any:
            pixels = tf.cast(batch, tf.float32)
            return model(pixels / network.divisor - network.shift, training=False)

        self._predict = predict

    def predict(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return softmax scores, float32 [n, classes], of uint8 [n, size, size, 3]."""
        scores: NDArray[np.float32] = self._predict(batch).numpy()
        return scores
