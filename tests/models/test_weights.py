from __future__ import annotations

from pathlib import Path

import h5py
import pytest

from mnv2cli.errors import WeightsError
from mnv2cli.models.weights import cache_path, check_file, import_keras, keras_home


def test_files_are_checked_before_keras_sees_them(tmp_path: Path, hdf5: bytes) -> None:
    path = tmp_path / "w.h5"
    path.write_bytes(hdf5)
    check_file(str(path), "hint")
    for data, message in [
        (hdf5[: len(hdf5) // 2], "is truncated"),
        (hdf5[:9], "is damaged"),
        (b"", "is empty"),
        (b"PK\x03\x04", "is not in HDF5 format"),
    ]:
        path.write_bytes(data)
        with pytest.raises(WeightsError, match=message) as caught:
            check_file(str(path), "hint")
        assert str(path) in caught.value.message and caught.value.hint == "hint"
    with pytest.raises(WeightsError, match="cannot read"):
        check_file(str(tmp_path / "none.h5"), "hint")


def test_a_file_that_declares_terabytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", (1 << 40,), "f4", chunks=(1 << 20,))
    with pytest.raises(WeightsError, match="for a network: 4,398,046,511,104 bytes"):
        check_file(str(path), "hint")


def test_keras_home_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert cache_path("w.h5") == str(tmp_path / "models" / "w.h5")
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setenv("HOME", "/home/me")
    assert keras_home() == "/home/me/.keras"


def test_another_backend_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    keras = import_keras()
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(WeightsError, match="with the backend 'torch'"):
        import_keras()
