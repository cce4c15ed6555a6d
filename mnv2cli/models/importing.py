"""Take in a weights file that was carried over by hand: which model it is for, and the copy."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from mnv2cli.errors import InputError, OutputError
from mnv2cli.models.registry import DEFAULT_MODEL, families
from mnv2cli.models.weights import LARGEST_FILE
from mnv2cli.system.files import AtomicFile, content_digest
from mnv2cli.system.messages import reason

if TYPE_CHECKING:
    from mnv2cli.models.options import ModelOptions
    from mnv2cli.models.protocol import Model


def options_of_file(path: str, given: ModelOptions) -> ModelOptions:
    """Return which model a weights file is for: as its name says, else as the user does.

    Args:
        path: The file; a name that no family knows is of the default's.
        given: The width and size that the user named.

    Raises:
        InputError: The name and the user contradict each other, or neither says it.
    """
    name = os.path.basename(path)
    for family in families():
        said = family.options_of_file(name)
        if said is None:
            continue
        if said.alpha is None and said.size is None:
            return replace(said, alpha=given.alpha, size=given.size)
        alpha, size = said.alpha, said.size
        if (given.alpha or alpha, given.size or size) != (alpha, size):
            raise InputError(f"{name!r} is for alpha {alpha} and size {size} by its name.")
        return said
    if given.alpha is None or given.size is None:
        raise InputError(f"{name!r} does not say what it is for: add --alpha and --size.")
    return replace(given, name=DEFAULT_MODEL)


def import_weights(path: str, model: Model, *, force: bool) -> bool:
    """Copy a weights file to where the model's published weights belong, once it is checked.

    Args:
        path: The file.
        model: What it is for.
        force: Replace other weights that are there.

    Returns:
        Whether it was copied; not, if the very same file is there already.

    Raises:
        InputError: It is no weights file, or another one is there already.
        OutputError: It cannot be copied.
        WeightsError: It is not this model's.
    """
    what, target = f"the file {path}", model.cached
    if not os.path.isfile(path) or os.path.getsize(path) > LARGEST_FILE:
        raise InputError(f"{what} is no weights file: it is no regular file, or far too large")
    try:
        if os.path.exists(target):
            if content_digest(target) == content_digest(path):
                return False
            if not force:
                raise InputError(
                    f"{target} is already there, and is another file", "Replace it with --force."
                )
        os.makedirs(os.path.dirname(target), exist_ok=True)
        part = AtomicFile(target, ".part" + os.path.splitext(target)[1])
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {reason(error, lower=False)}") from error
    try:
        with open(path, "rb") as source:
            while block := source.read(1 << 20):
                part.file.write(block)
        part.file.flush()
        model.check(part.name, "", what)  # what is checked is what is kept
        part.commit()
    except OSError as error:
        raise OutputError(f"{what} cannot be taken in: {reason(error, lower=False)}") from error
    finally:
        part.discard()
    return True
