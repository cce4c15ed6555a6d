"""All options of a classifier."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from mnv2cli.engines.options import EngineOptions
from mnv2cli.images.options import ImageOptions
from mnv2cli.labels.options import LabelOptions
from mnv2cli.models.options import ModelOptions
from mnv2cli.sources.options import Filters


@dataclass(frozen=True, slots=True)
class ClassifierOptions:
    """All options of a classifier.

    Attributes:
        labels: What to report for each image.
        model: The network and its weights.
        engine: The engine, its precision and its workers.
        images: How to decode images and fit them to the input of the network.
        filters: Which files in folders to use.
    """

    labels: LabelOptions = field(default_factory=LabelOptions)
    model: ModelOptions = field(default_factory=ModelOptions)
    engine: EngineOptions = field(default_factory=EngineOptions)
    images: ImageOptions = field(default_factory=ImageOptions)
    filters: Filters = field(default_factory=Filters)

    def keywords(self) -> dict[str, Any]:
        """Return the options as keyword arguments of :class:`Classifier`."""
        return {each.name: getattr(self, each.name) for each in fields(self)}
