"""The head of a learned model: scores of normalised features, and what is unknown."""

from __future__ import annotations

import numpy as np

from mnv2cli.models.head import Head, normalise
from mnv2cli.models.unknown import Unknown


def drawn(rows: int, columns: int) -> np.ndarray:
    return np.random.default_rng(rows).normal(size=(rows, columns)).astype(np.float32)


def test_scores_do_not_depend_on_the_length_of_features() -> None:
    head = Head(drawn(8, 3), drawn(1, 3)[0])
    features = drawn(5, 8)
    scores = head.scores(features)
    assert scores.dtype == np.float32 and scores.shape == (5, 3)
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(head.scores(features * 7), scores, rtol=1e-5)


def test_large_logits_do_not_overflow() -> None:
    head = Head(drawn(8, 3) * 1e4, drawn(1, 3)[0])
    assert np.isfinite(head.scores(drawn(5, 8))).all()


def test_zeros_stay_zeros() -> None:
    features = np.zeros((2, 4), np.float32)
    features[1, 2] = -3
    np.testing.assert_array_equal(normalise(features), [[0, 0, 0, 0], [0, 0, -1, 0]])


def test_unknown_is_the_last_class_and_scales_the_others() -> None:
    means = np.eye(2, 4, dtype=np.float32)
    measure = Unknown(
        means,
        np.array([0, 0], np.float32),
        np.array([1, 1], np.float32),
        np.linspace(0, 0.5, 100, dtype=np.float32),
    )
    head = Head(means.T * 20, np.zeros(2, np.float32), measure)
    features = np.array([[1, 0, 0, 0], [0, 0, 0, 1]], np.float32)
    known, strange = head.scores(features, unknown=True)
    assert known[2] == 0 and known[0] > 0.9
    assert strange[2] > 0.95 and strange[:2].max() < 0.05
    np.testing.assert_allclose([known.sum(), strange.sum()], 1, rtol=1e-6)
    assert head.scores(features).shape == (2, 2)
    assert Head(head.kernel, head.bias).scores(features, unknown=True).shape == (2, 2)
