"""The processor and the memory."""

from __future__ import annotations

import platform
from collections.abc import Iterator

from mnv2cli.diagnostics.doctor.check import Check, gigabytes
from mnv2cli.system.hardware import memory, processor, usable_cores

_LITTLE_MEMORY = 2_000_000_000  # compiling with TensorFlow takes 1.3 GB
_SHOWN_FLAGS = ("avx", "avx2", "avx512f", "avx_vnni", "avx512_vnni", "asimddp")


def check_machine() -> Iterator[Check]:
    """Yield checks of the processor and the memory."""
    yield _check_processor()
    yield _check_memory()


def _check_processor() -> Check:
    name, flags = processor()
    known = [flag for flag in _SHOWN_FLAGS if flag in flags]
    text = f"{name}, {platform.machine()}, {usable_cores()} cores"
    if known:
        text += f" ({', '.join(known)})"
    if flags and platform.machine() in ("x86_64", "AMD64") and "avx" not in flags:
        return Check(
            "Machine",
            "processor",
            "fail",
            text,
            "TensorFlow requires AVX: use another machine, or a virtual machine that exposes AVX.",
        )
    return Check("Machine", "processor", "ok", text)


def _check_memory() -> Check:
    size = memory()
    if size < _LITTLE_MEMORY:
        return Check(
            "Machine",
            "memory",
            "warn",
            gigabytes(size),
            "Compiling a network needs 1.3 GB, a run 0.15 GB: run mnv2 models compile on a similar "
            "machine, and copy its cache folder here.",
        )
    return Check("Machine", "memory", "ok", gigabytes(size))
