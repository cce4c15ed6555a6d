"""A learned head runs on the features of a shared engine."""

from __future__ import annotations

import numpy as np

from mnv2cli.engines.headed import HeadedEngine
from mnv2cli.engines.mirrored import MirroredEngine
from mnv2cli.models.head import Head
from tests.conftest import FakeEngine

HEAD = Head(np.eye(1280, 3, dtype=np.float32) * 50, np.zeros(3, np.float32))
COLOURS = np.array([[200, 0, 0], [0, 200, 0], [0, 0, 200]], np.uint8)
BATCH = np.broadcast_to(COLOURS[:, None, None], (3, 4, 4, 3)).copy()


def test_scores_are_those_of_the_head() -> None:
    engine = HeadedEngine(FakeEngine(), HEAD)
    scores, features = engine.run(BATCH)
    assert scores.dtype == np.float32 and scores.shape == (3, 3)
    assert scores.argmax(axis=1).tolist() == [0, 1, 2]
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(engine.predict(BATCH), scores)
    np.testing.assert_array_equal(features, FakeEngine().run(BATCH).features)


def test_the_head_gets_features_averaged_over_both_directions() -> None:
    mirrored = MirroredEngine(FakeEngine())
    outputs = mirrored.run(BATCH)
    expected = FakeEngine().run(BATCH)
    np.testing.assert_allclose(outputs.features, expected.features)
    np.testing.assert_allclose(outputs.scores, expected.scores)
    np.testing.assert_allclose(
        HeadedEngine(mirrored, HEAD).predict(BATCH), HEAD.scores(expected.features)
    )


def test_settings_are_those_of_the_engine() -> None:
    engine = FakeEngine()
    headed = HeadedEngine(engine, HEAD)
    for name in ("name", "precision", "batch_size", "workers", "at_once"):
        assert getattr(headed, name) == getattr(engine, name)
