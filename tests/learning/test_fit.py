from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from mnv2cli.errors import InputError
from mnv2cli.learning.fit import FitOptions, fit
from mnv2cli.learning.metrics import measure, softmax
from mnv2cli.models.head import normalise
from tests.learning.helpers import draw


def test_fit_classifies_new_photos_when_classes_differ():
    fitted = fit(draw(10, 3))
    new = draw(10, 3)
    logits = normalise(new.features) @ fitted.kernel + fitted.bias
    assert (logits.argmax(axis=1) == new.classes).all()
    assert fitted.kernel.dtype == fitted.bias.dtype == fitted.out_of_fold.dtype == np.float32
    assert fitted.out_of_fold.shape == (30, 3)


def test_fit_gives_the_same_head_when_repeated_with_other_threads():
    training = draw(10, 3, noise=1.5)
    with threadpool_limits(1):
        one = fit(training)
    with threadpool_limits(2):
        two = fit(training)
    np.testing.assert_array_equal(one.kernel, two.kernel)
    np.testing.assert_array_equal(one.out_of_fold, two.out_of_fold)
    np.testing.assert_array_equal(one.unknown.held_out, two.unknown.held_out)


@pytest.mark.parametrize("seed", range(4))
def test_interval_contains_chance_when_labels_are_shuffled(seed):
    training = draw(20, 4)
    shuffled = np.random.default_rng(seed).permutation(training.classes)
    training = replace(training, classes=shuffled)
    low, high = measure(fit(training).out_of_fold, shuffled, training.names).interval
    assert low <= 0.25 <= high


def test_figure_is_not_raised_when_photos_are_duplicated_in_one_group():
    training = draw(12, 3, noise=3.0)
    labels = np.random.default_rng(1).permutation(training.classes)
    twice = replace(
        training,
        paths=training.paths * 2,
        features=np.concatenate([training.features] * 2),
        classes=np.concatenate([labels] * 2),
        groups=np.concatenate([training.groups] * 2),
    )
    fitted = fit(twice)
    figures = measure(fitted.out_of_fold, twice.classes, twice.names, twice.groups)
    assert figures.interval[0] <= 1 / 3
    assert figures.top1 < 0.6
    assert (fitted.folds[:36] == fitted.folds[36:]).all()


def test_relearning_gives_the_same_head_when_started_from_it():
    training = draw(10, 3)
    first = fit(training)
    again = fit(training, FitOptions(strength=first.strength, start=(first.kernel, first.bias)))
    np.testing.assert_allclose(
        softmax(normalise(training.features) @ again.kernel + again.bias),
        softmax(normalise(training.features) @ first.kernel + first.bias),
        atol=0.02,
    )


def test_fit_learns_two_classes_and_many_classes():
    for classes in (2, 40):
        training = draw(5, classes, noise=0.1)
        fitted = fit(training)
        assert fitted.kernel.shape == (24, classes)
        assert measure(fitted.out_of_fold, training.classes, training.names).top1 > 0.9


def test_rarer_class_is_found_when_classes_are_unequal():
    training = draw(40, 2)
    fitted = fit(training.take(np.arange(46)))
    assert (
        measure(fitted.out_of_fold, training.classes[:46], training.names).classes[1].recall > 0.6
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: replace(t, classes=t.classes * 0, names=("cat",)), "only one class: 'cat'"),
        (lambda t: replace(t, names=(*t.names, "dog")), "no readable photos in class 'dog'"),
        (lambda t: t.take(np.arange(6)), "only one photo in class 'class 1'"),
        (lambda t: replace(t, groups=t.classes), "belong to one group"),
        (lambda t: replace(t, features=t.features * np.nan), "not finite"),
        (lambda t: replace(t, names=("a", "a")), "the same name: 'a'"),
        (lambda t: replace(t, classes=t.classes + 1), "class numbers must be from 0 to 1"),
        (lambda t: replace(t, paths=()), "must be equally many"),
    ],
)
def test_fit_names_the_reason_when_a_set_cannot_be_learned(change, message):
    with pytest.raises(InputError, match=message):
        fit(change(draw(5, 2)))
