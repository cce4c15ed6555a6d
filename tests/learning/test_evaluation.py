"""Figures of scores whose answers are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mnv2cli.errors import InputError
from mnv2cli.learning.evaluation import Evaluation, Omitted, Scored, assess
from mnv2cli.learning.reliability import calibrate_scores, error_of, reliability
from mnv2cli.learning.targets import Target

NAMES = ("ant", "bee", "cat", "dog", "elk", "fox", "gnu")


def targets(*groups: tuple[str, set[int]]) -> tuple[Target, ...]:
    return tuple(Target(name, frozenset(classes), "class", name) for name, classes in groups)


def figures(truth: list[int], scores: Any, *groups: tuple[str, set[int]]) -> Evaluation:
    scores = np.array(scores, np.float32)
    names, ranks = NAMES[: scores.shape[1]], scores.shape[1]
    paths = tuple(f"{number}.jpg" for number in range(len(truth)))
    scored = Scored(paths, np.array(truth), scores, names, targets(*groups), ranks)
    return assess(scored, "mine.keras", "2 classes", Omitted())


def rows(*best: int, classes: int = 7, score: float = 0.7) -> Any:
    """Return scores whose best class is given; the next classes are the first ones."""
    scores = np.tile(np.linspace(0.06, 0.01, classes), (len(best), 1))
    scores[np.arange(len(best)), best] = score
    return scores


def test_a_class_below_the_target_is_right() -> None:
    found = figures([0, 0, 0, 1], rows(2, 3, 0, 0), ("mammal", {2, 3}), ("ant", {0}))
    assert found.top1 == 0.75
    assert [each.name for each in found.metrics.classes] == ["mammal", "ant"]
    assert found.metrics.matrix.tolist() == [[2, 1], [0, 1]]
    mammal, ant = found.metrics.classes
    assert (mammal.precision, mammal.recall) == (1, 2 / 3)
    assert (ant.precision, ant.recall) == (0.5, 1)
    assert [(m.path, m.true, m.predicted) for m in found.mistakes] == [("2.jpg", "mammal", "ant")]


def test_overlapping_targets_are_right_for_their_own_photos() -> None:
    found = figures([0, 1, 1], rows(3, 3, 2), ("mammal", {2, 3}), ("dog", {3}))
    assert found.top1 == pytest.approx(2 / 3)
    assert found.metrics.matrix.tolist() == [[1, 0], [1, 1]]


def test_predictions_of_no_target_count_as_wrong_and_are_named() -> None:
    found = figures([0, 1], rows(5, 1), ("ant", {0}), ("bee", {1}))
    assert [(each.name, each.photos) for each in found.metrics.classes] == [
        ("ant", 1),
        ("bee", 1),
        ("fox", 0),
    ]
    assert found.metrics.matrix.tolist() == [[0, 0, 1], [0, 1, 0], [0, 0, 0]]
    assert found.metrics.macro_f1 == 0.5  # a class without photos does not count


def test_top5_counts_classes_of_the_model_not_targets() -> None:
    scores = rows(6, 6)  # the others descend from class 0
    found = figures([0, 1], scores, ("dog", {3}), ("elk", {4}))
    assert (found.top1, found.top5) == (0, 0.5)
    assert figures([0], rows(6), ("late", {4, 5})).top5 == 0


def test_mistakes_are_ordered_by_their_score() -> None:
    scores = np.concatenate([rows(1, score=0.5), rows(1, score=0.9), rows(2, score=0.7)])
    found = figures([0, 0, 0], scores, ("ant", {0}))
    assert [mistake.path for mistake in found.mistakes] == ["1.jpg", "2.jpg", "0.jpg"]
    assert found.mistakes[0].score == 0.9


def test_no_photos_are_an_error() -> None:
    with pytest.raises(InputError, match="no photo"):
        figures([], np.zeros((0, 3)), ("ant", {0}))


def test_the_object_of_an_evaluation_has_all_figures() -> None:
    found = figures([0, 1], rows(0, 0), ("ant", {0}), ("bee", {1})).as_object()
    assert found["top1"] == 0.5 and found["confusion_matrix"] == [[1, 0], [1, 0]]
    assert found["mistakes"][0]["true"] == "bee"
    assert found["temperature"] is None  # of two photos


def test_the_error_of_calibration_is_the_mean_gap() -> None:
    best = np.array([0.9] * 10, np.float32)
    right = np.array([True] * 6 + [False] * 4)
    assert error_of(best, right) == pytest.approx(0.3, abs=1e-6)
    (only,) = reliability(best, right)
    assert (only.photos, only.right) == (10, 0.6)
    assert only.low < 0.9 <= only.high


def overconfident(count: int, temperature: float) -> tuple[Any, Any]:
    """Return scores that are too sure by a temperature, and the true classes."""
    random = np.random.default_rng(0)
    logits = random.normal(size=(count, 4)) * 2
    honest = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    classes = np.array([random.choice(4, p=each) for each in honest])
    sharp = np.exp(logits * temperature)
    return (sharp / sharp.sum(axis=1, keepdims=True)).astype(np.float32), classes


def test_a_temperature_calibrates_scores_that_are_too_sure() -> None:
    scores, classes = overconfident(4000, 3.0)
    right = scores.argmax(axis=1) == classes
    found = calibrate_scores(scores, classes, right)
    assert found is not None
    assert found.temperature == pytest.approx(3, rel=0.1)
    assert found.error < 0.03
    assert error_of(scores.max(axis=1), right) > 0.1


def test_a_temperature_does_not_flatter_scores_without_information() -> None:
    random = np.random.default_rng(1)
    scores = random.dirichlet(np.ones(4) * 0.3, 40).astype(np.float32)
    classes = random.integers(0, 4, 40)
    right = scores.argmax(axis=1) == classes
    found = calibrate_scores(scores, classes, right)
    assert found is not None and found.temperature > 1
    assert sum(each.photos for each in found.bins) == 40


def test_a_few_photos_have_no_temperature() -> None:
    scores, classes = overconfident(19, 1.0)
    assert calibrate_scores(scores, classes, scores.argmax(axis=1) == classes) is None
