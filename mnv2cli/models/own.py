"""The user's own models, added under a name that ``--model`` accepts."""

from __future__ import annotations

import os
import re

from mnv2cli.errors import InputError, OutputError
from mnv2cli.models.registry import MODELS
from mnv2cli.system.files import AtomicFile, content_digest
from mnv2cli.system.messages import reason

SUFFIX = ".keras"

_NAME = re.compile(r"[^\W_][\w.+-]{0,99}")


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
        stem: os.path.join(folder, name) for stem, name in stems.items() if _NAME.fullmatch(stem)
    }


def find_own(name: str) -> str:
    """Return the path of the user's model with a name; empty if there is none."""
    if not _NAME.fullmatch(name):
        return ""
    path = os.path.join(own_folder(), name + SUFFIX)
    return path if os.path.isfile(path) else ""


def add_own(path: str, name: str = "", *, force: bool = False) -> tuple[str, bool]:
    """Copy a model that ``mnv2 learn`` wrote into the folder of the user's models.

    Args:
        path: The model.
        name: Its name there; empty for that of the file.
        force: Replace a different model of that name.

    Returns:
        Its name, and whether it was copied: False if the same model has that name already.

    Raises:
        InputError: The name cannot be used, or another model has it.
        WeightsError: It is not an intact model of ``mnv2 learn``.
        OutputError: It cannot be copied.
    """
    from mnv2cli.models.learned_file import read_learned
    from mnv2cli.models.untrusted import check_archive

    name = name or os.path.splitext(os.path.basename(path))[0]
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{name!r} cannot be the name of a model",
            "Use letters, digits, dots, dashes and underscores: --name NAME.",
        )
    if name in MODELS:
        raise InputError(f"{name} is a network of mnv2", "Use another name: --name NAME.")
    read_learned(path)
    check_archive(path, f"the model {path}", "Learn it again with mnv2 learn.")
    target = os.path.join(own_folder(), name + SUFFIX)
    try:
        if os.path.exists(target):
            if content_digest(target) == content_digest(path):
                return name, False
            if not force:
                raise InputError(
                    f"another model is named {name}", "Replace it with --force, or use --name NAME."
                )
        os.makedirs(own_folder(), exist_ok=True)
        part = AtomicFile(target)
        try:
            with open(path, "rb") as file:
                while block := file.read(1 << 20):
                    part.file.write(block)
            part.commit()
        finally:
            part.discard()
    except OSError as error:
        raise OutputError(
            f"cannot write {target}: {reason(error)}",
            "Set MNV2_MODELS to a writable folder with free space.",
        ) from error
    return name, True


def remove_own(name: str) -> str:
    """Remove one of the user's models, and return its path.

    Raises:
        InputError: There is no model of that name.
        OutputError: It cannot be removed.
    """
    path = find_own(name)
    if not path:
        known = ", ".join(own_models()) or "none"
        raise InputError(
            f"{name!r} is not one of your models ({known})",
            "mnv2 models list shows them; mnv2 models clean --weights removes downloaded weights.",
        )
    try:
        os.unlink(path)
    except OSError as error:
        raise OutputError(
            f"cannot remove {path}: {reason(error)}", "Check the permissions of its folder."
        ) from error
    return path
