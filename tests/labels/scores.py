"""Scores of an image."""

from __future__ import annotations

from typing import Any

import numpy as np

from mnv2cli.labels.tree import tree


def scores(**given: float) -> np.ndarray[Any, Any]:
    array = np.zeros(1000, np.float32)
    for name, score in given.items():
        (wnid,) = tree().named(name.replace("_", " "))
        array[tree().classes[wnid]] = score
    return array
