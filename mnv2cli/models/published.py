"""Published figures of each network, which would be slow or impossible to compute."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Published:
    """Figures of one network; None where unknown.

    Attributes:
        top1: Percentage of ImageNet's 50,000 validation images whose first label is right. Source:
            tensorflow/models, research/slim/nets/mobilenet (MobileNetV2), tensorflow/tpu,
            models/official/efficientnet/lite, the documentation of
            ``keras.applications.MobileNetV3Large``, and the table on keras.io/api/applications
            (EfficientNetV2-B0, ConvNeXt-Tiny).
        parameters: Number of trained parameters, as :func:`mnv2cli.models.describe.describe`
            counts them; a test compares.
        multiply_adds: Number of multiply-adds for one image, likewise.
    """

    top1: float | None
    parameters: int | None
    multiply_adds: int | None


UNKNOWN = Published(None, None, None)
"""The figures of a network without published ones."""


@cache
def published() -> dict[str, Published]:
    """Return the figures of every network, by its name in results."""
    text = files("mnv2cli.models").joinpath("data/published.csv").read_text(encoding="utf-8")
    return {
        row["model"]: Published(
            float(row["top1"]), int(row["parameters"]), int(row["multiply_adds"])
        )
        for row in csv.DictReader(text.splitlines())
    }
