"""A fake network for Ray's workers, which import it by name."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnv2cli.errors import WeightsError
from mnv2cli.inference.classifier import Classifier
from mnv2cli.inference.cluster import worker
from mnv2cli.inference.options import ClassifierOptions
from mnv2cli.models.mobilenet_v2 import MobileNetV2
from tests.conftest import FakeEngine

KILLER, KILLS_ONCE, RAISES, SLOW = 250, 240, 230, 220
"""Red values of images that kill every worker, kill one worker, raise an error, take long."""


class Deadly(FakeEngine):
    """Kill the process at certain images."""

    def predict(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        for red in batch[:, 0, 0, 0]:
            once = Path(os.environ.get("MNV2_TEST_ONCE", "")) / "killed"
            if red == KILLS_ONCE and not once.exists():
                once.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            if red == KILLER:
                os.kill(os.getpid(), signal.SIGKILL)
            if red == SLOW:
                time.sleep(0.1)
            if red == RAISES:
                raise RuntimeError("an unexpected error")
        return super().predict(batch)


def open_fake(options: ClassifierOptions, identity: dict[str, Any]) -> Classifier:
    """Replace ``worker.open_classifier``."""
    if identity.get("missing"):
        raise WeightsError("this machine has no weights", "Copy them there.")
    classifier = Classifier(**options.keywords())
    classifier._engine = Deadly()
    return classifier


def install(identity: dict[str, Any]) -> None:
    """Replace the real network in this process."""
    import mnv2cli.inference.classifier

    mnv2cli.inference.classifier.open_engine = lambda *args, **kwargs: Deadly()  # type: ignore[attr-defined]
    mnv2cli.inference.classifier.available = lambda model, **kwargs: model  # type: ignore[attr-defined]
    MobileNetV2.identity = lambda self: identity  # type: ignore[method-assign]
    worker.open_classifier = open_fake
