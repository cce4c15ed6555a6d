"""Find the folder that relative paths in a file start from."""

from __future__ import annotations

import os
from collections.abc import Iterable

from mnv2cli.sources.urls import is_url


def base_folder(paths: Iterable[str], folder: str) -> str:
    """Return the folder below which more of the relative paths exist.

    Args:
        paths: The paths in a file; absolute ones and URLs don't count.
        folder: The folder of the file; empty for the current one.

    Returns:
        That folder, also if equally many exist below both; or empty for the current folder.
    """
    there = here = 0
    for path in paths:
        if not (os.path.isabs(path) or is_url(path)):
            there += os.path.lexists(os.path.join(folder, path))
            here += os.path.lexists(path)
    return folder if there >= here else ""
