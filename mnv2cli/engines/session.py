"""A LiteRT interpreter for a compiled model."""

from __future__ import annotations

from contextlib import nullcontext
from threading import Event
from typing import TYPE_CHECKING, Any

from mnv2cli.system.native_stderr import without_routine_messages
from mnv2cli.system.signals import deferred_signals

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.engines.cache import Compiled


_has_opened = Event()


class Session:
    """An interpreter for a compiled model, used by one thread at a time.

    Images are predicted one by one: in measurements larger batches only cost memory, and one
    single-threaded session for each core matches one session with many threads.
    """

    def __init__(self, compiled: Compiled) -> None:
        self._model = _open(compiled.model)
        given = self._model.get_input_details()[0]
        self._input = given["index"]
        self._quantised = _quantised(compiled, *given["quantization"])
        self._head = _open(compiled.head) if compiled.head else None
        outputs = sorted(self._model.get_output_details(), key=lambda detail: detail["name"])
        if self._head is None:
            scores = min(compiled.scores, len(outputs) - 1)
            self._output = outputs[scores]["index"]
            self._features = outputs[len(outputs) - 1 - scores]["index"]
        else:
            self._output = self._features = outputs[0]["index"]
            self._head_input = self._head.get_input_details()[0]["index"]
            self._head_output = self._head.get_output_details()[0]["index"]

    def outputs(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the scores of one image, float32 [classes], and its features.

        Args:
            image: uint8 [size, size, 3].
        """
        scores = self.scores(image)
        features: NDArray[np.float32] = self._model.get_tensor(self._features)[0]
        return scores, features

    def scores(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the softmax scores, float32 [classes], of one image, uint8 [size, size, 3]."""
        if self._quantised is not None:
            image = self._quantised[image]
        self._model.set_tensor(self._input, image[None])
        self._model.invoke()
        output: NDArray[np.float32] = self._model.get_tensor(self._output)
        if self._head is not None:
            self._head.set_tensor(self._head_input, output)
            self._head.invoke()
            output = self._head.get_tensor(self._head_output)
        scores: NDArray[np.float32] = output[0]
        return scores

    def close(self) -> None:
        """Free the interpreter, so that its file can be removed."""
        del self._model, self._head


def _quantised(compiled: Compiled, step: float, zero: int) -> NDArray[np.uint8] | None:
    """Return the quantised input for each pixel value; None if it equals the pixel value."""
    import numpy as np

    if not step:  # not quantised: scaled in the graph
        return None
    values = np.arange(256) / compiled.divisor - compiled.shift
    table = np.clip(np.rint(values / step) + zero, 0, 255).astype(np.uint8)
    return None if (table == np.arange(256)).all() else table


def _open(path: str) -> Any:
    # Its extension turns a KeyboardInterrupt into an ImportError, as of a broken installation.
    with deferred_signals():
        from ai_edge_litert.interpreter import Interpreter

    # The first interpreter of a process announces its delegate.
    with nullcontext() if _has_opened.is_set() else without_routine_messages():
        interpreter = Interpreter(model_path=path, num_threads=1)
        interpreter.allocate_tensors()
    _has_opened.set()
    return interpreter
