"""``mnv2 models``: list, download, path, import, compile, clean, show."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import h5py
import pytest
from click.testing import Result

from mnv2cli.engines.cache import Compiled, cache_folder, describe_entry, entry_key
from mnv2cli.engines.litert import LiteRTEngine
from mnv2cli.models import download as downloads
from mnv2cli.models import efficientnet_lite0
from mnv2cli.models.mobilenet_v2 import MobileNetV2
from tests.checkpoints import checkpoint, random_lite0
from tests.conftest import WEIGHTS
from tests.hosts import Handler, answer, host, trickle

Invoke = Callable[..., Result]
SMALL = ("--alpha", "0.35", "--size", "96")


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Provide no weights and no cache; return the folder of the weights."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("MNV2_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MNV2_WEIGHTS_URL", "http://127.0.0.1:9/")
    monkeypatch.setattr(efficientnet_lite0, "PACKAGE", "mnv2_no_such_package")
    return tmp_path / "keras" / "models"


@pytest.fixture
def good(home: Path) -> bytes:
    return (home / "models" / WEIGHTS).read_bytes()


def one_line(result: Result) -> str:
    """Check that a command failed with one error, and return its line."""
    assert result.exit_code in (1, 2) and "Traceback" not in result.output
    line = next(line for line in result.stderr.splitlines() if line.startswith("Error: "))
    assert result.stdout == ""
    return line


# list


def test_list_shows_all_networks_and_what_is_missing(empty: Path, invoke: Invoke) -> None:
    rows = json.loads(invoke("models", "list", "--json").stdout)
    assert len(rows) == 26 and not any(row["weights"] for row in rows)
    first = rows[0]
    assert (first["model"], first["size"], first["top1"]) == ("mobilenet_v2_0.35_96", 96, 45.5)
    assert first["missing"] == "mnv2 models download --alpha 0.35 --size 96"
    missing = {row["model"]: row["missing"] for row in rows}
    assert missing["efficientnet_lite0"] == "pip install 'mnv2cli[offline]'"
    assert missing["convnext_tiny"] == "mnv2 models download convnext_tiny"
    shown = invoke("models", "list").stdout
    assert "71.8%" in shown and str(empty) in shown
    assert "Install efficientnet_lite0: pip install 'mnv2cli[offline]'" in shown
    assert "…" not in shown and max(map(len, shown.splitlines()[:29])) <= 80


def test_list_shows_where_weights_are_and_what_is_compiled(
    empty: Path, good: bytes, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty.mkdir(parents=True)
    (empty / WEIGHTS).write_bytes(good)
    (empty / efficientnet_lite0.FILE_NAME).write_bytes(b"x" * 2_000_000)
    rows = {r["model"]: r for r in json.loads(invoke("models", "list", "--json").stdout)}
    assert rows["mobilenet_v2_0.35_96"]["weights"] == str(empty / WEIGHTS)
    assert rows["mobilenet_v2_0.35_96"]["missing"] is None
    assert rows["mobilenet_v2_0.35_96"]["compiled"] == []
    assert rows["efficientnet_lite0"]["weights"].endswith(".pth")
    done = invoke("models", "compile", *SMALL)
    assert done.exit_code == 0 and os.path.isdir(done.stdout.strip())
    again = invoke("models", "compile", *SMALL)
    assert again.stdout == done.stdout
    rows = {r["model"]: r for r in json.loads(invoke("models", "list", "--json").stdout)}
    assert rows["mobilenet_v2_0.35_96"]["compiled"] == ["float32"]
    assert "float32" in invoke("models", "list").stdout
    # A model compiled from other weights does not count.
    (empty / WEIGHTS).write_bytes(good + b"\0")
    rows = {r["model"]: r for r in json.loads(invoke("models", "list", "--json").stdout)}
    assert rows["mobilenet_v2_0.35_96"]["compiled"] == []

    # Clean removes it, and nothing else.
    other = Path(cache_folder()) / "photos"
    other.mkdir()
    (other / "meta.json").write_text("mine")
    assert "Would remove 1 compiled model, " in invoke("models", "clean", "--dry-run").stderr
    assert os.path.isdir(done.stdout.strip())
    assert "Removed 1 compiled model, " in invoke("models", "clean").stderr
    assert os.listdir(other.parent) == ["photos"] and (other / "meta.json").exists()


def test_list_shows_what_is_compiled_for_accurate(
    empty: Path, good: bytes, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, accurate = MobileNetV2(alpha=0.35), MobileNetV2(alpha=0.35, accurate=True)
    empty.mkdir(parents=True)
    Path(plain.cached).write_bytes(good)
    for network, precision in ((plain, "float32"), (accurate, "float32")):
        entry = Path(cache_folder()) / entry_key(network, precision, None)  # type: ignore[arg-type]
        entry.mkdir(parents=True)
        (entry / "model.tflite").write_bytes(b"TFL3")
        describe_entry(str(entry), network, 1, ["model.tflite"])
    rows = {r["model"]: r for r in json.loads(invoke("models", "list", "--json").stdout)}
    assert rows["mobilenet_v2_0.35_224"]["compiled"] == ["float32", "float32 accurate"]
    assert rows["mobilenet_v2_0.35_96"]["compiled"] == []
    lines = invoke("models", "list").stdout.splitlines()
    (number,) = (i for i, line in enumerate(lines) if "0.35_224" in line)
    assert lines[number].rstrip().endswith(" float32") and lines[number + 1].split() == [
        "--accurate"
    ]


def test_accurate_is_compiled_ahead_or_refused(
    random_weights: None, monkeypatch: pytest.MonkeyPatch, invoke: Invoke, tmp_path: Path
) -> None:
    opened: list[Any] = []

    def fake(options: Any, network: Any, *args: Any) -> LiteRTEngine:
        opened.append(network)
        engine = LiteRTEngine.__new__(LiteRTEngine)
        engine.compiled = Compiled(str(tmp_path / "x" / "model.tflite"), "", 0, 1.0, 0.0)
        engine.workers = engine.at_once = 1
        engine.precision = "float32"
        return engine

    monkeypatch.setattr("mnv2cli.inference.classifier.open_engine", fake)
    monkeypatch.setattr("mnv2cli.inference.classifier.available", lambda model, **kwargs: model)
    result = invoke("models", "compile", "--accurate")
    assert result.exit_code == 0 and result.stdout == f"{tmp_path / 'x'}\n"
    assert [network.size for network in opened] == [256]
    assert "mobilenet_v2_1.0_224_accurate float32" in result.stderr
    assert "--accurate cannot be combined with --size" in one_line(
        invoke("models", "compile", "--accurate", "--size", "96")
    )


def test_compile_names_what_is_missing(empty: Path, invoke: Invoke) -> None:
    assert "connection refused" in one_line(invoke("models", "compile"))
    assert "requires --calibrate DIR" in one_line(
        invoke("models", "compile", "--precision", "int8")
    )
    assert "not installed" in one_line(invoke("models", "compile", "efficientnet_lite0"))


def test_compile_into_a_cache_that_cannot_be_written_is_an_error(
    random_weights: None, monkeypatch: pytest.MonkeyPatch, invoke: Invoke
) -> None:
    engine = LiteRTEngine.__new__(LiteRTEngine)
    engine.compiled = Compiled("model", "", 0, 1.0, 0.0, temporary=object())
    monkeypatch.setattr("mnv2cli.inference.classifier.open_engine", lambda *args, **kwargs: engine)
    result = invoke("models", "compile", *SMALL)
    assert result.exit_code == 1 and "cannot store the compiled model in" in result.stderr
    assert "MNV2_CACHE" in result.stderr and result.stdout == ""


# download


def test_download_takes_the_published_name_from_a_mirror(
    empty: Path, good: bytes, invoke: Invoke
) -> None:
    requested: list[str] = []

    def handle(request: BaseHTTPRequestHandler) -> None:
        requested.append(request.path)
        answer(good)(request)

    with host(handle) as url:
        folder = url.rpartition("/")[0]
        result = invoke("models", "download", *SMALL, "--from", f"{folder}/mirror")
        assert result.exit_code == 0, result.output
        assert requested == [f"/mirror/{WEIGHTS}"] and (empty / WEIGHTS).read_bytes() == good
        assert str(empty / WEIGHTS) in result.stderr
        assert "already exists" in invoke("models", "download", *SMALL, "--from", folder).stderr
        invoke("models", "download", *SMALL, "--from", f"{folder}/x/my.h5", "--refresh")
        assert requested[1:] == ["/x/my.h5"]
    assert invoke("models", "path", *SMALL).stdout.strip() == str(empty / WEIGHTS)


def test_download_honours_the_mirror_of_the_environment(
    empty: Path, good: bytes, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    with host(answer(good)) as url:
        monkeypatch.setenv("MNV2_WEIGHTS_URL", url.rpartition("/")[0])
        assert invoke("models", "download", *SMALL).exit_code == 0
    assert (empty / WEIGHTS).read_bytes() == good


def redirect_loop(request: BaseHTTPRequestHandler) -> None:
    request.send_response(302)
    request.send_header("Location", request.path)
    request.end_headers()


def other_width(tmp_path: Path) -> bytes:
    from keras.src.legacy.saving import legacy_h5_format

    from mnv2cli.models.mobilenet_v2 import MobileNetV2

    with h5py.File(tmp_path / "other.h5", "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(
            file, MobileNetV2(alpha=0.5, size=96).build_untrained()
        )
    return (tmp_path / "other.h5").read_bytes()


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("slow", "did not answer within 1 seconds"),
        (answer(b"", 404), "the host answered 404 Not Found"),
        (answer(b"", 500), "the host answered 500 Internal Server Error"),
        (answer(b"\x89HDF\r\n\x1a\n" + b"x" * 90, length=5000), "the connection ended after 98 of"),
        (answer(b"<html>Please log in</html>"), "is a web page"),
        ("other", "does not fit MobileNetV2 0.35 (96 x 96)"),
        (redirect_loop, "302"),
    ],
    ids=["slow", "404", "500", "cut", "page", "other", "loop"],
)
def test_a_failed_download_leaves_nothing_and_a_later_one_works(
    empty: Path,
    tmp_path: Path,
    good: bytes,
    invoke: Invoke,
    monkeypatch: pytest.MonkeyPatch,
    bad: Handler | str,
    message: str,
) -> None:
    monkeypatch.setattr(downloads, "TIMEOUT", 1.0)
    release = threading.Event()
    if bad == "slow":
        handler = trickle(release, seconds=10, length=9_000_000)
    elif bad == "other":
        handler = answer(other_width(tmp_path))
    else:
        assert callable(bad)
        handler = bad
    with host(handler) as url:
        monkeypatch.setenv("MNV2_WEIGHTS_URL", url.rpartition("/")[0])
        result = invoke("models", "download", *SMALL)
        assert result.exit_code == 1 and message in result.stderr and "Error: " in result.stderr
        assert f"to    {empty / WEIGHTS}" in result.stderr and "Traceback" not in result.output
    assert not release.is_set()  # nothing waited for the slow host
    release.set()
    assert os.listdir(empty) == []
    with host(answer(good)) as url:
        monkeypatch.setenv("MNV2_WEIGHTS_URL", url.rpartition("/")[0])
        assert invoke("models", "download", *SMALL).exit_code == 0
    assert os.listdir(empty) == [WEIGHTS]


def test_download_all_continues_after_a_failure(
    empty: Path, good: bytes, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    def only_small(request: BaseHTTPRequestHandler) -> None:
        found = request.path.endswith(WEIGHTS)
        answer(good if found else b"", 200 if found else 404)(request)

    with host(only_small) as url:
        monkeypatch.setenv("MNV2_WEIGHTS_URL", url.rpartition("/")[0])
        result = invoke("models", "download", "--all")
    assert result.exit_code == 1 and "cannot download 21 of 22 weights files" in result.stderr
    assert os.listdir(empty) == [WEIGHTS]
    assert result.stderr.count("Warning: ") == 21


def test_lite0_is_downloaded_from_a_mirror(empty: Path, invoke: Invoke) -> None:
    assert "come in a package" in one_line(invoke("models", "download", "efficientnet_lite0"))
    with host(answer(checkpoint(random_lite0()))) as url:
        folder = url.rpartition("/")[0]
        result = invoke("models", "download", "efficientnet_lite0", "--from", folder)
    assert result.exit_code == 0, result.output
    assert os.listdir(empty) == [efficientnet_lite0.FILE_NAME]


def test_usage_errors_say_what_to_do(empty: Path, invoke: Invoke) -> None:
    for args, message in [
        (["download", "--all", "--alpha", "0.5"], "--all cannot be combined with --alpha"),
        (["download", "--all", "--from", "http://h/w.h5"], "--from names one file"),
        (["download", "--from", "ftp://h/"], "cannot download weights from"),
        (["download", "resnet"], "'resnet' is not one of"),
        (["path", "--alpha", "0.4"], "no weights are published"),
        (["show", "--markdown", "--json"], "cannot be combined with --json"),
        (["import", "none.h5"], "does not exist"),
    ]:
        result = invoke("models", *args)
        assert result.exit_code == 2 and message in result.stderr


# path and import


def test_path_prints_the_path_of_missing_weights_and_exits_1(empty: Path, invoke: Invoke) -> None:
    result = invoke("models", "path", *SMALL)
    assert result.exit_code == 1 and result.stdout.strip() == str(empty / WEIGHTS)
    assert "mnv2 models download --alpha 0.35 --size 96" in result.stderr


def test_import_copies_a_checked_file_under_its_name(
    empty: Path, tmp_path: Path, good: bytes, invoke: Invoke
) -> None:
    source = tmp_path / WEIGHTS
    source.write_bytes(good)
    assert invoke("models", "import", source).exit_code == 0
    assert (empty / WEIGHTS).read_bytes() == good and source.exists()
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE((empty / WEIGHTS).stat().st_mode) == 0o666 & ~umask
    assert "already exists" in invoke("models", "import", source).stderr
    assert "means --alpha" in one_line(invoke("models", "import", source, "--alpha", "0.5"))
    (empty / WEIGHTS).write_bytes(b"another")
    assert "already exists with different content" in one_line(invoke("models", "import", source))
    assert invoke("models", "import", source, "--force").exit_code == 0
    assert (empty / WEIGHTS).read_bytes() == good


def test_import_accepts_other_names_with_alpha_and_size(
    empty: Path, tmp_path: Path, good: bytes, invoke: Invoke
) -> None:
    source = tmp_path / "mine.h5"
    source.write_bytes(good)
    assert "add --alpha and --size" in one_line(invoke("models", "import", source))
    assert invoke("models", "import", source, *SMALL).exit_code == 0
    assert os.listdir(empty) == [WEIGHTS]


@pytest.mark.parametrize("kind", ["cut", "text", "width", "checkpoint"])
def test_import_refuses_files_that_do_not_fit(
    empty: Path, tmp_path: Path, good: bytes, invoke: Invoke, kind: str
) -> None:
    source = tmp_path / "mine.h5"
    options: tuple[str, ...] = SMALL
    message = {"cut": "is truncated", "text": "is not in HDF5", "width": "does not fit"}.get(kind)
    if kind == "cut":
        source.write_bytes(good[: len(good) // 2])
    elif kind == "text":
        source.write_text("weights")
    elif kind == "width":
        source.write_bytes(good)
        options = ("--alpha", "0.5", "--size", "96")
    else:
        source, options, message = tmp_path / "lite0.pth", (), "is truncated"
        source.write_bytes(checkpoint(random_lite0())[:-9])
    result = invoke("models", "import", source, *options)
    line = one_line(result)
    assert message and message in line and f"the file {source}" in line
    assert not empty.exists() or os.listdir(empty) == []


# clean and show


def test_clean_asks_before_it_removes_weights(empty: Path, good: bytes, invoke: Invoke) -> None:
    empty.mkdir(parents=True)
    (empty / WEIGHTS).write_bytes(good)
    (empty / "mine.h5").write_text("mine")
    result = invoke("models", "clean", "--weights", input="n\n")
    assert result.exit_code == 1 and (empty / WEIGHTS).exists() and WEIGHTS in result.stderr
    assert invoke("models", "clean", "--weights", "--dry-run").exit_code == 0
    assert (empty / WEIGHTS).exists()
    assert "Removed 1 weights file, " in invoke("models", "clean", "--weights", "--yes").stderr
    assert os.listdir(empty) == ["mine.h5"]


def test_clean_keeps_a_model_that_is_being_compiled(empty: Path, invoke: Invoke) -> None:
    from filelock import FileLock

    cache = Path(cache_folder())
    (cache / ("mnv2-" + "a" * 32 + ".tmp1")).mkdir(parents=True)
    (cache / ("mnv2-" + "b" * 32 + ".tmp1")).mkdir()
    with FileLock(cache / ("mnv2-" + "a" * 32 + ".lock")):
        assert "Removed 1 compiled model, " in invoke("models", "clean").stderr
    assert (cache / ("mnv2-" + "a" * 32 + ".tmp1")).exists() and not (
        cache / ("mnv2-" + "b" * 32 + ".tmp1")
    ).exists()
    shutil.rmtree(cache)
    assert "Removed 0 compiled models, 0 bytes" in invoke("models", "clean").stderr


def test_show_counts_batch_norms_where_there_are_some(empty: Path, invoke: Invoke) -> None:
    assert "34,112 means and variances" in invoke("models", "show").stdout
    shown = invoke("models", "show", "convnext_tiny").stdout
    assert "multiply-adds" in shown and "batch norms" not in shown


def test_show_imports_neither_tensorflow_nor_keras() -> None:
    code = (
        "import sys\nfrom mnv2cli.cli import main\n"
        "main(['models', 'show'], standalone_mode=False)\n"
        "print(*{'numpy', 'tensorflow', 'keras'} & set(sys.modules), file=sys.stderr)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "300,774,272 multiply-adds" in run.stdout and run.stderr.strip() == ""


def test_show_prints_a_table_markdown_and_json(empty: Path, invoke: Invoke) -> None:
    shown: dict[str, Any] = json.loads(invoke("models", "show", *SMALL, "--json").stdout)
    assert shown["model"] == "mobilenet_v2_0.35_96" and shown["stages"][0]["size"] == 96
    assert sum(stage["multiply_adds"] for stage in shown["stages"]) == shown["multiply_adds"]
    text = invoke("models", "show", *SMALL).stdout
    assert "bottleneck" in text and f"{shown['parameters']:,} parameters" in text
    assert "Linear bottlenecks" in text and max(map(len, text.splitlines())) <= 80
    lines = invoke("models", "show", *SMALL, "--markdown").stdout.splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 2 + len(shown["stages"]) and len({row.count("|") for row in rows}) == 1
    assert invoke("models", "show", "efficientnet_lite0").stdout.startswith("EfficientNet-Lite0")


def test_clean_removes_cached_features(
    photos: Path, monkeypatch: pytest.MonkeyPatch, invoke: Invoke
) -> None:
    from mnv2cli.inference.feature_cache import FeatureCache

    monkeypatch.setenv("MNV2_CACHE", str(photos.parent / "cache"))
    photo = str(photos / "img2.jpg")
    FeatureCache("network", 8).close()
    assert "Would remove the cached features" in invoke("models", "clean", "--dry-run").stderr
    assert "Removed the cached features of photos, " in invoke("models", "clean").stderr
    assert "features" not in invoke("models", "clean").stderr
    assert FeatureCache("network", 8).find(photo) is None
