"""Features of real photos by the real network: engines agree, and the cache returns the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mnv2cli import Classifier
from mnv2cli.engines.options import EngineOptions
from mnv2cli.inference.feature_store import CachedFeatures
from tests.conftest import SHARED

IMAGES = SHARED / "images"
pytestmark = [
    pytest.mark.real_model,
    pytest.mark.skipif(
        not IMAGES.is_dir(), reason="needs photos and weights beside the repository, in ../shared"
    ),
]


@pytest.fixture(autouse=True)
def keras_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the weights beside the repository."""
    monkeypatch.setenv("KERAS_HOME", str(SHARED / "keras"))


def features(engine: str, precision: Any = "float32", **options: Any) -> NDArray[np.float32]:
    classifier = Classifier(
        engine=EngineOptions(engine, precision=precision, calibrate=str(IMAGES))
        if precision == "int8"
        else engine
    )
    found = [record.embedding for record in classifier.embed(IMAGES, **options)]
    assert len(found) >= 100
    return np.stack([each for each in found if each is not None])


def cosines(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    found: NDArray[np.float32] = (one * other).sum(axis=1) / lengths
    return found


@pytest.fixture(scope="module")
def litert() -> Callable[[], NDArray[np.float32]]:
    """The features of litert in float32, computed once."""
    kept: list[NDArray[np.float32]] = []

    def get() -> NDArray[np.float32]:
        if not kept:
            kept.append(features("litert"))
        return kept[0]

    return get


@pytest.mark.parametrize(
    ("engine", "precision", "least", "mean"),
    [("keras", "float32", 0.9999, 0.9999), ("litert", "int8", 0.96, 0.985)],
)
def test_features_of_engines_agree(
    litert: Callable[[], NDArray[np.float32]],
    record_property: Callable[[str, object], None],
    engine: str,
    precision: str,
    least: float,
    mean: float,
) -> None:
    one = litert()
    assert one.shape[1] == 1280 and one.dtype == np.float32
    found = cosines(one, features(engine, precision))
    record_property(
        "report",
        f"Features of {engine} {precision} and litert float32, {len(found)} photos: cosine at "
        f"least {found.min():.6f}, mean {found.mean():.6f}",
    )
    assert found.min() >= least and found.mean() >= mean


def test_cached_features_are_those_that_were_computed(
    litert: Callable[[], NDArray[np.float32]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classifier = Classifier(engine="litert")
    classifier.load()
    monkeypatch.setenv("MNV2_CACHE", str(tmp_path))
    for _ in range(2):
        store = CachedFeatures(classifier)
        records = list(classifier.embed(IMAGES, store=store))
        store.close()
        found = np.stack([r.embedding for r in records if r.embedding is not None])
        assert np.array_equal(found, litert())
