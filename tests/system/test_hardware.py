"""Cores, memory, processor and GPU are found without heavy imports."""

from __future__ import annotations

import io
import os
import sys
from types import SimpleNamespace

import pytest

from mnv2cli.system import hardware


def test_a_gpu_is_detected_without_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    existing: set[str] = set()
    monkeypatch.setattr(os.path, "exists", lambda path: path in existing)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert not hardware.may_have_gpu() and not hardware.tensorflow_has_gpu()
    existing.add("/dev/nvidiactl")
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None)
    assert not hardware.may_have_gpu()  # a driver, but no library for TensorFlow
    monkeypatch.setattr("ctypes.util.find_library", lambda name: "libcudnn.so.9")
    assert hardware.may_have_gpu()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert not hardware.may_have_gpu()
    existing.add("/dev/kfd")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    existing.discard("/dev/nvidiactl")
    assert not hardware.may_have_gpu()  # ROCm's driver alone, without TensorFlow for it
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not hardware.may_have_gpu()


def test_cores_and_processor_are_found() -> None:
    name, flags = hardware.processor()
    assert hardware.usable_cores() >= 1
    assert name and (flags or sys.platform != "linux")


@pytest.mark.parametrize(
    ("limit", "wanted"), [("1000000000\n", 10**9), ("max\n", 8 * 10**9), ("9" * 19, 8 * 10**9)]
)
def test_memory_is_limited_by_the_container(
    limit: str, wanted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def of_container(path: str, *args: object, **kwargs: object) -> io.StringIO:
        if path != "/sys/fs/cgroup/memory.max":
            raise FileNotFoundError(path)
        return io.StringIO(limit)

    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(total=8 * 10**9))
    monkeypatch.setattr("builtins.open", of_container)
    assert hardware.memory() == wanted
