"""All that decides what a classifier does, as the user asks for it."""

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
    """All that decides what a classifier does.

    Attributes:
        labels: What is reported of each image.
        model: The network.
        engine: What runs it, and how.
        images: How images become the network's input.
        filters: What to take from folders.
    """

    labels: LabelOptions = field(default_factory=LabelOptions)
    model: ModelOptions = field(default_factory=ModelOptions)
    engine: EngineOptions = field(default_factory=EngineOptions)
    images: ImageOptions = field(default_factory=ImageOptions)
    filters: Filters = field(default_factory=Filters)

    def keywords(self) -> dict[str, Any]:
        """Return the same as keyword arguments of :class:`Classifier`."""
        return {each.name: getattr(self, each.name) for each in fields(self)}
