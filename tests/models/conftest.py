"""Weights of the networks: intact, damaged or missing."""

from __future__ import annotations

import socket
from pathlib import Path

import h5py
import numpy as np
import pytest

from mnv2cli.models import efficientnet_lite0
from tests.checkpoints import Tensor, checkpoint, random_lite0


@pytest.fixture
def hdf5(tmp_path: Path) -> bytes:
    """A file that HDF5 reads."""
    with h5py.File(tmp_path / "good.h5", "w") as file:
        file["x"] = np.arange(10_000)
    return (tmp_path / "good.h5").read_bytes()


@pytest.fixture(scope="session")
def tensors() -> dict[str, Tensor]:
    """Random weights of EfficientNet-Lite0."""
    return random_lite0()


@pytest.fixture(scope="session")
def lite0_file(tensors: dict[str, Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of the random weights."""
    path = tmp_path_factory.mktemp("lite0") / "w.pth"
    path.write_bytes(checkpoint(tensors))
    return path


@pytest.fixture
def no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Provide no weights and a host that refuses connections; return its URL."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("MNV2_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(efficientnet_lite0, "PACKAGE", "mnv2_no_such_package")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
    monkeypatch.setenv("MNV2_WEIGHTS_URL", url)
    return url
