"""The feature cache of a classifier, and the settings that its features depend on."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from mnv2cli.inference.feature_cache import MAX_BYTES, FeatureCache
from mnv2cli.inference.networks import class_labels
from mnv2cli.labels.options import LabelOptions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.inference.classifier import Classifier


class CachedFeatures:
    """Keeps the features of a classifier in the cache folder; opened once they are needed.

    Args:
        classifier: Computes the features; its model is loaded before the first use.
        max_bytes: The size of the cache, roughly.
    """

    def __init__(self, classifier: Classifier, max_bytes: int = MAX_BYTES) -> None:
        self._classifier = classifier
        self._max_bytes = max_bytes
        self._cache: FeatureCache | None = None
        self._lock = threading.Lock()

    def find(self, path: str) -> NDArray[np.float32] | None:
        """Return the features of a photo as float32 [features], or None."""
        return self._opened().find(path)

    def add(self, path: str, features: NDArray[np.float32]) -> None:
        """Store the features of a photo, float32 [features]."""
        self._opened().add(path, features)

    def digest(self, path: str) -> str:
        """Return the SHA-256 of a photo's content in hexadecimal; empty if it cannot be read."""
        return self._opened().digest(path)

    def find_content(self, digest: str) -> NDArray[np.float32] | None:
        """Return the features of a photo by the SHA-256 of its content in hexadecimal, or None."""
        return self._opened().find_content(digest)

    def close(self) -> None:
        """Store what is pending."""
        with self._lock:
            if self._cache is not None:
                self._cache.close()

    def _opened(self) -> FeatureCache:
        with self._lock:
            if self._cache is None:
                key, size = self._contents()
                notify = self._classifier.events.notice
                self._cache = FeatureCache(key, size, self._max_bytes, notify)
            return self._cache

    def _contents(self) -> tuple[str, int]:
        """Return what the kept numbers of a photo depend on, and their number."""
        return cache_key(self._classifier), self._classifier.network.features


class CachedScores(CachedFeatures):
    """Keeps the scores of all classes in the same place; for a network without a learned head."""

    def _contents(self) -> tuple[str, int]:
        size = len(class_labels(self._classifier.network))
        return f"scores {cache_key(self._classifier)}", size


def cache_key(classifier: Classifier) -> str:
    """Return what the features of a photo depend on, apart from its content; loads the model.

    A learned model has the features of the network below it.
    """
    engine = classifier.load()
    settings = classifier.settings()
    names = ("accurate", "fit", "interpolation", "allow_truncated", "calibration", "precision")
    found = {name: settings[name] for name in names}
    found |= {"engine": engine.name, "network": classifier.network.backbone.identity()}
    return json.dumps(found, sort_keys=True)


def features_settings(classifier: Classifier, *, normalized: bool) -> dict[str, Any]:
    """Return the settings that determine the features of a run, for its log.

    Once the model is loaded, those of the model are included. Options of labels do not matter.
    """
    labels = LabelOptions(top=1)
    found = classifier.settings() | {
        "top": labels.top,
        "threshold": labels.min_score,
        "min_margin": labels.min_margin,
        "unknown": False,
        "categories": None,
        "rollup": None,
        "normalized": normalized,
    }
    if "model" in found:
        found["features"] = classifier.network.features
    return found
