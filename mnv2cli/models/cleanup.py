"""Find and remove downloaded weights and leftovers of killed downloads in Keras's cache."""

from __future__ import annotations

import os
from contextlib import suppress
from time import time

from mnv2cli.errors import OutputError
from mnv2cli.models.registry import all_models
from mnv2cli.system.messages import reason

_OLD = 3600.0  # seconds since the last write; an active download writes more often


def downloaded_weights() -> list[str]:
    """Return the files with published weights in Keras's cache."""
    return [model.cached for model in all_models() if os.path.isfile(model.cached)]


def remove_weights(paths: list[str]) -> None:
    """Remove weights files.

    Raises:
        OutputError: A file cannot be removed.
    """
    for path in paths:
        try:
            os.unlink(path)
        except OSError as error:
            raise OutputError(
                f"cannot remove {path}: {reason(error)}", "Check the permissions of its folder."
            ) from error


def interrupted_downloads() -> list[str]:
    """Return the partial files of killed downloads, once they are an hour old."""
    found = []
    for model in all_models():
        folder, name = os.path.split(model.cached)
        try:
            others = os.listdir(folder)
        except OSError:
            continue
        for other in others:
            path = os.path.join(folder, other)
            if other.startswith(f".{name}.") and ".part" in other:
                with suppress(OSError):
                    if time() - os.path.getmtime(path) > _OLD:
                        found.append(path)
    return found


def remove_downloads(paths: list[str]) -> None:
    """Remove the partial files of killed downloads; ignore those that cannot be removed."""
    for path in paths:
        with suppress(OSError):
            os.unlink(path)
