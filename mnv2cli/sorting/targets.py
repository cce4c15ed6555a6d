"""Check paths below the destination, which come from files that people can edit."""

from __future__ import annotations

import os

from mnv2cli.journals.folder import OWN_FOLDER

LONGEST_NAME = 255  # bytes, on nearly all file systems


def check_target(target: str) -> None:
    """Check that a target is below the destination.

    Raises:
        ValueError: It is empty or absolute, contains ``..`` or NUL, or is in the journals' folder.
    """
    parts = target.replace("\\", "/").split("/") if os.sep == "\\" else target.split("/")
    if not target or "\0" in target or os.path.isabs(target) or os.path.splitdrive(target)[0]:
        raise ValueError(f"the target {target!r} is not a path below the destination")
    if any(part in ("", ".", "..") for part in parts) or parts[0].casefold() == OWN_FOLDER:
        raise ValueError(f"the target {target!r} is not a path below the destination")
    if any(len(os.fsencode(part)) > LONGEST_NAME for part in parts):
        raise ValueError(f"the target {target!r} has a name that is too long")


def check_parents(dest: str, target: str) -> None:
    """Check that the folders above a target are folders within the destination.

    Raises:
        ValueError: One is a file, or a link that leads outside the destination.
    """
    folder = dest
    for part in target.split("/")[:-1]:
        folder = os.path.join(folder, part)
        if not os.path.lexists(folder):
            return
        if not os.path.isdir(folder):
            raise ValueError(f"{folder!r} is a file, not a folder")
        if os.path.islink(folder):
            real, root = os.path.realpath(folder), os.path.realpath(dest)
            if not real.startswith(root.rstrip(os.sep) + os.sep):
                raise ValueError(f"{folder!r} is a link that leads outside the destination")
