import numpy as np
import pytest

from mnv2cli.errors import InputError
from mnv2cli.learning.metrics import accuracy_interval, calibration_error, fit_temperature, measure
from mnv2cli.learning.summary import majority

SCORES = np.array([[0.9, 0.1], [0.6, 0.4], [0.8, 0.2], [0.3, 0.7]], dtype=np.float32)
CLASSES = np.array([0, 0, 1, 1])


def test_measure_gives_figures_of_each_class():
    found = measure(SCORES, CLASSES, ("cat", "dog"))
    assert (found.top1, found.top5, found.photos) == (0.75, 1.0, 4)
    assert found.matrix.tolist() == [[2, 0], [1, 1]]
    cat, dog = found.classes
    assert (cat.precision, cat.recall, cat.f1) == pytest.approx((2 / 3, 1, 0.8))
    assert (dog.precision, dog.recall, dog.f1) == pytest.approx((1, 0.5, 2 / 3))
    assert found.macro_f1 == pytest.approx((0.8 + 2 / 3) / 2)
    assert [(c.true, c.predicted, c.photos) for c in found.confusions()] == [("dog", "cat", 1)]


def test_measure_fails_without_photos():
    with pytest.raises(InputError, match="no photos"):
        measure(SCORES[:0], CLASSES[:0], ("cat", "dog"))


def test_calibration_error_is_the_mean_gap_of_bins():
    assert calibration_error(SCORES, CLASSES) == pytest.approx((0.1 + 0.4 + 0.8 + 0.3) / 4)


def test_interval_is_wilsons_without_groups_and_wider_with_them():
    correct = np.array([True] * 9 + [False])
    assert accuracy_interval(correct) == pytest.approx((0.5958, 0.9821), abs=1e-3)
    alone = accuracy_interval(np.repeat(correct, 4))
    grouped = accuracy_interval(np.repeat(correct, 4), np.repeat(np.arange(10), 4))
    assert grouped[0] < alone[0]
    assert accuracy_interval(np.ones(40, bool), np.repeat(np.arange(10), 4))[0] < 0.73


def test_interval_ends_at_one_or_zero_when_all_are_right_or_wrong():
    for photos in range(1, 60):
        assert accuracy_interval(np.ones(photos, bool))[1] == 1
        assert accuracy_interval(np.zeros(photos, bool))[0] == 0


def test_temperature_is_found_when_logits_are_scaled():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, 3))
    powers = np.exp(logits)
    limits = (powers / powers.sum(axis=1, keepdims=True)).cumsum(axis=1)
    classes = np.minimum((rng.random((4000, 1)) > limits).sum(axis=1), 2)
    assert fit_temperature((logits * 3).astype(np.float32), classes) == pytest.approx(3, rel=0.15)


def test_accuracy_is_compared_with_the_largest_class_only_when_it_has_over_half():
    scores = np.repeat(np.array([[0.9, 0.1]], dtype=np.float32), 100, axis=0)
    scores[99] = [0.1, 0.9]
    uneven = measure(scores, np.repeat([0, 1], [97, 3]), ("big", "small"))
    assert majority(uneven) == (
        "Always answering 'big' would be right for 97.0 %; the mean recall of the classes is "
        "66.7 %."
    )
    assert majority(measure(SCORES, CLASSES, ("cat", "dog"))) == ""
