"""Where config files are: in a folder or its parents, and in the user's config folder."""

from __future__ import annotations

import os
from collections.abc import Iterator

NAME = "mnv2.toml"
PYPROJECT = "pyproject.toml"


def user_file() -> str:
    """Return the path of the user's config file: in ``MNV2_CONFIG_DIR``, else the usual folder."""
    if named := os.environ.get("MNV2_CONFIG_DIR"):
        return os.path.join(os.path.abspath(os.path.expanduser(named)), NAME)
    from platformdirs import user_config_dir

    return os.path.join(user_config_dir("mnv2", appauthor=False), NAME)


def project_files(folder: str = ".") -> Iterator[str]:
    """Yield the paths that may be a project's file, the nearest first, up to the root.

    Nothing if the current folder does not exist any more.
    """
    try:
        place = os.path.abspath(folder)
    except FileNotFoundError:
        return
    while True:
        yield os.path.join(place, NAME)
        yield os.path.join(place, PYPROJECT)
        above = os.path.dirname(place)
        if above == place:
            return
        place = above


def is_user_file(path: str) -> bool:
    """Return whether a path is that of the user's config file, in whatever spelling.

    A link to it in another folder is not: relative paths would start there.
    """
    folder, name = os.path.split(path)
    try:
        return name == NAME and os.path.samefile(folder, os.path.dirname(user_file()))
    except OSError:
        return False


def is_trusted(path: str) -> bool:
    """Return whether a file, and a link to it, belongs to this user or the administrator.

    The file of a shared folder or of another user must not change what this user's commands do.
    Systems without owners trust all files. The file is not opened.
    """
    if not hasattr(os, "geteuid"):
        return True
    own = os.geteuid()
    owners = {own, 0}
    if own == 0 and os.environ.get("SUDO_UID", "").isdecimal():
        owners.add(int(os.environ["SUDO_UID"]))
    try:
        return os.lstat(path).st_uid in owners and os.stat(path).st_uid in owners
    except OSError:  # a broken link of this user: reading it is the error
        return True
