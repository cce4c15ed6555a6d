"""The folder for files that this program can create again."""

from __future__ import annotations

import os


def cache_folder() -> str:
    """Return the folder of compiled models: ``MNV2_CACHE``, else the user's cache folder."""
    if named := os.environ.get("MNV2_CACHE"):
        return os.path.abspath(os.path.expanduser(named))
    from platformdirs import user_cache_dir

    return os.path.join(user_cache_dir("mnv2", appauthor=False), "compiled")
