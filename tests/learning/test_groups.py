import numpy as np
import pytest

from mnv2cli.errors import InputError
from mnv2cli.learning.folds import divide
from mnv2cli.learning.groups import conflicts, group, join, keys_of_paths
from tests.learning.helpers import draw


def test_join_puts_exact_near_and_keyed_photos_together():
    training = draw(8, 2, noise=3.0, size=400)
    features = training.features.copy()
    features[3] = features[2] * 1.01
    digests = ["a", "a", *[""] * 14]
    keys = [*[""] * 14, "day", "day"]
    groups = join(features, training.classes, digests, keys)
    assert groups[0] == groups[1]
    assert groups[2] == groups[3]
    assert groups[14] == groups[15]
    assert len(set(groups)) == 13


def test_join_keeps_groups_when_all_photos_of_a_class_are_alike():
    training = draw(10, 2, noise=0.2)
    groups = join(training.features, training.classes, [""] * 20)
    assert len(set(groups[:10])) >= 5
    assert len(set(groups[10:])) >= 5


def test_one_class_of_near_copies_does_not_separate_those_of_others():
    rng = np.random.default_rng(0)
    different = np.abs(rng.normal(size=(8, 400))).astype(np.float32) ** 3
    burst = np.abs(rng.normal(size=400)) ** 3 + 0.1 * rng.random((8, 400))
    features = np.concatenate([np.repeat(different, 6, axis=0), burst]).astype(np.float32)
    features[:48] += 0.1 * rng.random((48, 400), dtype=np.float32)
    classes = np.repeat([0, 1, 2], [24, 24, 8])
    found = group(features, classes, [""] * len(classes))
    assert found.numbers[:48].tolist() == np.repeat(np.arange(8), 6).tolist()
    assert len(set(found.numbers[48:])) >= 5
    assert found.alike == (2,)


def test_exact_copies_are_never_separated():
    features = np.ones((20, 8), dtype=np.float32)
    digests = [*"aaaaaaaaaa", *"bbbbbccccc"]
    found = group(features, np.repeat([0, 1], 10), digests)
    assert len(set(found.numbers[:10])) == 1
    assert len(set(found.numbers[10:])) == 2


def test_keys_are_parent_or_group_of_the_expression():
    paths = ["a/12_kitchen.jpg", "a/12_bedroom.jpg", "b/x.jpg"]
    assert keys_of_paths(paths, "parent") == ["a", "a", "b"]
    assert keys_of_paths(paths, r"(\d+)_") == ["12", "12", ""]


@pytest.mark.parametrize("expression", ["(", "no such path"])
def test_keys_fail_when_the_expression_is_invalid_or_matches_nothing(expression):
    with pytest.raises(InputError, match="expression"):
        keys_of_paths(["a.jpg"], expression)


def test_conflicts_lists_same_content_in_two_classes():
    found = conflicts(["a", "b", "a", "b", ""], np.array([0, 1, 2, 1, 0]))
    assert [(each.photos, each.classes) for each in found] == [((0, 2), (0, 2))]


def test_divide_keeps_groups_whole_and_spreads_classes():
    classes = np.repeat([0, 1, 2], [20, 10, 2])
    groups = np.arange(32) // 2
    groups[30:] = [40, 41]
    folds = divide(classes, groups, 5)
    assert all(len(set(folds[groups == group])) == 1 for group in groups)
    assert folds[30] != folds[31]
    assert [(folds[:20] == fold).sum() for fold in range(5)] == [4] * 5
