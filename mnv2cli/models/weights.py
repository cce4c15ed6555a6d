"""Weights files: their place in Keras's cache, and checks before Keras reads them."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import nullcontext
from typing import Any

from mnv2cli.errors import WeightsError
from mnv2cli.models.untrusted import check_archive, check_hdf5, is_pickle
from mnv2cli.system.files import content_digest
from mnv2cli.system.messages import reason
from mnv2cli.system.native_stderr import without_routine_messages

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
LARGEST_FILE = 1 << 30
"""Maximum size in bytes; the largest published file, ConvNeXt-Tiny's, has about 115 million."""


def keras_home() -> str:
    """Return Keras's folder, ``KERAS_HOME`` or else ``~/.keras``, without importing Keras."""
    home = os.environ.get("KERAS_HOME") or os.path.join("~", ".keras")
    return os.path.abspath(os.path.expanduser(home))


def cache_path(file_name: str) -> str:
    """Return the absolute path where Keras looks for a weights file."""
    return os.path.join(keras_home(), "models", file_name)


def digest(path: str) -> str:
    """Return the SHA-256 of a weights file.

    Raises:
        WeightsError: It cannot be read.
    """
    try:
        return content_digest(path)
    except OSError as error:
        raise WeightsError(
            f"cannot read the weights file {path}: {reason(error)}", "Check its permissions."
        ) from error


def check_file(path: str, hint: str, named: str = "") -> None:
    """Check that a file is a complete HDF5 file of a plausible size, before Keras reads it.

    Keras's ``.keras`` archives are checked member by member. Files with code in any form are
    refused.

    Args:
        path: The file.
        hint: The hint of errors.
        named: The name of the file in errors; empty for its path. A named file may have any
            suffix.

    Raises:
        WeightsError: It cannot be read, is truncated, could run code, or is not a weights file.
    """
    what = named or f"the weights file {path}"
    try:
        with open(path, "rb") as file:
            head = file.read(512)
    except OSError as error:
        raise WeightsError(f"cannot read {what}: {reason(error)}", hint) from error
    if path.endswith(".keras") and head.startswith(b"PK"):
        check_archive(path, what, hint)
        return
    if not head.startswith(HDF5_SIGNATURE):
        start = head.lstrip().lower()
        kind = "is not in HDF5 format"
        if is_pickle(head):
            kind = "is a pickle, which can run code: refused"
        elif not head:
            kind = "is empty"
        elif start.startswith((b"<!doctype", b"<html")):
            kind = "is a web page, perhaps of a proxy or a login, not weights"
        raise WeightsError(f"{what} {kind}", hint)
    if not (named or path.endswith((".h5", ".hdf5"))):
        raise WeightsError(f"{what} lacks the suffix .h5, which Keras requires", "Rename it.")
    check_hdf5(path, what, hint)


def check_values(model: Any, what: str, hint: str) -> None:
    """Check that all weights of a model are finite numbers.

    Args:
        model: The Keras model.
        what: The name of the weights file in errors.
        hint: The hint of errors.

    Raises:
        WeightsError: Some are not, so every score would be wrong.
    """
    import numpy as np

    for variable in model.variables:
        if not np.isfinite(np.asarray(variable)).all():
            raise WeightsError(f"{what} is damaged: {variable.path} is not finite", hint)


def import_keras() -> Any:
    """Import Keras on TensorFlow, quietly, with the settings that the weights require.

    Raises:
        WeightsError: Keras was already imported with another backend (from Python only).
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever ~/.keras/keras.json says
    with without_routine_messages() if "tensorflow" not in sys.modules else nullcontext():
        import keras

    if keras.backend.backend() != "tensorflow":
        raise WeightsError(
            f"cannot use Keras: it was imported with the backend {keras.backend.backend()!r}",
            "Import mnv2cli first, or set KERAS_BACKEND=tensorflow.",
        )
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    # Other values in the user's keras.json would change scores or not fit the weights.
    if keras.config.image_data_format() != "channels_last":
        keras.config.set_image_data_format("channels_last")
    if keras.config.floatx() != "float32":
        keras.config.set_floatx("float32")
    if keras.config.dtype_policy().name != "float32":
        keras.config.set_dtype_policy("float32")
    return keras
