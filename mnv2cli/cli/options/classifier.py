"""Combine the objects of other decorators into the options of a classifier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
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

    Requires ``images``, ``model`` and ``engine``; uses ``inputs`` and ``labels`` if they are given.
    """

    @wraps(function)
    def command(
        *,
        images: ImageOptions,
        model: ModelOptions,
        engine: EngineOptions,
        labels: LabelOptions | None = None,
        inputs: Inputs | None = None,
        **others: Any,
    ) -> Any:
        options = ClassifierOptions(labels or LabelOptions(), model, engine, images)
        if inputs is not None:
            options = replace(options, filters=inputs.filters)
            others["inputs"] = inputs
        return function(options=options, **others)

    return command
