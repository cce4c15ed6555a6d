"""The tree above the classes."""

from __future__ import annotations

import numpy as np

from mnv2cli.labels.tree import ROOT, Rollup
from tests.labels.scores import scores


def test_rollup_returns_the_deepest_node_that_reaches_the_score() -> None:
    rollup = Rollup(0.6)
    assert rollup(scores(Sussex_spaniel=0.9, tabby=0.1)).label == "Sussex spaniel"
    assert rollup(scores(Sussex_spaniel=0.4, cocker_spaniel=0.4, tabby=0.2)).label == "spaniel"
    assert rollup(scores(Sussex_spaniel=0.4, chow=0.4, banjo=0.2)).label == "dog"
    assert rollup(scores(chow=0.4, tench=0.4, banjo=0.2)).label in ("chordate", "vertebrate")
    assert rollup(np.zeros(1000, np.float32)).wnid == ROOT
