"""Import a weights file from another machine: find its model, check and copy it."""

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
    """Return the model that a weights file is for, by its name or else by the given options.

    Args:
        path: The file; a name that no family recognises means the default family.
        given: The width and size that the user gave.

    Raises:
        InputError: The name contradicts the options, or neither determines width and size.
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
            raise InputError(
                f"the name {name!r} means --alpha {alpha} --size {size}: omit other values."
            )
        return said
    if given.alpha is None or given.size is None:
        raise InputError(f"cannot tell the network from the name {name!r}: add --alpha and --size.")
    return replace(given, name=DEFAULT_MODEL)


def import_weights(path: str, model: Model, *, force: bool) -> bool:
    """Check a weights file and copy it to the place of the model's published weights.

    Args:
        path: The file.
        model: The model it is for.
        force: Replace different weights there.

    Returns:
        Whether it was copied; False if the same file already exists there.

    Raises:
        InputError: It is not a weights file, or a different one already exists there.
        OutputError: It cannot be copied.
        WeightsError: It does not fit the model.
    """
    what, target = f"the file {path}", model.cached
    if not os.path.isfile(path) or os.path.getsize(path) > LARGEST_FILE:
        raise InputError(f"{what} is not a weights file: not a regular file, or far too large")
    try:
        if os.path.exists(target):
            if content_digest(target) == content_digest(path):
                return False
            if not force:
                raise InputError(
                    f"{target} already exists with different content", "Replace it with --force."
                )
        os.makedirs(os.path.dirname(target), exist_ok=True)
        part = AtomicFile(target, ".part" + os.path.splitext(target)[1])
    except OSError as error:
        raise OutputError(
            f"cannot write {target}: {reason(error)}",
            "Set KERAS_HOME to a writable folder with free space.",
        ) from error
    try:
        with open(path, "rb") as source:
            while block := source.read(1 << 20):
                part.file.write(block)
        part.file.flush()
        model.check(part.name, "", what)  # check the copy, which is what will be used
        part.commit()
    except OSError as error:
        raise OutputError(f"cannot import {what}: {reason(error)}") from error
    finally:
        part.discard()
    return True
