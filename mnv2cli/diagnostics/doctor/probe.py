"""Try an engine on one image in a separate process.

A library that crashes on this processor must be reported, not take the doctor with it: the engine
runs in a fresh Python (``python -m mnv2cli.diagnostics.doctor.probe ENGINE FOLDER WEIGHTS...``).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

from mnv2cli.system.messages import reason

PROBE_TIMEOUT = 180.0
"""Seconds that an engine may take to load and to predict one image."""


@dataclass(frozen=True, slots=True)
class EngineProbe:
    """What became of one image.

    Attributes:
        works: Whether there were scores.
        text: Why not.
        advice: What to do about that, if it is known.
        seconds: For one image, once the engine is warm.
        network: The name of the network that was run.
        gpus: The names of the GPUs that the engine can use.
    """

    works: bool
    text: str = ""
    advice: str = ""
    seconds: float = 0.0
    network: str = ""
    gpus: tuple[str, ...] = ()


def probe_engine(name: str) -> EngineProbe:
    """Return what became of one image that an engine predicts in a separate process."""
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
        return EngineProbe(False, f"did not answer in {PROBE_TIMEOUT:.0f} seconds")
    except OSError as error:
        return EngineProbe(False, f"cannot be run: {reason(error, lower=False)}")
    if done.returncode < 0:
        return _crashed(-done.returncode)
    try:
        return _from_json(done.stdout.splitlines()[-1])
    except (IndexError, ValueError, TypeError):
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        return EngineProbe(False, f"failed: {last[:200]}")


def _crashed(number: int) -> EngineProbe:
    try:
        kind = signal.Signals(number).name
    except ValueError:
        kind = str(number)
    advice = "The processor lacks an instruction." if kind == "SIGILL" else ""
    return EngineProbe(False, f"crashed ({kind})", advice)


def _from_json(text: str) -> EngineProbe:
    data = json.loads(text)
    return EngineProbe(**{**data, "gpus": tuple(data.get("gpus", ()))})


def _weights_files() -> list[str]:
    """Return the weights files of MobileNetV2 and EfficientNet-Lite0; empty where there is none."""
    from mnv2cli.models.efficientnet_lite0 import EfficientNetLite0
    from mnv2cli.models.mobilenet_v2 import MobileNetV2

    return [MobileNetV2().find(), EfficientNetLite0().find()]


# In the separate process


def predict_one(name: str, folder: str, mobilenet: str, lite0: str) -> EngineProbe:
    """Load an engine and have it predict one grey image.

    It runs what a run would run, if that is ready; else a small untrained network.

    Args:
        name: The engine.
        folder: Where the untrained network is compiled.
        mobilenet: The weights file of MobileNetV2; empty for none.
        lite0: The weights file of EfficientNet-Lite0; empty for none.
    """
    import numpy as np

    from mnv2cli.engines import EngineOptions, open_engine
    from mnv2cli.errors import Mnv2Error
    from mnv2cli.labels.imagenet import CLASS_COUNT

    try:
        ready = _ready_networks(name, mobilenet, lite0)
        network = ready[0] if ready else _Untrained()
        if not ready:
            os.environ["MNV2_CACHE"] = folder
        engine = open_engine(EngineOptions(name), network)
        batch = np.full((1, network.size, network.size, 3), 127, np.uint8)
        engine.predict(batch)  # the first one makes room
        start = perf_counter()
        scores = engine.predict(batch)
        seconds = perf_counter() - start
    except Mnv2Error as error:
        return EngineProbe(False, error.message, error.hint.partition("\n")[0])
    if scores.shape != (1, CLASS_COUNT) or not np.isclose(scores.sum(), 1, atol=1e-3):
        return EngineProbe(False, "what it computes are no scores")
    gpus = _gpus() if name == "keras" else ()
    return EngineProbe(True, seconds=seconds, network=network.name, gpus=gpus)


def _ready_networks(engine: str, mobilenet: str, lite0: str) -> list[Any]:
    """Return the networks whose weights are here, and that are compiled if the engine needs it."""
    from mnv2cli.engines.cache import cache_folder, entry_key, open_entry
    from mnv2cli.engines.registry import engine_module
    from mnv2cli.models import ModelOptions, open_model

    pairs = (("mobilenet_v2", mobilenet), ("efficientnet_lite0", lite0))
    networks: list[Any] = [
        open_model(ModelOptions(key, weights=path)) for key, path in pairs if path
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
    """The smallest MobileNetV2, with random weights: enough to see an engine work."""

    name, size, divisor, shift = "a small untrained network", 96, 127.5, 1.0

    def identity(self) -> dict[str, str | float]:
        """Return what identifies it; nobody keeps it."""
        return {"architecture": "untrained"}

    def build(self) -> object:
        """Return the Keras model."""
        from mnv2cli.models.mobilenet_v2 import MobileNetV2

        return MobileNetV2(alpha=0.35, size=96).build_untrained()


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(asdict(predict_one(*sys.argv[1:]))) + "\n")
