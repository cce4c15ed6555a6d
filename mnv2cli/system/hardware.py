"""Cores, memory, processor and GPU of this machine, without heavy imports."""

from __future__ import annotations

import os
import platform
import sys

from mnv2cli.system.native_stderr import without_routine_messages
from mnv2cli.system.packages import installed_names, is_installed

NO_CUDNN = "GPU found, but cuDNN is not installed"


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def may_have_gpu() -> bool:
    """Return whether TensorFlow could use a GPU here; does not import TensorFlow."""
    return not why_no_gpu()


def why_no_gpu() -> str:
    """Return why TensorFlow cannot use a GPU here; empty if it could.

    This checks the device files of the drivers (NVIDIA, including WSL; AMD), then the library that
    TensorFlow requires to use them; on macOS it checks for Apple's plug-in. TensorFlow does not
    support GPUs on native Windows since version 2.11.
    """
    if sys.platform == "darwin":
        return "" if is_installed("tensorflow-metal") else "tensorflow-metal is not installed"
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0") in ("", "-1"):
        return "CUDA_VISIBLE_DEVICES hides all GPUs"
    if any(map(os.path.exists, ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg"))):
        return "" if _has_cudnn() else f"{NO_CUDNN}: pip install 'tensorflow[and-cuda]'"
    if os.path.exists("/dev/kfd"):
        return "" if is_installed("tensorflow-rocm") else "tensorflow-rocm is not installed"
    return "no GPU driver found"


def tensorflow_has_gpu() -> bool:
    """Return whether TensorFlow can use a GPU; imports TensorFlow if a GPU is possible."""
    if not may_have_gpu():
        return False
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with without_routine_messages():
        import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def memory() -> int:
    """Return the bytes of memory that this process may use: of the machine or its container."""
    import psutil

    total = int(psutil.virtual_memory().total)
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            with open(path, encoding="ascii") as file:
                total = min(total, int(file.read()))
        except (OSError, ValueError):  # no such file, or "max"
            continue
    return total


def processor() -> tuple[str, set[str]]:
    """Return the processor's name, and its instruction sets if the system lists them (Linux)."""
    name, flags = platform.processor() or platform.machine(), set()
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                key, _, value = line.partition(":")
                if key.strip() == "model name":
                    name = value.strip()
                elif key.strip() in ("flags", "Features"):
                    flags = set(value.split())
                    break
    except OSError:
        pass
    return name, flags


def _has_cudnn() -> bool:
    """Return whether ``pip install tensorflow[and-cuda]`` or the system has installed cuDNN."""
    if any(name.startswith("nvidia-cudnn") for name in installed_names()):
        return True
    from ctypes.util import find_library

    return find_library("cudnn") is not None
