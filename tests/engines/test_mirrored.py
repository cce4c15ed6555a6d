"""Scores of an image and of its mirror image are averaged."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mnv2cli.engines.mirrored import MirroredEngine
from tests.conftest import FakeEngine


class LeftEngine(FakeEngine):
    """Score 1 for the class of the value of the first pixel."""

    def predict(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        assert batch.flags.c_contiguous
        return np.eye(256, dtype=np.float32)[batch[:, 0, 0, 0]]


def test_scores_are_the_average_of_both_directions() -> None:
    batch = np.zeros((2, 4, 4, 3), np.uint8)
    batch[0, :, 0], batch[0, :, -1] = 7, 9
    batch[1, 0, :] = 5  # a row, the same in both directions
    scores = MirroredEngine(LeftEngine()).predict(batch)
    assert scores.dtype == np.float32 and scores.shape == (2, 256)
    assert (scores[0, 7], scores[0, 9], scores[1, 5]) == (0.5, 0.5, 1.0)
    np.testing.assert_allclose(scores.sum(axis=1), 1)


def test_settings_are_those_of_the_engine() -> None:
    engine = FakeEngine()
    mirrored = MirroredEngine(engine)
    for name in ("name", "precision", "batch_size", "workers", "at_once"):
        assert getattr(mirrored, name) == getattr(engine, name)
