"""Corrections of labels by people: a CSV with the columns path, label and review."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Review = Literal["corrected", "confirmed", "wrong", "rejected"]


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person said about the labels of a photo.

    Attributes:
        path: The photo, as in the results.
        label: Its right label, category or own class; empty for ``wrong`` and ``rejected``.
        review: ``corrected``: it has the label; ``confirmed``: the predicted label is right;
            ``wrong``: the predicted label is not right, and the right one is not known;
            ``rejected``: the photo is of no use.
    """

    path: str
    label: str
    review: Review
