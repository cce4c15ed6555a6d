"""What of Keras's cache may go: downloaded weights, and what killed downloads left."""

from __future__ import annotations

import os
from contextlib import suppress
from time import time

from mnv2cli.errors import OutputError
from mnv2cli.models.registry import all_models

_OLD = 3600.0  # seconds since it was last written to; a download that still runs is younger


def downloaded_weights() -> list[str]:
    """Return the files with published weights in Keras's cache."""
    return [model.cached for model in all_models() if os.path.isfile(model.cached)]


def remove_weights(paths: list[str]) -> None:
    """Remove weights files.

    Raises:
        OutputError: One of them cannot be removed.
    """
    for path in paths:
        try:
            os.unlink(path)
        except OSError as error:
            raise OutputError(f"{path} cannot be removed: {error.strerror}") from error


def interrupted_downloads() -> list[str]:
    """Return what killed downloads left, an hour after they were last written to."""
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
    """Remove what killed downloads left, as far as that is possible."""
    for path in paths:
        with suppress(OSError):
            os.unlink(path)
