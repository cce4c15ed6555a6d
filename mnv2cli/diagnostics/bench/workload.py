"""The workload of a case, and the classifier that it measures."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from mnv2cli.engines.options import EngineOptions
from mnv2cli.events import Notice, RunEvents, python_warning
from mnv2cli.images.decode import decode
from mnv2cli.models import MODELS
from mnv2cli.models.options import ModelOptions
from mnv2cli.models.own import located

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.inference.classifier import Classifier


@dataclass(frozen=True, slots=True)
class Workload:
    """The workload of a case; passed to the process of the case as JSON.

    Attributes:
        folder: A folder with the images and no other files.
        model: The network.
        engine: The engine that runs it.
    """

    folder: str
    model: ModelOptions
    engine: EngineOptions

    def paths(self) -> list[str]:
        """Return the paths of the images, sorted."""
        return [os.path.join(self.folder, name) for name in sorted(os.listdir(self.folder))]

    def classifier(self) -> Classifier:
        """Return the classifier of this network and engine; nothing is loaded yet."""
        return make_classifier(self.model, self.engine)

    def to_json(self) -> str:
        """Return this workload as JSON, in ASCII."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Workload:
        """Return the workload that :meth:`to_json` wrote."""
        data = json.loads(text)
        model, engine = ModelOptions(**data["model"]), EngineOptions(**data["engine"])
        return cls(data["folder"], model, engine)


def make_classifier(
    model: ModelOptions, engine: EngineOptions, warning: Notice = python_warning
) -> Classifier:
    """Return a classifier; the benchmark creates all its classifiers here.

    Raises:
        InputError: A value is invalid.
    """
    from mnv2cli.inference.classifier import Classifier

    return Classifier(model=model, engine=engine, events=RunEvents(warning=warning))


def check_accurate(model: ModelOptions) -> None:
    """Check that a network can be measured with ``--accurate``, too.

    Raises:
        InputError: It cannot.
    """
    from mnv2cli.models import open_model

    open_model(replace(model, accurate=True))


def resolve_model(model: ModelOptions, warning: Notice) -> ModelOptions:
    """Return the options of the network actually used, so that all cases use the same one.

    Args:
        model: The network that the user chose.
        warning: Called if another network is used instead.

    Raises:
        InputError: A value is invalid.
        WeightsError: The weights are not available.
    """
    network = make_classifier(model, EngineOptions(), warning).resolve()
    if network.family in MODELS:
        return replace(model, name=network.family)
    return replace(model, name=located(model.name))  # a model of the user's


def decoder(classifier: Classifier) -> Callable[[str], NDArray[np.uint8]]:
    """Return a function that decodes one image as this classifier does."""
    return partial(decode, size=classifier.network.size, options=classifier.options.images)
