"""What this machine has: cores, and a GPU or not; found without heavy imports."""

from __future__ import annotations

import os
import sys
from ctypes.util import find_library
from importlib.metadata import PackageNotFoundError, distributions, version


def usable_cores() -> int:
    """Return how many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def may_have_gpu() -> bool:
    """Tell whether TensorFlow could have a GPU here; if not, it need not be asked.

    Looked at are the device files of the drivers (NVIDIA, also in WSL; AMD), then the library
    without which TensorFlow cannot use them, and on macOS whether Apple's plug-in is installed.
    TensorFlow has no GPU on Windows itself since 2.11.
    """
    if sys.platform == "darwin":
        return _is_installed("tensorflow-metal")
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0") in ("", "-1"):
        return False
    if any(map(os.path.exists, ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg"))):
        return _has_cudnn()
    return os.path.exists("/dev/kfd") and _is_installed("tensorflow-rocm")


def tensorflow_has_gpu() -> bool:
    """Ask TensorFlow itself, which costs its import, but only where it could say yes."""
    if not may_have_gpu():
        return False
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def _has_cudnn() -> bool:
    """Look for cuDNN where ``pip install tensorflow[and-cuda]`` or the system puts it."""
    if any((d.metadata["Name"] or "").startswith("nvidia-cudnn") for d in distributions()):
        return True
    return find_library("cudnn") is not None


def _is_installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True
