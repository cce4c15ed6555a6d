"""Refuse Keras files that contain more than data, before Keras reads them.

A Keras file can name functions and classes, and contain Python code in Lambda layers, which run
when it is loaded as a model. This package only reads weights, into a network that it builds itself.
It still refuses files that could run code: weights do not need any, and no later version of Keras
can be tricked into running it.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Iterator
from typing import IO, Any

from mnv2cli.errors import WeightsError

_MAX_MEMBERS = 1_000
_LARGEST_CONFIG = 16 << 20  # EfficientNetV2-B0's has 0.2 million bytes
_LARGEST_WEIGHTS = 1 << 30
_BYTES_IN_USE = 4  # of a number of any type, which Keras converts to float32
_LARGEST_RATIO = 1_100  # deflate, as gzip uses it, reaches 1,032
_MOST_OBJECTS = 20_000  # in HDF5; NASNetLarge has about 5,000 with the state of its training
_DEEPEST_GROUP = 64  # Keras writes two for each model in a model
_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_PICKLES = (".pkl", ".pickle", ".pt", ".pth", ".joblib", ".dill")

# Modules of Keras that act on the process or on files, not on models.
_NOT_FOR_MODELS = ("keras.config", "keras.utils", "keras.saving", "keras.src.utils",
                   "keras.src.saving", "keras.src.backend.config", "keras.callbacks",
                   "keras.datasets")  # fmt: skip


def is_pickle(head: bytes) -> bool:
    """Return whether bytes are the start of a pickle of protocol 2 or later (PEP 307, 574)."""
    return len(head) > 1 and head[0] == 0x80 and 2 <= head[1] <= 5


def check_archive(path: str, what: str, hint: str) -> None:
    """Check that a ``.keras`` archive contains a network's description and weights, and no code.

    Args:
        path: A ZIP file.
        what: Its name in errors.
        hint: The hint of errors.

    Raises:
        WeightsError: It is damaged, far too large, or could run code.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            check_members(archive, what, hint)
            if _CONFIG in archive.namelist():
                check_config(archive.read(_CONFIG), what, hint)
            if _WEIGHTS not in archive.namelist():
                raise WeightsError(f"{what} does not contain {_WEIGHTS}", hint)
            check_hdf5(io.BytesIO(archive.read(_WEIGHTS)), what, hint)
    except WeightsError:
        raise
    except Exception as error:  # zipfile raises BadZipFile, NotImplementedError, zlib.error, ...
        raise WeightsError(f"{what} is damaged ({str(error)[:200]})", hint) from error


def check_members(archive: zipfile.ZipFile, what: str, hint: str) -> None:
    """Check that an archive's members are few, of a plausible size, inside it, and no pickles.

    Args:
        archive: The open archive.
        what: Its name in errors.
        hint: The hint of errors.

    Raises:
        WeightsError: They are not.
    """
    members = archive.infolist()
    names = [member.filename for member in members]
    if len(names) > _MAX_MEMBERS or len(set(names)) < len(names):
        raise WeightsError(
            f"{what} is not a Keras archive: too many members, or duplicate ones", hint
        )
    for member in members:
        name = member.filename
        if (
            name.startswith(("/", "\\"))
            or ":" in name
            or ".." in name.replace("\\", "/").split("/")
        ):
            raise WeightsError(
                f"{what} contains {name!r}, a path outside the archive: refused", hint
            )
        if name.lower().endswith(_PICKLES):
            raise WeightsError(
                f"{what} contains a pickle, {name!r}, which can run code: refused", hint
            )
    limits = {_CONFIG: _LARGEST_CONFIG, _METADATA: _LARGEST_CONFIG}
    for member in members:
        if member.file_size > limits.get(member.filename, _LARGEST_WEIGHTS):
            raise WeightsError(
                f"{what} contains {member.filename!r}, far too large: {member.file_size:,} bytes",
                hint,
            )
    total = sum(member.file_size for member in members)
    if total > _LARGEST_WEIGHTS:
        raise WeightsError(f"{what} is far too large: {total:,} bytes", hint)
    for member in members:  # after checking their sizes
        with archive.open(member) as file:
            if is_pickle(file.read(2)):
                raise WeightsError(
                    f"{what} contains a pickle, {member.filename!r}, which can run code: refused",
                    hint,
                )


def check_config(text: str | bytes, what: str, hint: str) -> None:
    """Check that a model's description in JSON names only layers and functions of Keras.

    Args:
        text: The description.
        what: The name of its file in errors.
        hint: The hint of errors.

    Raises:
        WeightsError: It contains Python code, or names a class or function of another package.
    """
    try:
        config = json.loads(text)
        for found in _objects(config):
            reason = _refused(found)
            if reason:
                raise WeightsError(f"{what} {reason}: refused", hint)
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{what} is damaged: its description is not JSON", hint) from error


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Yield all JSON objects in a value, at any depth."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _refused(found: dict[str, Any]) -> str:
    """Return why an object of a description is refused; empty if it is not."""
    kind, module, registered = (
        str(found.get(name) or "") for name in ("class_name", "module", "registered_name")
    )
    if kind == "__lambda__" or kind.rpartition(">")[2] == "Lambda":
        return "contains a Lambda layer, which is Python code"
    if not ("class_name" in found and "config" in found):
        return ""
    whole = f"{module}."
    is_keras = whole.startswith("keras.") and not any(
        whole.startswith(f"{other}.") for other in _NOT_FOR_MODELS
    )
    # Keras writes its own functions, such as relu, as members of "builtins".
    is_function = module == "builtins" and kind == "function" and _is_plain(found["config"])
    if module and not (is_keras or is_function):
        return f"names {kind[:80]!r} of the module {module[:80]!r}, which is not part of Keras"
    for name in (kind, registered):  # registered by a package: "package>name"
        package, separator, _ = name.rpartition(">")
        if separator and package.lower() != "keras":
            return f"names {name[:80]!r}, which is not part of Keras"
    return ""


def _is_plain(name: Any) -> bool:
    import builtins

    return isinstance(name, str) and name.isidentifier() and not hasattr(builtins, name)


def check_hdf5(source: str | IO[bytes], what: str, hint: str, *, with_config: bool = True) -> None:
    """Check that an HDF5 file is complete, plausible in size, self-contained and free of code.

    Args:
        source: Its path, or the open file.
        what: Its name in errors.
        hint: The hint of errors.
        with_config: Check a model's description in it as well.

    Raises:
        WeightsError: It is not.
    """
    import h5py

    total = 0
    try:
        with h5py.File(source, "r") as content:
            for item in _data_sets(content, what, hint):
                total += _checked_size(item, what, hint)
            config = content.attrs.get("model_config")
    except WeightsError:
        raise
    except Exception as error:  # h5py raises OSError, RuntimeError, KeyError
        text = " ".join(str(error).split())
        kind = "is truncated" if "truncated" in text else f"is damaged ({text[:200]})"
        raise WeightsError(f"{what} {kind}", hint) from error
    if total > _LARGEST_WEIGHTS:
        raise WeightsError(f"{what} is far too large for a network: {total:,} bytes", hint)
    if config is not None and with_config:
        check_config(config if isinstance(config, str | bytes) else str(config), what, hint)


def _data_sets(content: Any, what: str, hint: str) -> Iterator[Any]:
    """Yield the data sets of an HDF5 file; h5py's own walk has no limits of number and depth."""
    import h5py

    waiting, count = [(content, 0)], 0
    while waiting:
        group, depth = waiting.pop()
        count += len(group)
        if count > _MOST_OBJECTS:
            raise WeightsError(
                f"{what} contains more than {_MOST_OBJECTS:,} objects: refused", hint
            )
        if depth > _DEEPEST_GROUP:
            raise WeightsError(
                f"{what} contains more than {_DEEPEST_GROUP} groups in each other: refused", hint
            )
        for name in group.id:  # the low level of h5py takes less time
            link = group.id.links.get_info(name).type
            if link == h5py.h5l.TYPE_EXTERNAL:
                raise WeightsError(f"{what} links to other files: refused", hint)
            if link != h5py.h5l.TYPE_HARD:
                continue
            item = h5py.h5o.open(group.id, name)
            if isinstance(item, h5py.h5d.DatasetID):
                yield h5py.Dataset(item)
            elif isinstance(item, h5py.h5g.GroupID):
                waiting.append((h5py.Group(item), depth + 1))


def _checked_size(item: Any, what: str, hint: str) -> int:
    """Return the bytes that a data set takes when it is read, at least 4 for each number."""
    if item.external or item.is_virtual:
        raise WeightsError(f"{what} refers to data in other files: refused", hint)
    size, chunks = int(item.size or 0), item.chunks
    declared = size * item.dtype.itemsize
    stored = item.id.get_storage_size()
    if declared > _LARGEST_WEIGHTS:
        raise WeightsError(f"{what} is far too large for a network: {declared:,} bytes", hint)
    if declared > stored * _LARGEST_RATIO:
        raise WeightsError(
            f"{what} contains {stored:,} bytes for a data set of {declared:,}: refused", hint
        )
    read_at_once = math.prod(chunks) if chunks and size else 0
    return int(max(size, read_at_once) * max(item.dtype.itemsize, _BYTES_IN_USE))
