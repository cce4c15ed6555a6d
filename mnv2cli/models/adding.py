"""Add a learned model to the user's models, or remove one."""

from __future__ import annotations

import os

from mnv2cli.errors import InputError, OutputError
from mnv2cli.models.cleanup import remove_weights
from mnv2cli.models.learned_file import read_learned
from mnv2cli.models.own import NAME, SUFFIX, find_own, own_folder, own_models
from mnv2cli.models.registry import MODELS
from mnv2cli.models.untrusted import check_archive
from mnv2cli.system.files import AtomicFile, content_digest
from mnv2cli.system.messages import reason


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
    name = name or os.path.splitext(os.path.basename(path))[0]
    if not NAME.fullmatch(name):
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
    remove_weights([path])
    return path
