"""Give a learned model another head, thresholds and summary, without Keras."""

from __future__ import annotations

import io
import os
import zipfile
from typing import TYPE_CHECKING, Any

from mnv2cli.errors import OutputError, WeightsError
from mnv2cli.models.learned_file import LearnedContent, members
from mnv2cli.system.files import NO_SPACE, AtomicFile
from mnv2cli.system.messages import reason

if TYPE_CHECKING:
    from mnv2cli.models.head import Head

_WEIGHTS = "model.weights.h5"


def rewrite_learned(source: str, target: str, content: LearnedContent) -> None:
    """Write a copy of a learned model with new content beside its place, then move it there.

    Args:
        source: The model; its classes and its network are those of ``content``.
        target: The copy; may be the model itself, which stays unchanged if this fails.
        content: What the copy is.

    Raises:
        OutputError: The copy cannot be written.
        WeightsError: The model is damaged.
    """
    try:
        with open(source, "rb") as file:
            old_bytes = file.read()
    except OSError as error:
        raise WeightsError(f"cannot read the model {source}: {reason(error)}") from error
    new = _rewritten(old_bytes, content, source)
    try:
        part = AtomicFile(os.path.realpath(target), ".keras")
        try:
            part.file.write(new)
            part.commit()
        finally:
            part.discard()
    except OSError as error:
        hint = "Free some space." if error.errno in NO_SPACE else "Name another file with -o."
        raise OutputError(f"cannot write {target}: {reason(error)}", hint) from error


def _rewritten(old_bytes: bytes, content: LearnedContent, source: str) -> bytes:
    own = members(content)
    result = io.BytesIO()
    try:
        with (
            zipfile.ZipFile(io.BytesIO(old_bytes)) as old,
            zipfile.ZipFile(result, "w") as new,
        ):
            for member in old.infolist():
                data = own.get(member.filename) or old.read(member)
                if member.filename == _WEIGHTS:
                    data = _with_head(data, content.head)
                new.writestr(member, data)
    except (zipfile.BadZipFile, ValueError, KeyError, OSError, NotImplementedError) as error:
        raise WeightsError(
            f"the model {source} is damaged: {' '.join(str(error).split())[:200]}",
            "Learn it again with mnv2 learn.",
        ) from error
    return result.getvalue()


def _with_head(weights: bytes, head: Head) -> bytes:
    """Return the weights with another kernel and bias in the layer of the classes."""
    import h5py

    file = io.BytesIO(weights)
    with h5py.File(file, "r+") as layers:
        kernels = _of_shape(layers, head.kernel.shape)
        pairs = [
            (kernel, bias)
            for kernel in kernels
            for bias in _of_shape(layers, head.bias.shape)
            if os.path.dirname(kernel) == os.path.dirname(bias)
        ]
        if len(pairs) != 1:
            raise ValueError("its last layer is not that of its classes")
        kernel, bias = pairs[0]
        layers[kernel][...] = head.kernel
        layers[bias][...] = head.bias
    return file.getvalue()


def _of_shape(layers: Any, shape: tuple[int, ...]) -> list[str]:
    found: list[str] = []

    def visit(name: str, item: Any) -> None:
        if tuple(getattr(item, "shape", ())) == shape:
            found.append(name)

    layers.visititems(visit)
    return found
