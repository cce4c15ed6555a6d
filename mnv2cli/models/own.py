"""The user's own models, added under a name that ``--model`` accepts."""

from __future__ import annotations

import os
import re

SUFFIX = ".keras"

NAME = re.compile(r"[^\W_][\w.+-]{0,99}")
"""Names that a model can have."""


def own_folder() -> str:
    """Return the folder of the user's models: ``MNV2_MODELS``, else the user's data folder."""
    if named := os.environ.get("MNV2_MODELS"):
        return os.path.abspath(os.path.expanduser(named))
    from platformdirs import user_data_dir

    return os.path.join(user_data_dir("mnv2", appauthor=False), "models")


def own_models() -> dict[str, str]:
    """Return the paths of the user's models by name, in the order of their names."""
    folder = own_folder()
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return {}
    stems = {os.path.splitext(name)[0]: name for name in names if name.endswith(SUFFIX)}
    return {
        stem: os.path.join(folder, name) for stem, name in stems.items() if NAME.fullmatch(stem)
    }


def find_own(name: str) -> str:
    """Return the path of the user's model with a name; empty if there is none."""
    if not NAME.fullmatch(name):
        return ""
    path = os.path.join(own_folder(), name + SUFFIX)
    return path if os.path.isfile(path) else ""


def located(name: str) -> str:
    """Return the absolute path of a model of the user's or of a file; other names as they are."""
    path = find_own(name) or name
    return os.path.abspath(path) if os.path.exists(path) else name
