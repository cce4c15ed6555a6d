"""Open a file with a whole model: ``.keras``, ``.h5``, or an archive of Teachable Machine."""

from __future__ import annotations

import io
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from mnv2cli.errors import InputError, WeightsError
from mnv2cli.models.elsewhere.description import SAVE_AGAIN, Graph, read_description
from mnv2cli.models.untrusted import check_hdf5, check_members, is_pickle
from mnv2cli.models.weights import HDF5_SIGNATURE, LARGEST_FILE
from mnv2cli.system.messages import reason

_CONFIG, _METADATA, _WEIGHTS, _NAMES = (
    "config.json", "metadata.json", "model.weights.h5", "labels.txt",
)  # fmt: skip
_WEIGHTS_END = ".weights.h5"
_LARGEST_TEXT = 16 << 20  # bytes
_FORMATS = "Models are .keras and .h5 files of Keras, and archives of Teachable Machine (Keras)."


@dataclass(frozen=True)
class Stored:
    """The weights of a model in a file that Keras can open.

    Attributes:
        path: The file.
        count: The number of weights in it.
    """

    path: str
    count: int


@dataclass(frozen=True, eq=False)
class Container:
    """A file with a whole model.

    Attributes:
        path: The file.
        what: Its name in errors.
        graph: The model's description.
        names: The content of the list of labels in the file; None if there is none.
        member: The member of the archive that has the weights; empty for an ``.h5`` file.
    """

    path: str
    what: str
    graph: Graph
    names: bytes | None
    member: str

    @contextmanager
    def weights(self) -> Generator[Stored, None, None]:
        """Yield the checked weights; a copy of a member of an archive is removed afterwards.

        Raises:
            WeightsError: They are damaged, far too large, or refer to other files.
        """
        with tempfile.TemporaryDirectory(prefix="mnv2-") as folder:
            # Keras knows the format of weights by these endings.
            ending = _WEIGHTS_END if self.member.endswith(_WEIGHTS) else ".h5"
            path = os.path.join(folder, f"model{ending}")
            try:
                if self.member:
                    with (
                        zipfile.ZipFile(self.path) as archive,
                        archive.open(self.member) as source,
                        open(path, "wb") as target,
                    ):
                        shutil.copyfileobj(source, target)
                elif self.path.endswith((".h5", ".hdf5")) and not self.path.endswith(_WEIGHTS_END):
                    path = os.path.abspath(self.path)
                else:
                    shutil.copyfile(self.path, path)
            except (OSError, zipfile.BadZipFile, EOFError, ValueError) as error:
                raise WeightsError(f"cannot read {self.what}: {str(error)[:200]}") from error
            check_hdf5(path, self.what, SAVE_AGAIN, with_config=False)
            yield Stored(path, count_numbers(path))


def count_numbers(path: str) -> int:
    """Return the number of numbers in the data sets of an HDF5 file."""
    import h5py

    total = 0

    def add(_: str, item: Any) -> None:
        nonlocal total
        if isinstance(item, h5py.Dataset):
            total += int(item.size or 0)

    with h5py.File(path, "r") as file:
        file.visititems(add)
    return total


def open_container(path: str) -> Container:
    """Return the model in a file; its weights are not read.

    Raises:
        InputError: There is no such file, or it is not a model of Keras.
        WeightsError: It is damaged, or contains anything but known layers.
    """
    what = f"the model {path}"
    try:
        if not os.path.isfile(path):
            raise InputError(f"model file not found: {path}", _FORMATS)
        if os.path.getsize(path) > LARGEST_FILE:
            raise WeightsError(f"{what} is far too large: {os.path.getsize(path):,} bytes")
        with open(path, "rb") as file:
            head = file.read(512)
    except OSError as error:
        raise WeightsError(f"cannot read {what}: {reason(error)}") from error
    if head.startswith(b"PK"):
        return _archive(path, what)
    if head.startswith(HDF5_SIGNATURE):
        graph = _described(*_hdf5_config(path, what), what)
        return Container(path, what, graph, None, "")
    why = "is not a model of Keras"
    if is_pickle(head):
        why = "is a pickle, which can run code: refused"
    elif not head:
        why = "is empty"
    elif head[4:8] == b"TFL3":
        why = "is a TensorFlow Lite model, which cannot be loaded"
    raise WeightsError(f"{what} {why}", _FORMATS)


def _archive(path: str, what: str) -> Container:
    try:
        with zipfile.ZipFile(path) as archive:
            check_members(archive, what, SAVE_AGAIN)
            names = archive.namelist()
            if _CONFIG in names:
                return _keras_archive(archive, path, what)
            members = [each for each in names if each.endswith((".h5", ".hdf5"))
                       and not each.startswith("__MACOSX/")]  # fmt: skip
            if len(members) != 1:
                raise WeightsError(f"{what} {_why_no_model(names)}", _FORMATS)
            beside = os.path.join(os.path.dirname(members[0]), _NAMES)
            labels = _text(archive, beside, what) if beside in names else None
            content = io.BytesIO(archive.read(members[0]))
        graph = _described(*_hdf5_config(content, what), what)
        return Container(path, what, graph, labels, members[0])
    except (WeightsError, InputError):
        raise
    except Exception as error:  # zipfile raises BadZipFile, NotImplementedError, zlib.error, ...
        raise WeightsError(f"{what} is damaged ({str(error)[:200]})", _FORMATS) from error


def _keras_archive(archive: zipfile.ZipFile, path: str, what: str) -> Container:
    if _WEIGHTS not in archive.namelist():
        raise WeightsError(f"{what} does not contain {_WEIGHTS}", SAVE_AGAIN)
    version = ""
    if _METADATA in archive.namelist():
        found = json.loads(_text(archive, _METADATA, what))
        version = str(found.get("keras_version", "")) if isinstance(found, dict) else ""
    graph = _described(_text(archive, _CONFIG, what), version.startswith("2."), what)
    return Container(path, what, graph, None, _WEIGHTS)


def _text(archive: zipfile.ZipFile, name: str, what: str) -> bytes:
    if archive.getinfo(name).file_size > _LARGEST_TEXT:
        raise WeightsError(f"{what} is refused: {name} in it is far too large", SAVE_AGAIN)
    return archive.read(name)


def _why_no_model(names: list[str]) -> str:
    if any(name.endswith("saved_model.pb") for name in names):
        return "contains a SavedModel of TensorFlow, which is a program: refused"
    if any(name.endswith(".tflite") for name in names):
        return "contains a TensorFlow Lite model: export it from Teachable Machine as Keras"
    if any(name.endswith("model.json") for name in names):
        return "contains a TensorFlow.js model: export it from Teachable Machine as Keras"
    return "does not contain one model of Keras"


def _described(text: str | bytes, keras2: bool, what: str) -> Graph:
    return read_description(text, what, keras2=keras2)


def _hdf5_config(source: Any, what: str) -> tuple[str | bytes, bool]:
    """Return the description in an HDF5 file, and whether Keras 2 wrote it."""
    import h5py

    try:
        with h5py.File(source, "r") as file:
            text = file.attrs.get("model_config")
            version = file.attrs.get("keras_version", "")
    except Exception as error:  # h5py raises OSError, RuntimeError, KeyError
        kind = "is truncated" if "truncated" in str(error) else f"is damaged ({str(error)[:200]})"
        raise WeightsError(f"{what} {kind}", SAVE_AGAIN) from error
    if not isinstance(text, str | bytes):
        raise WeightsError(
            f"{what} contains weights without a description of their network",
            "If they are for a network of mnv2, use --model NAME --weights FILE; else save the "
            "whole model with model.save().",
        )
    version = version.decode("ascii", "replace") if isinstance(version, bytes) else str(version)
    return text, not version.startswith("3")
