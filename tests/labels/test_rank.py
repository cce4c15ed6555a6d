from __future__ import annotations

import sys

import numpy as np
import pytest

from mnv2cli.errors import ImageError
from mnv2cli.labels.imagenet import Label, imagenet_labels
from mnv2cli.labels.rank import rank
from mnv2cli.models.weights import import_keras

ABC = [Label("n1", "a"), Label("n2", "b"), Label("n3", "c")]


def test_predictions_are_sorted_by_score_then_by_index() -> None:
    scores = np.array([0.25, 0.5, 0.25], np.float32)
    assert [p.label for p in rank(scores, ABC, 3)] == ["b", "a", "c"]
    assert [p.label for p in rank(scores, ABC, 1)] == ["b"]


def test_threshold_keeps_scores_that_reach_it() -> None:
    scores = np.array([0.25, 0.5, 0.125], np.float32)
    assert [p.label for p in rank(scores, ABC, 3, 0.25)] == ["b", "a"]
    assert rank(scores, ABC, 3, 0.6) == ()


def test_a_small_lead_omits_all_labels() -> None:
    scores = np.array([0.5, 0.2, 0.3], np.float32)
    assert [p.label for p in rank(scores, ABC, 3, min_margin=0.2)] == ["a", "c", "b"]
    assert rank(scores, ABC, 3, min_margin=0.21) == ()
    # The second score counts even if it is not reported.
    assert [p.label for p in rank(scores, ABC, 1, min_margin=0.2)] == ["a"]
    assert rank(scores, ABC, 1, min_margin=0.21) == ()
    assert rank(scores, ABC, 3, 0.4, min_margin=0.21) == ()
    # Leads are rounded to the digits of a float32, where 0.6 - 0.5 is 0.10000002.
    assert rank(np.array([0.7, 0.6], np.float32), ABC[:2], 1, min_margin=0.1)
    assert rank(scores[:1], ABC[:1], 1, min_margin=0.5)
    assert rank(np.array([0.5, 0.5], np.float32), ABC[:2], 1, min_margin=1e-6) == ()


def test_scores_are_the_shortest_decimals_of_their_float32() -> None:
    score = rank(np.array([0.1, 1e-12, 0.7], np.float32), ABC, 3)
    assert [p.score for p in score] == [0.7, 0.1, 1e-12]
    rounded = np.array([0.7, 0.1, 1e-12], np.float32)
    assert all(np.float32(p.score) == s for p, s in zip(score, rounded, strict=True))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_scores_that_are_not_finite_are_an_error(bad: float) -> None:
    with pytest.raises(ImageError, match="not a number"):
        rank(np.array([0.1, bad, 0.2], np.float32), ABC, 3)


def test_labels_are_the_thousand_classes_of_imagenet() -> None:
    labels = imagenet_labels()
    assert len(labels) == len({label.wnid for label in labels}) == 1000
    assert labels[285] == Label("n02124075", "Egyptian cat")
    assert [label.wnid for label in labels if label.name == "crane"] == ["n02012849", "n03126707"]
    assert [label.wnid for label in labels if label.name == "maillot"] == ["n03710637", "n03710721"]
    assert not any("_" in label.name for label in labels)
    assert labels == tuple(sorted(labels, key=lambda label: label.wnid))


def test_ranks_equal_those_of_decode_predictions(monkeypatch: pytest.MonkeyPatch) -> None:
    keras = import_keras()
    utils = sys.modules[keras.applications.imagenet_utils.decode_predictions.__module__]
    index = {str(i): [label.wnid, label.name] for i, label in enumerate(imagenet_labels())}
    monkeypatch.setattr(utils, "CLASS_INDEX", index)
    scores = np.random.default_rng(0).dirichlet(np.ones(1000), 50).astype(np.float32)
    for top in (1, 5, 1000):
        wanted = keras.applications.mobilenet_v2.decode_predictions(scores, top=top)
        for row, predictions in zip(scores, wanted, strict=True):
            ranked = [(p.wnid, p.label, p.score) for p in rank(row, imagenet_labels(), top)]
            assert ranked == [(w, n, float(str(s))) for w, n, s in predictions]
