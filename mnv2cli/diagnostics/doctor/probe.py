"""Try an engine on one image in a separate process.

A library may crash on this processor, which must not end the doctor, so the engine runs in a new
process: ``python -m mnv2cli.diagnostics.doctor.probe ENGINE FOLDER FAMILY=FILE...``.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

from mnv2cli.system.messages import reason

PROBE_TIMEOUT = 180.0
"""Seconds for an engine to load and to predict one image."""


@dataclass(frozen=True, slots=True)
class EngineProbe:
    """The result of predicting one image.

    Attributes:
        works: Whether the engine computed scores.
        text: Why it did not.
        advice: What to do about that, if known.
        seconds: Seconds for one image once the engine is warm.
        network: The name of the network.
        gpus: The names of the GPUs that the engine can use.
    """

    works: bool
    text: str = ""
    advice: str = ""
    seconds: float = 0.0
    network: str = ""
    gpus: tuple[str, ...] = ()


def probe_engine(name: str) -> EngineProbe:
    """Predict one image with an engine in a separate process, and return the result."""
    try:
        with tempfile.TemporaryDirectory(prefix="mnv2-doctor-") as folder:
            line = [sys.executable, "-m", __name__, name, folder, *_weights_files()]
            done = subprocess.run(
                line,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=PROBE_TIMEOUT,
                check=False,
                env={**os.environ, "KERAS_HOME": folder},  # Keras writes its settings there
            )
    except subprocess.TimeoutExpired:
        return EngineProbe(False, f"timed out after {PROBE_TIMEOUT:.0f} seconds")
    except OSError as error:
        return EngineProbe(False, f"cannot start Python: {reason(error)}")
    if done.returncode < 0:
        return _crashed(-done.returncode)
    try:
        return _from_json(done.stdout.splitlines()[-1])
    except (IndexError, ValueError, TypeError):
        last = (done.stderr.strip().splitlines() or ["no error message"])[-1]
        return EngineProbe(False, f"failed: {last[:200]}")


def _crashed(number: int) -> EngineProbe:
    try:
        kind = signal.Signals(number).name
    except ValueError:
        kind = str(number)
    advice = "The processor lacks an instruction set that it uses." if kind == "SIGILL" else ""
    return EngineProbe(False, f"crashed ({kind})", advice)


def _from_json(text: str) -> EngineProbe:
    data = json.loads(text)
    return EngineProbe(**{**data, "gpus": tuple(data.get("gpus", ()))})


def _weights_files() -> list[str]:
    """Return ``FAMILY=FILE`` for each family whose default weights are on this machine."""
    from mnv2cli.models import MODELS, ModelOptions, open_model

    found = {name: open_model(ModelOptions(name)).find() for name in MODELS}
    return [f"{name}={path}" for name, path in found.items() if path]


# In the separate process


def predict_one(name: str, folder: str, *weights: str) -> EngineProbe:
    """Load an engine and predict one grey image.

    The engine runs the network of a normal run if that is ready, else a small untrained one.

    Args:
        name: The engine.
        folder: The folder where the untrained network is compiled.
        weights: ``FAMILY=FILE`` for each family with weights, the preferred one first.
    """
    import numpy as np

    from mnv2cli.engines import EngineOptions, open_engine
    from mnv2cli.errors import Mnv2Error
    from mnv2cli.labels.imagenet import CLASS_COUNT

    try:
        ready = _ready_networks(name, weights)
        network = ready[0] if ready else _Untrained()
        if not ready:
            os.environ["MNV2_CACHE"] = folder
        engine = open_engine(EngineOptions(name), network)
        batch = np.full((1, network.size, network.size, 3), 127, np.uint8)
        engine.predict(batch)  # warms the engine up
        start = perf_counter()
        scores = engine.predict(batch)
        seconds = perf_counter() - start
    except Mnv2Error as error:
        return EngineProbe(False, error.message, error.hint.partition("\n")[0])
    if scores.shape != (1, CLASS_COUNT) or not np.isclose(scores.sum(), 1, atol=1e-3):
        return EngineProbe(False, "computes invalid scores")
    gpus = _gpus() if name == "keras" else ()
    return EngineProbe(True, seconds=seconds, network=network.name, gpus=gpus)


def _ready_networks(engine: str, weights: Sequence[str]) -> list[Any]:
    """Return the networks with weights; for an engine that compiles, only those compiled."""
    from mnv2cli.engines.cache import cache_folder, entry_key, open_entry
    from mnv2cli.engines.registry import engine_module
    from mnv2cli.models import ModelOptions, open_model

    networks: list[Any] = [
        open_model(ModelOptions(family, weights=path))
        for family, _, path in (each.partition("=") for each in weights)
    ]
    if not engine_module(engine).COMPILES:
        return networks
    cache = cache_folder()
    return [
        network
        for network in networks
        if open_entry(os.path.join(cache, entry_key(network, "float32", None)))
    ]


def _gpus() -> tuple[str, ...]:
    import tensorflow as tf

    details = tf.config.experimental.get_device_details
    return tuple(
        str(details(device).get("device_name", device.name))
        for device in tf.config.list_physical_devices("GPU")
    )


class _Untrained:
    """The smallest variant of the default network, with random weights, to try an engine."""

    name, size, divisor, shift = "a small untrained network", 96, 127.5, 1.0

    def identity(self) -> dict[str, str | float]:
        """Return its identity; its compiled model is not kept."""
        return {"architecture": "untrained"}

    def build(self) -> object:
        """Return the Keras model."""
        from mnv2cli.models import DEFAULT_MODEL
        from mnv2cli.models.registry import family

        return next(family(DEFAULT_MODEL).variants()).build_untrained()


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(asdict(predict_one(*sys.argv[1:]))) + "\n")
