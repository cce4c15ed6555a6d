"""Read PyTorch's old checkpoint files without PyTorch, and without running what they ask for.

Such a file is a row of pickles (a magic number, a version, the writer's machine, the tensors by
name, the list of storage keys) and then, for each key, an int64 count and so many little-endian
numbers. Pickles can name any function to be called. Here they are first read through without being
run: instructions that tensors do not need are refused. Then only four names are known, and none of
them does more than take a tensor's description.

Source: ``torch/serialization.py``, ``_legacy_save``; the format before PyTorch 1.6.
"""

from __future__ import annotations

import io
import os
import pickle
import pickletools
from collections import OrderedDict
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAGIC = 0x1950A86A20F9469CFC6C
VERSION = 1001
ZIP_SIGNATURE = b"PK\x03\x04"

_OPCODES = {
    "APPEND", "APPENDS", "BINGET", "BININT", "BININT1", "BININT2", "BINPERSID", "BINPUT",
    "BINUNICODE", "BUILD", "EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE", "GLOBAL", "LONG1",
    "LONG_BINGET", "LONG_BINPUT", "MARK", "NEWFALSE", "NEWTRUE", "NONE", "PROTO", "REDUCE",
    "SETITEM", "SETITEMS", "STOP", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3",
}  # fmt: skip
_MOST_OPCODES = 200_000  # a network of a thousand tensors has 40,000
_LARGEST_MEMO = 200_000  # the reader makes room for so many at once
_STORAGES = {"FloatStorage": "<f4", "LongStorage": "<i8"}


@dataclass(frozen=True)
class _Storage:
    """Numbers in the file, known by a key, that tensors are views of."""

    key: str
    dtype: str
    count: int


@dataclass(frozen=True)
class _Tensor:
    """A view of a storage; in numbers, not in bytes."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_checkpoint(path: str, largest: int) -> dict[str, NDArray[Any]]:
    """Return the tensors of a checkpoint by name, in C order, float32 or int64.

    Args:
        path: The file.
        largest: Bytes that the file may have at the most.

    Raises:
        ValueError: It is no such checkpoint, is cut short, or asks for anything but tensors. Its
            text says what is wrong, as the end of "the file ...".
        OSError: It cannot be read.
    """
    size = os.path.getsize(path)
    if size > largest:
        raise ValueError(f"has {size:,} bytes, far more than such weights")
    with open(path, "rb") as file:
        head = file.read(4)
        if not head:
            raise ValueError("is empty")
        if head == ZIP_SIGNATURE:
            raise ValueError("is a newer PyTorch file (a zip archive); the older format is read")
        file.seek(0)
        if _unpickle(file) != MAGIC:
            raise ValueError("is not a PyTorch checkpoint")
        if (version := _unpickle(file)) != VERSION:
            raise ValueError(f"has the unknown version {str(version)[:20]}")
        machine = _unpickle(file)
        if not (isinstance(machine, dict) and machine.get("little_endian") is True):
            raise ValueError("was not written on a little-endian machine")
        tensors, keys = _unpickle(file), _unpickle(file)
        if not (isinstance(tensors, OrderedDict) and isinstance(keys, list)):
            raise ValueError("does not hold tensors by name")
        used = {t.storage.key: t.storage for t in tensors.values() if isinstance(t, _Tensor)}
        numbers = {key: _numbers(file, used.get(key), size) for key in keys}
    arrays = {}
    for name, tensor in tensors.items():
        if not (isinstance(name, str) and isinstance(tensor, _Tensor)):
            raise ValueError("does not hold tensors by name")
        if tensor.storage.key not in numbers:
            raise ValueError(f"lacks the numbers of {name[:100]!r}")
        arrays[name] = _array(name, tensor, numbers[tensor.storage.key])
    return arrays


class _RefusedError(ValueError):
    """The file asks for what no tensor needs."""


class _Unpickler(pickle.Unpickler):
    """Knows four names, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]  # a text: it cannot be called
        raise _RefusedError(f"asks for {f'{module}.{name}'[:100]!r}: refused")

    def persistent_load(self, given: Any) -> _Storage:
        kind, dtype, key, _, count, *view = given
        if kind != "storage" or dtype not in _STORAGES.values() or view not in ([], [None]):
            raise _RefusedError("has tensors of an unknown kind")
        if not (isinstance(key, str) and isinstance(count, int) and count >= 0):
            raise _RefusedError("describes a tensor wrongly")
        return _Storage(key, dtype, count)


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> _Tensor:
    numbers = (offset, *shape, *strides)
    if not (isinstance(storage, _Storage) and len(shape) == len(strides) <= 8):
        raise _RefusedError("describes a tensor wrongly")
    if not all(isinstance(n, int) and n >= 0 for n in numbers):
        raise _RefusedError("describes a tensor wrongly")
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


def _unpickle(file: IO[bytes]) -> Any:
    start = file.tell()
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(file)):
            if opcode.name == "GLOBAL":
                # Named here, so that even a refused instruction before it hides nothing.
                _Unpickler(io.BytesIO()).find_class(*str(argument).split(" ", 1))
            elif opcode.name not in _OPCODES:
                raise _RefusedError(f"has the instruction {opcode.name}: refused")
            elif opcode.name.endswith("BINPUT") and (argument or 0) > _LARGEST_MEMO:
                raise _RefusedError("has a number in it that would take all memory")
            if count > _MOST_OPCODES:
                raise _RefusedError("has far too many instructions")
        end = file.tell()
        file.seek(start)
        return _Unpickler(io.BytesIO(file.read(end - start))).load()
    except _RefusedError:
        raise
    except Exception as error:  # a pickle can make its readers raise anything
        kind = "is damaged, or no PyTorch checkpoint" if file.read(1) else "is cut short"
        raise ValueError(kind) from error


def _numbers(file: IO[bytes], storage: _Storage | None, size: int) -> NDArray[Any]:
    import numpy as np

    if storage is None:
        raise ValueError("has numbers that belong to no tensor")
    count = int.from_bytes(file.read(8), "little")
    dtype = np.dtype(storage.dtype)
    if count != storage.count:
        raise ValueError("is cut short" if file.tell() >= size else "is damaged (counts differ)")
    data = file.read(count * dtype.itemsize) if count <= size else b""
    if len(data) < count * dtype.itemsize:
        raise ValueError("is cut short")
    return np.frombuffer(data, dtype)


def _array(name: str, tensor: _Tensor, numbers: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    if 0 in tensor.shape:
        return np.empty(tensor.shape, numbers.dtype)
    pairs = zip(tensor.shape, tensor.strides, strict=True)
    last = tensor.offset + sum((length - 1) * stride for length, stride in pairs)
    # A stride of 0 repeats numbers: a few bytes would become any amount of memory.
    count = int(np.prod(tensor.shape, dtype=object))
    if last >= len(numbers) or count > len(numbers):
        raise ValueError(f"describes {name[:100]!r} as larger than its numbers")
    view: NDArray[np.generic] = np.lib.stride_tricks.as_strided(
        numbers[tensor.offset :],
        tensor.shape,
        [stride * numbers.itemsize for stride in tensor.strides],
        writeable=False,
    )
    return np.ascontiguousarray(view).reshape(tensor.shape)
