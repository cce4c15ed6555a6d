"""Models made elsewhere: files of Keras, Teachable Machine, ``keras.applications``, KerasHub.

Their files are data to this package: no code in them is run, and nothing in them is looked up by
name outside the lists in ``allowed.py``.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from mnv2cli.events import DownloadProgress
    from mnv2cli.models.options import ModelOptions
    from mnv2cli.models.protocol import Model

PREFIX = "keras:"
"""The beginning of the names of networks in ``keras.applications``."""

_ENDINGS = (".keras", ".h5", ".hdf5", ".zip")


def is_elsewhere(name: str) -> bool:
    """Return whether a name can only mean a path, or ``keras:NAME``."""
    return (
        name.startswith(PREFIX) or name.lower().endswith(_ENDINGS) or os.sep in name or "/" in name
    )


def network_names() -> list[str]:
    """Return the names of the networks of ``keras.applications``, as ``keras:NAME``."""
    from mnv2cli.models.elsewhere.application import NETWORKS

    return [f"{PREFIX}{name}" for name in NETWORKS]


def create(options: ModelOptions, progress: DownloadProgress) -> Model:
    """Return the requested model; its weights are not loaded yet.

    Args:
        options: The path or ``keras:NAME`` as ``name``; labels, scale and size.
        progress: Called with the progress of a download.

    Raises:
        InputError: An option is missing or contradicts the model.
        WeightsError: The file is refused or damaged.
    """
    module = "file_model.FileModel"
    if options.name.startswith(PREFIX):
        module = "application.Application"
    elif os.path.isdir(options.name):
        module = "hub.Preset"
    name, _, kind = module.partition(".")
    return cast("Model", getattr(import_module(f"{__name__}.{name}"), kind)(options))
