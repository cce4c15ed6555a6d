"""Weights files that would run code or read other files are refused, and run nothing."""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import Result

from mnv2cli.errors import WeightsError
from mnv2cli.models.mobilenet_v2 import MobileNetV2
from mnv2cli.models.untrusted import check_hdf5
from mnv2cli.models.weights import check_file, import_keras
from tests.conftest import draw


class Malicious:
    """Runs a command when its pickle is read."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.command,)


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    """The file that appears if the attack works."""
    return tmp_path / "was-run"


def lambda_model(marker: Path) -> Any:
    """Return a network whose Lambda layer runs a command."""
    keras = import_keras()
    layer = keras.layers.Lambda(
        eval(f"lambda x: __import__('os').system('touch {marker}') and x or x")
    )
    inputs = keras.Input((32, 32, 3))
    layer.compute_output_shape = lambda shape: shape
    model = keras.Model(inputs, layer(inputs))
    marker.unlink(missing_ok=True)  # building it runs it
    return model


def check_refused(path: Path, message: str) -> None:
    with pytest.raises(WeightsError, match=message) as caught:
        MobileNetV2(alpha=0.35, size=96, weights=str(path)).build()
    assert "\n" not in caught.value.message and str(path) in caught.value.message


def archive(path: Path, config: object = None, **members: bytes) -> Path:
    """Write a ``.keras`` archive with empty weights."""
    weights = io.BytesIO()
    h5py.File(weights, "w").close()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("config.json", json.dumps(config))
        file.writestr("model.weights.h5", weights.getvalue())
        for name, data in members.items():
            file.writestr(name.replace("__", "/"), data)
    return path


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_lambda_layer_is_refused_and_not_run(tmp_path: Path, marker: Path, suffix: str) -> None:
    path = tmp_path / f"evil{suffix}"
    lambda_model(marker).save(path)
    marker.unlink(missing_ok=True)
    check_refused(path, "contains a Lambda layer, which is Python code: refused")
    assert not marker.exists()
    # The attack is real: Keras without safe mode runs the same file.
    import_keras().models.load_model(path, safe_mode=False)
    assert marker.exists()


def test_the_command_refuses_a_lambda_layer_in_one_line(
    tmp_path: Path, marker: Path, invoke: Callable[..., Result]
) -> None:
    path = tmp_path / "evil.keras"
    lambda_model(marker).save(path)
    marker.unlink(missing_ok=True)
    photo = draw(tmp_path / "photo.jpg")
    result = invoke("classify", photo, "--weights", path, "--alpha", "0.35", "--size", "96", "-q")
    assert result.exit_code == 1 and not marker.exists() and result.stdout == ""
    assert result.stderr.splitlines()[0] == (
        f"Error: the weights file {path} contains a Lambda layer, which is Python code: refused"
    )


@pytest.mark.parametrize("name", ["evil.h5", "evil.keras", "evil.hdf5"])
@pytest.mark.parametrize("protocol", [0, 1, 2, 4, 5])
def test_a_pickle_is_refused_and_not_run(
    tmp_path: Path, marker: Path, name: str, protocol: int
) -> None:
    path = tmp_path / name
    path.write_bytes(pickle.dumps(Malicious(f"touch {marker}"), protocol))
    check_refused(
        path, "is a pickle, which can run code" if protocol >= 2 else "is not in HDF5 format"
    )
    assert not marker.exists()
    pickle.loads(path.read_bytes())
    assert marker.exists()


def test_pickles_in_an_archive_are_refused_and_not_run(tmp_path: Path, marker: Path) -> None:
    data = pickle.dumps(Malicious(f"touch {marker}"))
    for name in ("data.pkl", "archive__data.pkl", "A.PICKLE", "assets__innocent.bin"):
        check_refused(
            archive(tmp_path / "evil.keras", **{name: data}), "contains a pickle, .*run code"
        )
    array = io.BytesIO()
    np.save(array, np.array([Malicious(f"touch {marker}")]), allow_pickle=True)
    path = tmp_path / "evil.keras"
    with zipfile.ZipFile(path, "w") as outer:
        npz = io.BytesIO()
        with zipfile.ZipFile(npz, "w") as inner:
            inner.writestr("__root__.npy", array.getvalue())
        outer.writestr("config.json", "{}")
        outer.writestr("model.weights.npz", npz.getvalue())
    check_refused(path, "does not contain model.weights.h5")
    assert not marker.exists()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"class_name": "Lambda", "config": {}}, "contains a Lambda layer"),
        ([{"a": [{"class_name": "__lambda__", "config": {}}]}], "contains a Lambda layer"),
        ({"class_name": "system", "module": "os", "config": "id"}, "'system' of the module 'os'"),
        ({"class_name": "X", "module": "keras_evil", "config": {}}, "module 'keras_evil'"),
        ({"class_name": "function", "module": "builtins", "config": "eval"}, "module 'builtins'"),
        ({"class_name": "function", "module": "builtins", "config": "relu"}, ""),
        (
            {"class_name": "function", "module": "keras.config",
             "config": "enable_unsafe_deserialization"},
            "module 'keras.config'",
        ),
        ({"class_name": "get_file", "module": "keras.utils", "config": {}}, "module 'keras.utils'"),
        ({"class_name": "Mine", "registered_name": "my>Mine", "config": {}}, "names 'my>Mine'"),
        ({"class_name": "my>Mine", "config": {}}, "names 'my>Mine'"),
        ({"class_name": "Conv2D", "module": "keras.layers", "config": {}}, ""),
    ],
)  # fmt: skip
def test_an_archive_may_only_name_parts_of_keras(
    tmp_path: Path, config: object, message: str
) -> None:
    path = str(archive(tmp_path / "own.keras", config))
    if not message:
        check_file(path, "hint")
        return
    with pytest.raises(WeightsError, match=message):
        check_file(path, "hint")


def test_archives_that_are_bombs_or_reach_outside_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "evil.keras"
    check_refused(archive(path, "x" * (17 << 20)), "'config.json', far too large: 17,825,794 bytes")
    for name in ("../out", "/etc/passwd", "a/../../b", "C:\\x", "..\\x"):
        archive(path)
        with zipfile.ZipFile(path, "a") as file:
            file.writestr(name, b"")
        check_refused(path, "a path outside the archive")
    check_refused(archive(path, **{str(i): b"" for i in range(1_000)}), "duplicate ones")
    monkeypatch.setattr("mnv2cli.models.untrusted._LARGEST_WEIGHTS", 1_000_000)
    check_refused(
        archive(path, assets__a=bytes(600_000), assets__b=bytes(600_000)), "is far too large"
    )
    check_refused(archive(path, assets__a=bytes(1_000_001)), "far too large: 1,000,001 bytes")


def test_damaged_archives_are_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "own.keras")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    check_refused(path, "is damaged")
    path.write_bytes(data.replace(b"\x89HDF", b"\x88HDF", 1))
    check_refused(path, "is damaged|does not fit")
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("config.json", "[" * 100_000)
    check_refused(path, "its description is not JSON")
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("model.weights.h5", b"\x89HDF\r\n\x1a\nxxxx")
    check_refused(path, "is damaged")


def test_hdf5_that_reads_other_files_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(400))
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = np.zeros(100, np.float32)
    path = tmp_path / "evil.h5"
    with h5py.File(path, "w") as file:
        file.create_group("a")["link"] = h5py.ExternalLink("other.h5", "/x")
    check_refused(path, "links to other files: refused")
    with h5py.File(path, "w") as file:
        file.create_dataset("x", (100,), "f4", external=[(str(secret), 0, 400)])
    check_refused(path, "refers to data in other files: refused")
    with h5py.File(path, "w") as file:
        layout = h5py.VirtualLayout((100,), "f4")
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "x", (100,))
        file.create_virtual_dataset("x", layout)
    check_refused(path, "refers to data in other files: refused")
    inner = path.read_bytes()
    with zipfile.ZipFile(tmp_path / "evil.keras", "w") as outer:
        outer.writestr("model.weights.h5", inner)
    check_refused(tmp_path / "evil.keras", "refers to data in other files: refused")


def test_hdf5_that_declares_more_data_than_it_contains_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "evil.h5"
    for shape, kind in (((12_288, 80_000), "i1"), ((100,), "f4")):
        with h5py.File(path, "w") as file:
            file.create_dataset("x", shape, kind, chunks=(100,) * len(shape))
        check_refused(path, "contains 0 bytes for a data set of ")
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=np.zeros(1 << 22, "i1"), compression="gzip", chunks=True)
        file.create_dataset("y", data=np.zeros(0), maxshape=(None,))
        file["z"] = h5py.Empty("f4")
        file["w"] = 1.0
    check_hdf5(str(path), "it", "")  # honest compression, and data sets without data


def test_hdf5_with_too_many_numbers_is_refused_whatever_their_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mnv2cli.models.untrusted._LARGEST_WEIGHTS", 1_000_000)
    path = tmp_path / "evil.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.ones(300_000, "i1")
    check_refused(path, "is far too large for a network: 1,200,000 bytes")
    with h5py.File(path, "w") as file:
        file.create_dataset("x", (1,), "f4", data=[1], maxshape=(None,), chunks=(300_000,),
                            compression="gzip")  # fmt: skip
    check_refused(path, "is far too large for a network: 1,200,000 bytes")


def test_hdf5_with_groups_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "evil.h5"
    with h5py.File(path, "w") as file:
        file.create_group("/".join(["a"] * 3000))
    check_refused(path, "contains more than 64 groups in each other")
    with h5py.File(path, "w") as file:
        file.create_group("a")["again"] = file["/"]
    check_refused(path, "contains more than 64 groups in each other")
    with h5py.File(path, "w") as file:
        for number in range(3):
            for other in range(7000):
                file[f"{number}/{other}"] = h5py.SoftLink("/x")
    check_refused(path, "contains more than 20,000 objects")


def test_valid_files_of_keras_are_accepted(tmp_path: Path, model: Any) -> None:
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    for name in ("own.keras", "own.h5", "own.weights.h5"):
        path = tmp_path / name
        (model.save_weights if "weights" in name else model.save)(path)
        loaded = MobileNetV2(alpha=0.35, size=96, weights=str(path)).build()
        for ours, theirs in zip(model.weights, loaded.weights, strict=True):
            assert np.array_equal(ours, theirs)


def test_checking_imports_no_keras(tmp_path: Path) -> None:
    path = archive(tmp_path / "own.keras", {"class_name": "Lambda", "config": {}})
    code = (
        "import sys; sys.path[:] = sys.argv[2:]\n"
        "from mnv2cli.models.weights import check_file\n"
        "try: check_file(sys.argv[1], '')\n"
        "except Exception as error: print(error)\n"
        "print(*{'keras', 'tensorflow'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code, str(path), *sys.path]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.stdout.rstrip().endswith("contains a Lambda layer, which is Python code: refused")
