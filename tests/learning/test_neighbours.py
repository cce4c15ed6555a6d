"""Nearest images and groups without chains, against the whole matrix."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mnv2cli.errors import InputError
from mnv2cli.learning.neighbours import (
    FeatureRows,
    find_leaders,
    nearest,
    unit_rows,
)


def clouds(count: int, seed: int = 0, length: int = 16) -> NDArray[np.float32]:
    """Return features in clouds around 20 centres, with exact repeats."""
    random = np.random.default_rng(seed)
    centres = random.random((20, length))
    features = centres[random.integers(0, 20, count)] + 0.1 * random.random((count, length))
    features[::7] = features[0]
    return features.astype(np.float32)


def stored(features: NDArray[np.float32]) -> FeatureRows:
    rows = FeatureRows()
    for start in range(0, len(features), 33):
        rows.add(features[start : start + 33])
    return rows


@pytest.mark.parametrize("size", [1, 7, 100, 500])
def test_nearest_is_independent_of_the_blocks(size: int) -> None:
    features = clouds(500)
    paths = [f"img{i}.jpg" for i in range(500)]
    blocks = [(paths[s : s + size], features[s : s + size]) for s in range(0, 500, size)]
    found = nearest(features[:5], blocks, 12)
    rows = unit_rows(features).astype(np.float64)
    for query, neighbours in enumerate(found):
        scores = np.round(rows @ rows[query], 6)
        expected = sorted(range(500), key=lambda i: (-scores[i], i))[:12]
        assert [neighbour.path for neighbour in neighbours] == [paths[i] for i in expected]
        assert [n.score for n in neighbours] == pytest.approx(scores[expected], abs=2e-6)


def test_equal_scores_are_in_natural_order() -> None:
    features = np.ones((4, 8), np.float32)
    paths = ["img10.jpg", "img9.jpg", "b/img1.jpg", "a/img2.jpg"]
    (found,) = nearest(features[:1], [(paths, features)], 3)
    assert [n.path for n in found] == ["a/img2.jpg", "b/img1.jpg", "img9.jpg"]
    assert {n.score for n in found} == {1.0}


def test_the_query_is_not_its_own_neighbour() -> None:
    features = clouds(50)
    paths = [str(i) for i in range(50)]
    (found,) = nearest(features[3:4], [(paths, features)], 50, lambda query, path: path == "3")
    assert "3" not in [n.path for n in found] and len(found) == 49


def test_features_of_zeros_are_similar_to_nothing() -> None:
    features = np.zeros((2, 8), np.float32)
    (found,) = nearest(features[:1], [(["a", "b"], features)], 5)
    assert [n.score for n in found] == [0, 0]


def test_features_of_different_networks_are_refused() -> None:
    with pytest.raises(InputError, match=r"length 8 cannot be compared .* length 16"):
        nearest(clouds(2), [(["a"], np.ones((1, 8), np.float32))], 5)
    with stored(clouds(2)) as rows, pytest.raises(InputError, match="length 8"):
        rows.add(np.ones((1, 8), np.float32))


def plain_leaders(features: NDArray[np.float32], threshold: float) -> list[int]:
    rows = unit_rows(features).astype(np.float64)
    leader = list(range(len(rows)))
    for i in range(len(rows)):
        kept = [j for j in range(i) if leader[j] == j]
        scores = {j: round(float(rows[j] @ rows[i]), 6) for j in kept}
        best = max(scores, key=lambda j: (scores[j], -j), default=None)
        if best is not None and scores[best] >= threshold:
            leader[i] = best
    return leader


@pytest.mark.parametrize("block", [1, 10, 64, 1000])
@pytest.mark.parametrize("threshold", [0.9, 0.97, 0.9999])
def test_leaders_are_independent_of_the_blocks(block: int, threshold: float) -> None:
    features = clouds(300, seed=1)
    with stored(features) as rows:
        done: list[int] = []
        found = find_leaders(rows, threshold, advance=done.append, block=block)
    assert found.leader.tolist() == plain_leaders(features, threshold)
    assert sum(done) == 300
    joined = found.leader != np.arange(300)
    assert joined.any() and found.score[joined].min() >= threshold
    assert (found.score[~joined] == 1).all()


def test_groups_are_not_chained() -> None:
    angles = np.radians([0, 10, 20, 30, 40, 50])  # each is near the next one only
    features = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    with stored(features) as rows:
        found = find_leaders(rows, float(np.cos(np.radians(11))))
    assert found.leader.tolist() == [0, 0, 2, 2, 4, 4]


class EvenOnly:
    """Only images with even numbers agree."""

    def __init__(self) -> None:
        self.prepared: set[int] = set()

    def prepare(self, rows: NDArray[np.intp]) -> None:
        self.prepared.update(rows.tolist())

    def __call__(self, rows: NDArray[np.intp], others: NDArray[np.intp]) -> NDArray[np.bool_]:
        assert self.prepared.issuperset([*rows.tolist(), *others.tolist()])
        return (rows[:, None] % 2 == 0) & (others % 2 == 0)


@pytest.mark.parametrize("block", [3, 100])
def test_images_that_do_not_agree_are_kept(block: int) -> None:
    with stored(np.ones((20, 8), np.float32)) as rows:
        found = find_leaders(rows, 0.9, EvenOnly(), block=block)
    assert found.leader.tolist() == [0 if i % 2 == 0 else i for i in range(20)]


def test_rows_are_read_back_in_another_order() -> None:
    features = clouds(100)
    order = np.random.default_rng(2).permutation(100)
    with stored(features) as rows, rows.reordered(order) as changed:
        assert len(changed) == 100
        np.testing.assert_array_equal(changed.read(90, 120), unit_rows(features)[order[90:]])
