"""Read PyTorch's old checkpoint files without PyTorch, and without running code in them.

A checkpoint file is a sequence of pickles (a magic number, a version, the writer's machine, the
tensors by name, the list of storage keys) and then, for each key, an int64 count and that many
little-endian numbers. Pickles are programs: Python's own reader calls what they name, and a
malicious file can make it loop or exhaust memory. This reader is a small machine with thirty
instructions, four names and no calls: it can only create numbers, strings, lists and descriptions
of tensors.

Source: ``torch/serialization.py``, ``_legacy_save``, the format before PyTorch 1.6; and Python's
``pickletools`` for the instructions.
"""

from __future__ import annotations

import os
import pickletools
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAGIC = 0x1950A86A20F9469CFC6C
VERSION = 1001
ZIP_SIGNATURE = b"PK\x03\x04"

_MAX_STEPS = 200_000  # a network of a thousand tensors has 40,000
_LARGEST_NUMBER = 1 << 40
_MAX_AXES = 8
_STORAGES = {"torch FloatStorage": "<f4", "torch LongStorage": "<i8"}
_DICT, _TENSOR = "collections OrderedDict", "torch._utils _rebuild_tensor_v2"
_MARK = object()


class _Name(NamedTuple):
    """A name in a pickle; it is never looked up."""

    text: str


class _Storage(NamedTuple):
    """Numbers in the file, identified by a key, that tensors are views of."""

    key: str
    dtype: str
    length: int


class _Tensor(NamedTuple):
    """A view of a storage; offset and strides count numbers, not bytes."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _RefusedError(ValueError):
    """The file requests something that no tensor needs."""


def read_checkpoint(path: str, largest: int) -> dict[str, NDArray[Any]]:
    """Return the tensors of a checkpoint by name, in C order, float32 or int64.

    Args:
        path: The file.
        largest: Maximum size of the file in bytes.

    Raises:
        ValueError: It is not a checkpoint of this format, is truncated, or does not contain only
            tensors. The message is a predicate, to follow a name of the file.
        OSError: It cannot be read.
    """
    size = os.path.getsize(path)
    if size > largest:
        raise ValueError(f"is far too large for these weights: {size:,} bytes")
    with open(path, "rb") as file:
        head = file.read(4)
        if not head:
            raise ValueError("is empty")
        if head == ZIP_SIGNATURE:
            raise ValueError("is in PyTorch's newer ZIP format; only the older format is supported")
        file.seek(0)
        magic = _unpickle(file)
        if not (_is_int(magic) and magic == MAGIC):
            raise ValueError("is not a PyTorch checkpoint")
        version = _unpickle(file)
        if not (_is_int(version) and version == VERSION):
            raise ValueError("has an unknown version")
        machine = _unpickle(file)
        if not (isinstance(machine, dict) and machine.get("little_endian") is True):
            raise ValueError("was not written on a little-endian machine")
        tensors, keys = _unpickle(file), _unpickle(file)
        if not (isinstance(tensors, dict) and isinstance(keys, list)):
            raise ValueError("does not contain tensors by name")
        if not all(isinstance(key, str) for key in keys):
            raise ValueError("does not contain tensors by name")
        if not all(isinstance(tensor, _Tensor) for tensor in tensors.values()):
            raise ValueError("does not contain tensors by name")
        used = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
        numbers = {key: _numbers(file, used.get(key), size) for key in keys}
    arrays = {}
    for name, tensor in tensors.items():
        found = numbers.get(tensor.storage.key)
        if found is None or found.dtype != tensor.storage.dtype:
            raise ValueError(f"lacks the numbers of {name[:100]!r}")
        arrays[name] = _array(name, tensor, found)
    return arrays


def _is_int(value: Any) -> bool:
    return type(value) is int


def _unpickle(file: IO[bytes]) -> Any:
    """Return the object that the next pickle in the file describes."""
    machine = _Machine()
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(file)):
            if count > _MAX_STEPS:
                raise _RefusedError("has far too many instructions")
            machine.step(opcode.name, argument)
        return machine.result()
    except _RefusedError:
        raise
    except Exception as error:  # the file ended, or is invalid
        kind = "is damaged or not a PyTorch checkpoint" if file.read(1) else "is truncated"
        raise ValueError(kind) from error


class _Machine:
    """Executes the instructions of one pickle, which :mod:`pickletools` documents."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def result(self) -> Any:
        (result,) = self._stack
        return result

    def step(self, name: str, argument: Any) -> None:
        stack = self._stack
        if name in ("BININT", "BININT1", "BININT2", "LONG1", "BINUNICODE"):
            stack.append(argument)
        elif name in ("BINPUT", "LONG_BINPUT"):
            self._memo[argument] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(self._memo[argument])
        elif name == "GLOBAL":
            if argument not in (_DICT, _TENSOR, *_STORAGES):
                raise _RefusedError(f"names {argument.replace(' ', '.')[:100]!r}: refused")
            stack.append(_Name(argument))
        elif name in _STEPS:
            _STEPS[name](self)
        elif name not in ("PROTO", "STOP"):
            raise _RefusedError(f"contains the instruction {name}: refused")

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _from_mark(self) -> list[Any]:
        place = len(self._stack) - 1
        while self._stack[place] is not _MARK:
            place -= 1
            if place < 0:
                raise ValueError
        values = self._stack[place + 1 :]
        del self._stack[place:]
        return values

    def _pop(self, count: int) -> list[Any]:
        if count > len(self._stack):
            raise ValueError
        values = self._stack[len(self._stack) - count :]
        del self._stack[len(self._stack) - count :]
        return values

    def _append(self, values: list[Any]) -> None:
        if type(self._stack[-1]) is not list:
            raise ValueError
        self._stack[-1].extend(values)

    def _set(self, values: list[Any]) -> None:
        if type(self._stack[-1]) is not dict or len(values) % 2:
            raise ValueError
        for key, value in zip(values[::2], values[1::2], strict=True):
            if type(key) is not str:
                raise ValueError
            self._stack[-1][key] = value

    def _reduce(self) -> None:
        name, arguments = self._pop(2)
        if type(name) is not _Name or type(arguments) is not tuple:
            raise ValueError
        if name.text == _DICT and not arguments:
            self._push({})
        elif name.text == _TENSOR:
            self._push(_tensor(*arguments))
        else:
            raise _RefusedError("calls a function: refused")

    def _build(self) -> None:
        """Ignore attributes: tensors do not need them here."""
        self._pop(1)
        if type(self._stack[-1]) is not dict:
            raise _RefusedError("sets attributes of an object: refused")

    def _persistent(self) -> None:
        (given,) = self._pop(1)
        kind, name, key, _, count, *view = given
        if type(name) is not _Name or name.text not in _STORAGES or view not in ([], [None]):
            raise _RefusedError("contains tensors of an unknown type")
        if kind != "storage" or type(key) is not str or not _is_size(count):
            raise _RefusedError("contains an invalid tensor")
        self._push(_Storage(key, _STORAGES[name.text], count))


_STEPS: dict[str, Callable[[_Machine], None]] = {
    "MARK": lambda m: m._push(_MARK),
    "NONE": lambda m: m._push(None),
    "NEWTRUE": lambda m: m._push(True),
    "NEWFALSE": lambda m: m._push(False),
    "EMPTY_TUPLE": lambda m: m._push(()),
    "EMPTY_LIST": lambda m: m._push([]),
    "EMPTY_DICT": lambda m: m._push({}),
    "TUPLE": lambda m: m._push(tuple(m._from_mark())),
    "TUPLE1": lambda m: m._push(tuple(m._pop(1))),
    "TUPLE2": lambda m: m._push(tuple(m._pop(2))),
    "TUPLE3": lambda m: m._push(tuple(m._pop(3))),
    "APPEND": lambda m: m._append(m._pop(1)),
    "APPENDS": lambda m: m._append(m._from_mark()),
    "SETITEM": lambda m: m._set(m._pop(2)),
    "SETITEMS": lambda m: m._set(m._from_mark()),
    "REDUCE": _Machine._reduce,
    "BUILD": _Machine._build,
    "BINPERSID": _Machine._persistent,
}


def _is_size(value: Any) -> bool:
    return _is_int(value) and 0 <= value <= _LARGEST_NUMBER


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> _Tensor:
    fits = (
        type(storage) is _Storage
        and type(shape) is type(strides) is tuple
        and len(shape) == len(strides) <= _MAX_AXES
        and all(map(_is_size, (offset, *shape, *strides)))
    )
    if not fits:
        raise _RefusedError("contains an invalid tensor")
    return _Tensor(storage, offset, shape, strides)


def _numbers(file: IO[bytes], storage: _Storage | None, size: int) -> NDArray[Any]:
    import numpy as np

    if storage is None:
        raise ValueError("contains numbers that belong to no tensor")
    count = int.from_bytes(file.read(8), "little")
    dtype = np.dtype(storage.dtype)
    if count != storage.length:
        raise ValueError("is truncated" if file.tell() >= size else "is damaged (counts differ)")
    data = file.read(count * dtype.itemsize) if count <= size else b""
    if len(data) < count * dtype.itemsize:
        raise ValueError("is truncated")
    return np.frombuffer(data, dtype)


def _array(name: str, tensor: _Tensor, numbers: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    if 0 in tensor.shape:
        return np.empty(tensor.shape, numbers.dtype)
    pairs = zip(tensor.shape, tensor.strides, strict=True)
    last = tensor.offset + sum((length - 1) * stride for length, stride in pairs)
    # A stride of 0 repeats numbers, so a few bytes could become any amount of memory.
    count = int(np.prod(tensor.shape, dtype=object))
    if last >= len(numbers) or count > len(numbers):
        raise ValueError(f"contains an invalid tensor {name[:100]!r}: larger than its numbers")
    view: NDArray[np.generic] = np.lib.stride_tricks.as_strided(
        numbers[tensor.offset :],
        tensor.shape,
        [stride * numbers.itemsize for stride in tensor.strides],
        writeable=False,
    )
    return np.ascontiguousarray(view).reshape(tensor.shape)
