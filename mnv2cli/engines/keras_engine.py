"""The reference engine: Keras on TensorFlow, on a CPU or a GPU."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from mnv2cli.engines.protocol import Outputs
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
    """Return None: Keras and TensorFlow are dependencies of this package."""
    return None


def create(
    options: EngineOptions, network: Network, calibration: Calibration | None, notify: Notice
) -> KerasEngine:
    """Return a Keras engine on a network, in float32.

    Raises:
        WeightsError: The network's weights cannot be loaded.
    """
    return KerasEngine(network)


class KerasEngine:
    """Run a Keras model as one compiled TensorFlow function.

    The function's batch dimension is free, so it is traced once, and the last, smaller batch costs
    nothing extra; ``model.predict`` in a loop retraces and leaks memory. Batches are sent as uint8
    and scaled on the device.

    On a CPU one batch at a time uses all cores while the other workers decode. On a GPU two
    batches overlap: one is sent to the device while the other is computed. (The code for GPUs
    follows TensorFlow's documentation and has not been tested on one.)
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

        def compiled(model: Any) -> Any:
            @tf.function(  # type: ignore[untyped-decorator, unused-ignore]
                input_signature=[tf.TensorSpec((None, network.size, network.size, 3), tf.uint8)]
            )
            def predict(batch: Any) -> Any:
                pixels = tf.cast(batch, tf.float32)
                return model(pixels / network.divisor - network.shift, training=False)

            return predict

        self._model, self._compiled = model, compiled
        self._predict = compiled(model)  # traced at the first call

    @cached_property
    def _run(self) -> Any:
        """The function that returns features as well; runs that need none never make it."""
        model = self._model
        return self._compiled(type(model)(model.input, [model.output, model.layers[-1].input]))

    def predict(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return softmax scores, float32 [n, classes], of uint8 [n, size, size, 3]."""
        scores: NDArray[np.float32] = self._predict(batch).numpy()
        return scores

    def run(self, batch: NDArray[np.uint8]) -> Outputs:
        """Return the scores and the features of uint8 [n, size, size, 3]."""
        scores, features = self._run(batch)
        return Outputs(scores.numpy(), features.numpy())
