"""Weights files: Keras's cache, safe downloads into it, and checks before anything is believed.

Keras's own ``get_file`` has no timeout, writes straight to the final name and shows its progress
on stdout. Files are therefore fetched here, put under the very name and folder where Keras looks
for them, and loaded by Keras.
"""

from __future__ import annotations

import logging
import os
import queue
import socket
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from typing import IO, Any

from mnv2cli.errors import WeightsError
from mnv2cli.files import PartFile, file_digest

Progress = Callable[[str, int, "int | None"], None]
"""Called with a file's name, the bytes so far, and all its bytes if known."""

TIMEOUT = 20.0
"""Seconds that a host may take to connect or to send the next block."""

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
LARGEST_FILE = 1 << 30
"""Bytes; the largest published file, alpha 1.4, has about 25 million."""

_BLOCK = 1 << 14  # bytes; what a host must send within TIMEOUT to be waited for


def no_progress(name: str, done: int, total: int | None) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Origin:
    """Where a published file comes from and where it belongs.

    Attributes:
        url: Its address.
        path: Its absolute path in Keras's cache.
    """

    url: str
    path: str

    @property
    def by_hand(self) -> str:
        """What to do on a machine that cannot download it."""
        return (
            f"  from  {self.url}\n"
            f"  to    {self.path}\n"
            "Without internet here: fetch that address on another machine and copy the file to "
            "that path, or name any copy with --weights FILE."
        )


def keras_home() -> str:
    """Return Keras's folder: ``KERAS_HOME``, else ``~/.keras``; found without importing Keras."""
    home = os.environ.get("KERAS_HOME") or os.path.join("~", ".keras")
    return os.path.abspath(os.path.expanduser(home))


def cache_path(file_name: str) -> str:
    """Return the absolute path where Keras's loader looks for a weights file."""
    return os.path.join(keras_home(), "models", file_name)


def download(origin: Origin, progress: Progress = no_progress) -> None:
    """Fetch a weights file into Keras's cache; the name appears only when all of it is there.

    Raises:
        WeightsError: It cannot be fetched or written, or what came is no weights file. Nothing is
            left behind, and a file that was there before still is.
    """
    folder, name = os.path.split(origin.path)
    try:
        os.makedirs(folder, exist_ok=True)
        part = PartFile(origin.path)
    except OSError as error:
        raise WeightsError(
            f"the folder for the weights cannot be written: {folder} ({error.strerror})",
            "Name a folder that can with KERAS_HOME, or a weights file with --weights.",
        ) from error
    try:
        _fetch(origin.url, part.file, name, progress)
        part.file.flush()
        check_file(part.name, origin.by_hand, f"what {origin.url} sent")
        part.commit()
    except (OSError, HTTPException, ValueError) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()  # it holds the connection
        raise WeightsError(
            f"the weights could not be downloaded: {_why(error)}", origin.by_hand
        ) from error
    finally:
        part.discard()


def _fetch(url: str, file: IO[bytes], name: str, progress: Progress) -> None:
    """Download into a file; whatever the host does, nothing takes longer than ``TIMEOUT``.

    A host has many addresses and may send a byte a minute, and each has its own timeout in
    urllib. So the transfer runs in a thread, which is left behind when it stands still.
    """
    # All its bytes if known, and a block; an exception or None ends it.
    blocks: queue.Queue[tuple[int | None, bytes] | Exception | None] = queue.Queue(8)
    given_up = threading.Event()

    def put(item: tuple[int | None, bytes] | Exception | None) -> None:
        while not given_up.is_set():
            with suppress(queue.Full):
                blocks.put(item, timeout=0.2)
                return

    def transfer() -> None:
        try:
            with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:
                length = answer.headers.get("Content-Length", "")
                total = int(length) if length.isdecimal() else None
                put((total, b""))
                while not given_up.is_set() and (block := answer.read(_BLOCK)):
                    put((total, block))
            put(None)
        except Exception as error:
            put(error)

    threading.Thread(target=transfer, name="mnv2-download", daemon=True).start()
    done, total = 0, None
    try:
        while True:
            try:
                item = blocks.get(timeout=TIMEOUT)
            except queue.Empty:
                raise TimeoutError from None
            if item is None:
                break
            if isinstance(item, Exception):
                raise item
            total, block = item
            file.write(block)
            done += len(block)
            progress(name, done, total)
            if done > LARGEST_FILE:
                raise ValueError("the file is far too large for weights")
    finally:
        given_up.set()
    if total is not None and done < total:
        raise ValueError(f"the connection ended after {done:,} of {total:,} bytes")


def _why(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the host answered {error.code} {error.reason}".rstrip()
    if isinstance(error, urllib.error.URLError):
        reason = error.reason
        if isinstance(reason, Exception):
            return _why(reason)
        return str(reason)
    if isinstance(error, TimeoutError):
        return f"the host did not answer within {TIMEOUT:.0f} seconds"
    if isinstance(error, socket.gaierror):
        return f"the host's name was not found ({error.strerror})"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__


def digest(path: str) -> str:
    """Return the SHA-256 of a weights file.

    Raises:
        WeightsError: It cannot be read.
    """
    try:
        return file_digest(path)
    except OSError as error:
        raise WeightsError(f"the weights file {path} cannot be read: {error.strerror}") from error


def check_file(path: str, hint: str, named: str = "") -> None:
    """Check that a file is a whole HDF5 file of a sensible size, before Keras reads it.

    Keras's ``.keras`` archives are left to Keras, which reads no code out of them here.

    Raises:
        WeightsError: It cannot be read, is cut short, or is something else altogether.
    """
    what = named or f"the weights file {path}"
    try:
        with open(path, "rb") as file:
            head = file.read(512)
    except OSError as error:
        raise WeightsError(f"{what} cannot be read: {error.strerror}", hint) from error
    if path.endswith(".keras") and head.startswith(b"PK"):
        return
    if not head.startswith(HDF5_SIGNATURE):
        start = head.lstrip().lower()
        kind = "is not in HDF5 format"
        if not head:
            kind = "is empty"
        elif start.startswith((b"<!doctype", b"<html")):
            kind = "is a web page (a proxy's or a login page?), not weights"
        raise WeightsError(f"{what} {kind}", hint)
    if not (named or path.endswith((".h5", ".hdf5"))):
        raise WeightsError(f"{what} needs the suffix .h5 for Keras to read it", "Rename it.")
    import h5py

    total = 0

    def add(_: str, item: Any) -> None:
        nonlocal total
        if isinstance(item, h5py.Dataset):
            total += item.size * item.dtype.itemsize

    try:
        with h5py.File(path, "r") as content:
            content.visititems(add)
    except Exception as error:  # h5py raises OSError, RuntimeError, KeyError
        text = " ".join(str(error).split())
        kind = "is cut short" if "truncated" in text else "is damaged"
        raise WeightsError(f"{what} {kind} ({text[:200]})", hint) from error
    if total > LARGEST_FILE:
        raise WeightsError(f"{what} claims to hold {total:,} bytes: not MobileNetV2", hint)


def check_values(model: Any, path: str, hint: str) -> None:
    """Check that all weights of a model are finite numbers.

    Raises:
        WeightsError: They are not, so that no score could be trusted.
    """
    import numpy as np

    for variable in model.variables:
        if not np.isfinite(np.asarray(variable)).all():
            raise WeightsError(
                f"the weights file {path} is damaged: {variable.path} is not finite", hint
            )


def import_keras() -> Any:
    """Import Keras on TensorFlow, quietly, with the layout of axes that the weights have.

    Raises:
        WeightsError: Keras runs on another backend already (only possible from Python).
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = "tensorflow"  # the same as in ~/.keras/keras.json or not
    import keras

    if keras.backend.backend() != "tensorflow":
        raise WeightsError(
            f"Keras was imported with the backend {keras.backend.backend()!r} before",
            "Import mnv2cli first, or set KERAS_BACKEND=tensorflow.",
        )
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    # What the user's keras.json says of these would move scores or fit no weights.
    if keras.config.image_data_format() != "channels_last":
        keras.config.set_image_data_format("channels_last")
    if keras.config.floatx() != "float32":
        keras.config.set_floatx("float32")
    if keras.config.dtype_policy().name != "float32":
        keras.config.set_dtype_policy("float32")
    return keras
