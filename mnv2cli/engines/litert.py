"""The fast engine on a CPU: LiteRT runs a compiled model, with an interpreter for each worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from mnv2cli.engines.calibration import NothingToCalibrateError
from mnv2cli.engines.compile import find_or_compile
from mnv2cli.engines.protocol import Outputs
from mnv2cli.engines.session import Session
from mnv2cli.errors import CompileError, InputError
from mnv2cli.system.hardware import usable_cores

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.engines.cache import Compiled
    from mnv2cli.engines.calibration import Calibration
    from mnv2cli.engines.options import EngineOptions, Precision
    from mnv2cli.engines.protocol import Network
    from mnv2cli.events import Notice

PRECISIONS: tuple[Precision, ...] = ("float32", "int8")
COMPILES = True


def is_available() -> bool:
    """Return whether LiteRT is installed; some platforms have no wheel."""
    return find_spec("ai_edge_litert") is not None


def unavailable(precision: Precision) -> InputError | None:
    """Return an error if LiteRT is not installed, else None."""
    if is_available():
        return None
    return InputError(
        "cannot compute in int8: LiteRT is not installed"
        if precision == "int8"
        else "LiteRT is not installed",
        "Install it with: pip install ai-edge-litert (not available for every platform), or use "
        "--engine keras with --precision float32.",
    )


def create(
    options: EngineOptions, network: Network, calibration: Calibration | None, notify: Notice
) -> LiteRTEngine:
    """Return a LiteRT engine on a network's compiled model, compiling it first if necessary.

    Raises:
        WeightsError: The network's weights cannot be loaded.
        CompileError: The network cannot be compiled, or its compiled model cannot be opened.
    """
    try:
        compiled = find_or_compile(network, options.precision, calibration, notify)
    except NothingToCalibrateError as error:
        if not (calibration and calibration.own):
            raise
        # Perhaps no image is readable at all; each still gets its row.
        notify(f"Using --precision float32: {error.message}.")
        compiled = find_or_compile(network, "float32", None, notify)
    return LiteRTEngine(compiled)


class LiteRTEngine:
    """Run a compiled model in one session for each worker that calls ``predict``."""

    name = "litert"
    batch_size = 8

    def __init__(self, compiled: Compiled) -> None:
        self.workers = self.at_once = usable_cores()
        self.compiled = compiled
        self.precision = "int8" if compiled.head else "float32"
        try:
            # Opening a session takes as long as several images, so sessions are kept.
            self._idle = [Session(compiled)]
        except Exception as error:  # LiteRT raises ValueError and RuntimeError
            raise CompileError(
                f"cannot open {compiled.model} with LiteRT: {' '.join(str(error).split())[:200]}",
                "Remove it with: mnv2 models clean, or use --engine keras.",
            ) from error

    def predict(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return softmax scores, float32 [n, classes], of uint8 [n, size, size, 3]."""
        import numpy as np

        with self._session() as session:
            return np.stack([session.scores(image) for image in batch])

    def run(self, batch: NDArray[np.uint8]) -> Outputs:
        """Return the scores and the features of uint8 [n, size, size, 3]."""
        import numpy as np

        with self._session() as session:
            scores, features = zip(*(session.outputs(image) for image in batch), strict=True)
        return Outputs(np.stack(scores), np.stack(features))

    @contextmanager
    def _session(self) -> Iterator[Session]:
        """Yield a session that no other thread uses."""
        try:
            session = self._idle.pop()
        except IndexError:
            session = Session(self.compiled)
        try:
            yield session
        finally:
            self._idle.append(session)
