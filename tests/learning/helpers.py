"""Small training sets of drawn features."""

from __future__ import annotations

import numpy as np

from mnv2cli.learning.training_set import TrainingSet


def draw(photos: int, classes: int, noise: float = 0.5, size: int = 24) -> TrainingSet:
    """Return ``photos`` of each class around a centre of that class, each a separate group."""
    rng = np.random.default_rng(0)
    centres = np.abs(rng.normal(size=(classes, size)))
    numbers = np.repeat(np.arange(classes), photos)
    drawn = centres[numbers] + noise * rng.normal(size=(len(numbers), size))
    return TrainingSet(
        paths=tuple(f"{number}/{index}.jpg" for index, number in enumerate(numbers)),
        features=np.maximum(drawn, 0).astype(np.float32),
        classes=numbers,
        names=tuple(f"class {number}" for number in range(classes)),
        groups=np.arange(len(numbers)),
    )
