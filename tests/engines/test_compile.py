"""Compiling with the real export and random weights, and a damaged cache."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mnv2cli import Classifier
from mnv2cli.engines import EngineOptions, compile, export, litert, open_engine
from mnv2cli.engines.cache import cache_folder, entry_key, open_entry
from mnv2cli.engines.calibration import Calibration
from mnv2cli.engines.compile import find_or_compile
from mnv2cli.engines.keras_engine import KerasEngine
from mnv2cli.engines.litert import LiteRTEngine
from mnv2cli.errors import CompileError
from mnv2cli.events import RunEvents
from mnv2cli.models.mobilenet_v2 import MobileNetV2
from mnv2cli.models.options import ModelOptions
from tests.conftest import draw

pytestmark = [
    pytest.mark.usefixtures("random_weights"),
    pytest.mark.skipif(not litert.is_available(), reason="LiteRT has no wheel here"),
]

ROOT = Path(__file__).parents[2]
RUN = "from mnv2cli.cli import run; run()"

SMALL = ModelOptions(alpha=0.35, size=96)


def network(**options: Any) -> MobileNetV2:
    return MobileNetV2(alpha=0.35, size=96, **options)


def images(n: int) -> NDArray[np.uint8]:
    return np.random.default_rng(n).integers(0, 256, (n, 96, 96, 3), np.uint8)


@pytest.fixture(scope="module")
def entry(home: Path) -> Path:
    """The compiled model that most tests share."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_HOME", str(home))
        find_or_compile(network(), "float32", None, lambda text: None)
        return Path(cache_folder()) / entry_key(network(), "float32", None)


@pytest.fixture
def notices() -> list[str]:
    return []


@pytest.fixture
def no_export(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compile, "export", lambda *_: pytest.fail("compiled again"))


@pytest.fixture
def copied(entry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The entry in a separate cache, and a quick export that copies it."""
    files = {path.name: path.read_bytes() for path in entry.iterdir()}

    def copy(model: Any, network: Any, images: Any, folder: str) -> None:
        for name, data in files.items():
            (Path(folder) / name).write_bytes(data)

    monkeypatch.setattr(compile, "export", copy)
    monkeypatch.setattr(MobileNetV2, "build", lambda self: None)
    monkeypatch.setenv("MNV2_CACHE", str(tmp_path / "cache"))
    copy(None, None, None, str(_created(tmp_path / "cache" / entry.name)))
    return tmp_path / "cache" / entry.name


def _created(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def test_scores_are_those_of_keras(entry: Path) -> None:
    lite = open_engine(EngineOptions("litert"), network())
    keras = open_engine(EngineOptions("keras"), network())
    assert isinstance(lite, LiteRTEngine) and isinstance(keras, KerasEngine)
    batch = images(5)
    scores = lite.predict(batch)
    assert scores.shape == (5, 1000) and scores.dtype == np.float32
    np.testing.assert_allclose(scores, keras.predict(batch), atol=1e-5)
    for i in range(5):
        assert np.array_equal(lite.predict(batch[i : i + 1])[0], scores[i])


@pytest.mark.usefixtures("no_export")
def test_an_entry_is_opened_without_compiling_again(entry: Path, notices: list[str]) -> None:
    assert find_or_compile(network(), "float32", None, notices.append).model.startswith(str(entry))
    assert notices == []
    assert sorted(p.name for p in entry.iterdir()) == ["meta.json", "model.tflite"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda entry: (entry / "model.tflite").write_bytes(b"TFL3"),
        lambda entry: (entry / "model.tflite").unlink(),
        lambda entry: (entry / "meta.json").write_text("{"),
        lambda entry: (entry / "meta.json").write_text('{"files": {"../../x": "y"}}'),
        lambda entry: (entry / "meta.json").unlink(),
        lambda entry: _edit(entry, '"scores": 1', '"scores": 0'),
        lambda entry: os.truncate(entry / "model.tflite", 100_000),
    ],
)
def test_a_damaged_entry_is_detected_and_compiled_again(
    copied: Path, notices: list[str], damage: Any
) -> None:
    damage(copied)
    assert open_entry(str(copied)) is None
    assert find_or_compile(network(), "float32", None, notices.append).model.startswith(str(copied))
    assert open_entry(str(copied)) is not None
    assert len(notices) == 1 and "float32, once" in notices[0]


def _edit(entry: Path, old: str, new: str) -> None:
    text = (entry / "meta.json").read_text()
    assert old in text or new in text
    (entry / "meta.json").write_text(
        text.replace(old, new) if old in text else text.replace(new, old)
    )


def test_old_entries_are_removed_for_new_ones(copied: Path, notices: list[str]) -> None:
    for i in range(40):
        other = _created(copied.with_name(f"mnv2-{i:032x}"))
        (other / "meta.json").write_text("{}")
        os.utime(other / "meta.json", (i, i))
    foreign = _created(copied.with_name("photos"))  # the cache folder may contain other files
    (foreign / "meta.json").write_text("{}")
    os.utime(foreign / "meta.json", (0, 0))
    (copied / "meta.json").unlink()
    find_or_compile(network(), "float32", None, notices.append)
    kept = {path.name for path in copied.parent.iterdir() if path.is_dir()}
    assert len(kept) == 25 and {copied.name, f"mnv2-{39:032x}", "photos"} <= kept
    assert f"mnv2-{0:032x}" not in kept
    for name in kept - {copied.name}:
        shutil.rmtree(copied.parent / name)


def test_int8_without_a_readable_image_still_gives_rows(
    entry: Path, tmp_path: Path, notices: list[str]
) -> None:
    (tmp_path / "bad.jpg").write_text("text")
    classifier = Classifier(
        model=SMALL, engine=EngineOptions(precision="int8"), events=RunEvents(notices.append)
    )
    (record,) = classifier.classify(tmp_path)
    assert record.error == "not an image: a text file"
    assert classifier.load().precision == "float32" and "Using --precision float32" in notices[-1]


def test_leftovers_of_killed_processes_are_removed(copied: Path, notices: list[str]) -> None:
    leftover = _created(copied.with_name(f"{copied.name}.tmpdead"))
    (leftover / "model.tflite").write_bytes(b"half")
    (copied / "meta.json").unlink()
    find_or_compile(network(), "float32", None, notices.append)
    assert sorted(p.name for p in copied.parent.iterdir()) == [copied.name, f"{copied.name}.lock"]


@pytest.mark.parametrize("where", ["file in the way", "full disk"])
def test_a_cache_that_cannot_be_written_gives_a_notice(
    copied: Path, notices: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, where: str
) -> None:
    if where == "file in the way":
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("MNV2_CACHE", str(tmp_path / "file" / "cache"))
    else:
        monkeypatch.setenv("MNV2_CACHE", str(tmp_path / "full"))
        copy = compile.export  # type: ignore[attr-defined]

        def full(model: Any, network: Any, images: Any, folder: str) -> None:
            copy(model, network, images, folder)
            if folder.startswith(str(tmp_path / "full")):
                raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(compile, "export", full)
    found = find_or_compile(network(), "float32", None, notices.append)
    assert os.path.exists(found.model) and not found.model.startswith(str(tmp_path / "full"))
    assert "this run only: cannot write to" in notices[-1]
    if where == "full disk":
        assert [p.suffix for p in (tmp_path / "full").iterdir()] == [".lock"]


def test_a_full_disk_falls_back_to_keras(
    copied: Path, notices: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(compile, "export", full)
    (copied / "meta.json").unlink()
    monkeypatch.setattr("mnv2cli.engines.keras_engine.KerasEngine", lambda network: "keras")
    opened: Any = open_engine(EngineOptions("auto"), network(), notify=notices.append)
    assert opened == "keras"
    assert "Using the keras engine, which is slower" in notices[-1]
    with pytest.raises(CompileError, match="no space left"):
        open_engine(EngineOptions("litert"), network())


def test_an_export_that_does_not_score_like_keras_is_not_kept(entry: Path, tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes((entry / "model.tflite").read_bytes())

    def other(batch: Any, training: bool) -> NDArray[np.float32]:
        return np.eye(1000, dtype=np.float32)[: len(batch)]

    with pytest.raises(CompileError, match="differ from Keras"):
        export.prove(other, network(), None, str(tmp_path))


def test_int8_is_calibrated_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, notices: list[str]
) -> None:
    monkeypatch.setenv("MNV2_CACHE", str(tmp_path / "cache"))
    for i in range(60):
        draw(tmp_path / "typical" / f"{i}.png", (4 * i, 255 - 4 * i, 100))
    (tmp_path / "typical" / "bad.jpg").write_bytes(b"")
    engine = EngineOptions(precision="int8", calibrate=str(tmp_path / "typical"))
    classifier = Classifier(model=SMALL, engine=engine, events=RunEvents(notices.append))
    records = list(classifier.classify(tmp_path / "typical" / "3.png"))
    assert records[0].status == "ok" and len(notices) == 1 and "int8" in notices[0]
    (kept,) = (p for p in (tmp_path / "cache").iterdir() if p.is_dir())
    meta = json.loads((kept / "meta.json").read_text())
    assert sorted(meta["files"]) == ["head.tflite", "model.tflite"]
    assert (kept / "model.tflite").stat().st_size < 2_000_000
    scores = classifier.load().predict(images(3))
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-3)
    again = Classifier(model=SMALL, engine=engine)
    monkeypatch.setattr(compile, "export", lambda *_: pytest.fail("compiled again"))
    assert list(again.classify(tmp_path / "typical" / "3.png")) == records


def test_int8_on_few_images_is_not_kept(copied: Path, notices: list[str]) -> None:
    few = Calibration("x", lambda: images(3))
    find_or_compile(network(), "int8", few, notices.append)
    assert "Calibrating int8 on 3 images only" in notices[0]
    assert [p.name for p in copied.parent.iterdir() if p.is_dir()] == [copied.name]
    with pytest.raises(CompileError, match="no readable image"):
        find_or_compile(network(), "int8", Calibration("", lambda: images(0)), notices.append)


# Processes


def start(cache: Path, out: Path, photo: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RUN, "classify", str(photo), "-o", str(out), "--force",
         "--alpha", "0.35", "--size", "96"],
        stderr=subprocess.PIPE, text=True, env={**os.environ, "MNV2_CACHE": str(cache)},
    )  # fmt: skip


def test_killed_and_simultaneous_compiles_leave_one_valid_entry(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    photo = draw(tmp_path / "a.png")
    killed = start(cache, tmp_path / "k.csv", photo)
    deadline = time.monotonic() + 60
    while not list(cache.glob("*.tmp*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert list(cache.glob("*.tmp*")) and not (tmp_path / "k.csv").exists()

    both = [start(cache, tmp_path / f"{i}.csv", photo) for i in range(2)]
    outputs = [process.communicate(timeout=300)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("Compiling" in text for text in outputs) == 1
    assert (tmp_path / "0.csv").read_text() == (tmp_path / "1.csv").read_text()
    assert [open_entry(str(p)) is not None for p in cache.iterdir() if p.is_dir()] == [True]

    # A run on the compiled model imports no heavy library.
    code = (
        "import sys\nfrom mnv2cli.cli import main\ntry: main()\n"
        "finally: print(*sorted({m.partition('.')[0] for m in sys.modules}))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, "classify", str(photo), "-o", str(tmp_path / "w.csv"),
         "--alpha", "0.35", "--size", "96"],
        capture_output=True, text=True, check=True,
        env={**os.environ, "MNV2_CACHE": str(cache)},
    )  # fmt: skip
    modules = set(result.stdout.split())
    assert "ai_edge_litert" in modules
    assert not modules & {"tensorflow", "keras", "pandas", "h5py", "pyarrow"}
    assert (tmp_path / "w.csv").read_text() == (tmp_path / "0.csv").read_text()
