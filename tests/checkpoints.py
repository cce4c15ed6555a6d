"""Write checkpoints in PyTorch's old format without PyTorch, valid and invalid ones."""

from __future__ import annotations

import pickle
import sys
import types
from collections import OrderedDict
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from mnv2cli.models.efficientnet_lite0 import EfficientNetLite0

MAGIC = 0x1950A86A20F9469CFC6C


class Storage:
    """A storage in the pickle; its content follows the pickle."""

    def __init__(self, key: str, kind: str, numbers: NDArray[Any]) -> None:
        self.key, self.kind, self.numbers = key, kind, numbers


class Tensor:
    """Pickles like PyTorch's tensors, as a call of ``torch._utils._rebuild_tensor_v2``."""

    def __init__(
        self,
        storage: Storage,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        offset: int = 0,
    ) -> None:
        self.arguments: tuple[Any, ...] = (storage, offset, shape, strides, False, OrderedDict())

    def __reduce__(self) -> tuple[Any, ...]:
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.arguments


def tensor(key: str, array: NDArray[Any]) -> Tensor:
    """Return a tensor whose storage holds an array's memory unchanged, transposed or not."""
    base = array if array.base is None else array.base
    assert isinstance(base, np.ndarray) and base.flags.c_contiguous
    kind = {"f": "FloatStorage", "i": "LongStorage"}[array.dtype.kind]
    strides = tuple(stride // array.itemsize for stride in array.strides)
    return Tensor(Storage(key, kind, base.ravel()), array.shape, strides)


def dump(content: Any) -> bytes:
    """Pickle with PyTorch's names, without PyTorch."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for kind in ("FloatStorage", "LongStorage", "HalfStorage"):
        setattr(torch, kind, type(kind, (), {"__module__": "torch"}))

    def _rebuild_tensor_v2(*args: Any) -> None: ...

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2  # type: ignore[attr-defined]

    class Pickler(pickle.Pickler):
        def persistent_id(self, item: Any) -> Any:
            if not isinstance(item, Storage):
                return None
            kind = getattr(torch, item.kind)
            return ("storage", kind, item.key, "cpu", len(item.numbers), None)

    stream = BytesIO()
    with mock.patch.dict(sys.modules, {"torch": torch, "torch._utils": utils}):
        Pickler(stream, protocol=2).dump(content)
    return stream.getvalue()


def checkpoint(
    tensors: dict[str, Any],
    *,
    state: bytes | None = None,
    edit: Callable[[dict[str, bytes]], None] = lambda parts: None,
) -> bytes:
    """Return a complete file.

    Args:
        tensors: By name.
        state: A pickle that replaces that of the tensors.
        edit: Changes the parts ``magic``, ``version``, ``machine``, ``state``, ``keys`` and
            ``numbers`` before they are joined.
    """
    storages = {t.arguments[0].key: t.arguments[0] for t in tensors.values()}
    keys = sorted(storages)
    numbers = b"".join(
        len(storages[key].numbers).to_bytes(8, "little") + storages[key].numbers.tobytes()
        for key in keys
    )
    parts = {
        "magic": dump(MAGIC),
        "version": dump(1001),
        "machine": dump({"protocol_version": 1001, "little_endian": True, "type_sizes": {}}),
        "state": state if state is not None else dump(OrderedDict(tensors)),
        "keys": dump(keys),
        "numbers": numbers,
    }
    edit(parts)
    return b"".join(parts.values())


def random_lite0(seed: int = 0) -> dict[str, Tensor]:
    """Return tensors of EfficientNet-Lite0's names and shapes with small random numbers."""
    from mnv2cli.models.efficientnet_lite0 import _architecture

    random = np.random.default_rng(seed)
    tensors: dict[str, Tensor] = {}

    def add(name: str, array: NDArray[Any]) -> None:
        tensors[name] = tensor(str(len(tensors)), array)

    for layer in _architecture().layers:
        if not layer.weights:
            continue
        prefix = ".".join(p if p.isdigit() else f"_{p}" for p in layer.name.split("-"))
        kind = type(layer).__name__
        if kind == "BatchNormalization":
            size = layer.weights[0].shape[0]
            for part in ("weight", "running_var"):
                add(f"{prefix}.{part}", random.uniform(0.5, 1.5, size).astype("f4"))
            for part in ("bias", "running_mean"):
                add(f"{prefix}.{part}", random.normal(0, 0.1, size).astype("f4"))
            add(f"{prefix}.num_batches_tracked", np.array([7]))
            continue
        shape = tuple(layer.weights[0].shape)
        # In Keras's memory order but with PyTorch's axes, so that strides are not sorted.
        array = random.normal(0, (2 / np.prod(shape[:-1])) ** 0.5, shape).astype("f4")
        axes = {2: (1, 0), 4: (2, 3, 0, 1) if kind == "DepthwiseConv2D" else (3, 2, 0, 1)}
        add(f"{prefix}.weight", array.transpose(axes[array.ndim]))
        if len(layer.weights) > 1:
            add(f"{prefix}.bias", np.zeros(shape[-1], "f4"))
    return tensors


def place_lite0(lite0_file: Path) -> None:
    """Copy a checkpoint of EfficientNet-Lite0 to its place in Keras's cache."""
    target = Path(EfficientNetLite0().cached)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.symlink_to(lite0_file)
