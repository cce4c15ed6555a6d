from dataclasses import replace

import numpy as np

from mnv2cli.learning.diagnosis import advice, changes, suspects
from mnv2cli.learning.fit import fit
from mnv2cli.learning.summary import advice_lines
from mnv2cli.learning.thresholds import ALWAYS_UNSURE, class_thresholds
from tests.learning.helpers import draw


def test_suspects_are_the_flipped_photos():
    training = draw(20, 3, noise=0.4)
    classes = training.classes.copy()
    classes[[3, 30]] = [2, 0]
    flipped = replace(training, classes=classes)
    found = suspects(flipped, fit(flipped).out_of_fold)
    assert {each.path for each in found} == {training.paths[3], training.paths[30]}
    assert {(each.given, each.probable) for each in found} == {
        ("class 2", "class 0"),
        ("class 0", "class 1"),
    }


def test_advice_recommends_photos_only_while_the_curve_rises():
    hard, easy = draw(24, 6, noise=2.5, size=200), draw(24, 3, noise=0.2)
    rising = advice(hard, fit(hard))
    assert rising.more > 0
    assert 0 < rising.gain < 0.5
    level = advice(easy, fit(easy))
    assert (level.more, level.gain) == (0, 0)
    assert [point.accuracy for point in level.points] == [1, 1, 1, 1]


def test_advice_says_that_photos_do_not_help_only_when_there_are_enough_to_tell():
    few, many = draw(12, 2, noise=0.2), draw(100, 2, noise=0.2)
    little, much = advice(few, fit(few)), advice(many, fit(many))
    assert (little.more, little.level) == (0, False)
    assert (much.more, much.level) == (0, True)
    assert advice_lines(little, 24)[-1].startswith("24 photos are too few to show")
    assert "hardly raise" in advice_lines(much, 200)[-1]


def test_advice_names_classes_with_few_photos():
    training = draw(4, 2)
    assert advice(training, fit(training)).few == (("class 0", 4), ("class 1", 4))


def test_changes_lists_photos_with_another_best_class():
    before, after = np.eye(3, dtype=np.float32), np.eye(3, dtype=np.float32)[[0, 2, 2]]
    assert [(c.photo, c.before, c.after) for c in changes(before, after)] == [(1, 1, 2)]


def test_thresholds_reach_the_precision_or_leave_all_unsure():
    best = np.linspace(0.99, 0.6, 20, dtype=np.float32)
    scores = np.concatenate(
        [np.stack([best, 1 - best], axis=1), np.stack([1 - best, best], axis=1)]
    )
    classes = np.array([0] * 15 + [1] * 5 + [0] * 20)
    first, second = class_thresholds(scores, classes, ("a", "b"), 0.98)
    assert best[15] < first.threshold < best[14]
    assert (first.precision, first.kept, first.predicted) == (1, 15, 20)
    assert (second.threshold, second.kept) == (ALWAYS_UNSURE, 0)
    assert "0.0% at best" in second.note
