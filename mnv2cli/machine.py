"""What this machine has: cores, and a GPU or not; found without heavy imports."""

from __future__ import annotations

import os
import sys
from importlib.metadata import PackageNotFoundError, version


def usable_cores() -> int:
    """Return how many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def may_have_gpu() -> bool:
    """Tell whether TensorFlow could have a GPU here; if not, it need not be asked.

    Looked at are the device files of the drivers (NVIDIA, also in WSL; AMD) and, on macOS, whether
    Apple's plug-in is installed. TensorFlow has no GPU on Windows itself since 2.11.
    """
    if sys.platform == "darwin":
        return _is_installed("tensorflow-metal")
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0") in ("", "-1"):
        return False
    nvidia = any(map(os.path.exists, ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg")))
    return nvidia or (os.path.exists("/dev/kfd") and _is_installed("tensorflow-rocm"))


def tensorflow_has_gpu() -> bool:
    """Ask TensorFlow itself, which costs its import, but only where it could say yes."""
    if not may_have_gpu():
        return False
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def _is_installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True
