"""Combine the objects of other decorators into the options of a classifier."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from mnv2cli.engines.options import EngineOptions
from mnv2cli.images.options import ImageOptions
from mnv2cli.inference.options import ClassifierOptions
from mnv2cli.labels.options import LabelOptions
from mnv2cli.models.options import ModelOptions
from mnv2cli.sources.options import Inputs


def as_classifier_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Combine the objects of other decorators into the ``options`` of a classifier.

    Requires ``inputs``, ``images``, ``model`` and ``engine``; uses ``labels`` if it is given.
    """

    @wraps(function)
    def command(
        *,
        inputs: Inputs,
        images: ImageOptions,
        model: ModelOptions,
        engine: EngineOptions,
        labels: LabelOptions | None = None,
        **others: Any,
    ) -> Any:
        options = ClassifierOptions(labels or LabelOptions(), model, engine, images, inputs.filters)
        return function(inputs=inputs, options=options, **others)

    return command
