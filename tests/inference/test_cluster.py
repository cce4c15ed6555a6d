"""Runs on a Ray cluster of this machine: the same rows as at home, whatever dies."""

from __future__ import annotations

import gc
import os
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from mnv2cli.engines.options import EngineOptions
from mnv2cli.errors import InputError, WeightsError
from mnv2cli.images.options import ImageOptions
from mnv2cli.inference.classifier import Classifier
from mnv2cli.inference.cluster.classifier import ClusterClassifier
from mnv2cli.inference.cluster.connection import is_address
from mnv2cli.inference.cluster.protocol import ClusterError
from mnv2cli.inference.options import ClassifierOptions
from mnv2cli.inference.timings import Timings
from mnv2cli.labels.options import LabelOptions
from mnv2cli.models.mobilenet_v2 import MobileNetV2
from mnv2cli.records import Record, Source
from tests.conftest import draw
from tests.inference.fake_cluster import KILLER, KILLS_ONCE, RAISES, SLOW, Deadly, open_fake

ray = pytest.importorskip("ray")

ROOT = Path(__file__).parents[2]
LOCAL = {"RAY_AUTH_TOKEN": "0" * 64, "RAY_USAGE_STATS_ENABLED": "0"}
pytestmark = [
    # Ray tells of its future at its start.
    pytest.mark.filterwarnings("ignore::FutureWarning:ray"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def ray_here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A Ray of two cores in this process, for all tests of this file."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in LOCAL.items():
            patch.setenv(name, value)
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("MNV2_TEST_ONCE", str(tmp_path_factory.mktemp("once")))
        ray.init(
            address="local",
            num_cpus=2,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="CRITICAL",
        )
        yield
        with warnings.catch_warnings():  # of Ray's own processes, which it does not wait for
            warnings.simplefilter("ignore", ResourceWarning)
            ray.shutdown()
            gc.collect()


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake network at home and in the workers."""
    monkeypatch.setattr(
        "mnv2cli.inference.classifier.open_engine", lambda *args, **kwargs: Deadly()
    )
    monkeypatch.setattr("mnv2cli.inference.classifier.available", lambda model, **kwargs: model)
    monkeypatch.setattr(MobileNetV2, "identity", lambda self: {})
    monkeypatch.setattr("mnv2cli.inference.cluster.worker.open_classifier", open_fake)


def many(folder: Path, count: int = 100) -> Path:
    for i in range(count):
        draw(folder / f"{i}.png", (i, 9, 0), (4, 4))
    return folder


def workers(**options: int) -> ClusterClassifier:
    return ClusterClassifier(options=ClassifierOptions(engine=EngineOptions(**options)))  # type: ignore[arg-type]


@pytest.mark.usefixtures("ray_here", "fakes")
def test_rows_and_their_order_are_those_of_a_local_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = many(Path("photos"))
    (folder / "20a.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    (folder / "50a.jpg").write_text("a text")
    (folder / "60a.png").symlink_to("nowhere")
    with open(b"photos/70\xff.png", "wb") as file:
        file.write((folder / "7.png").read_bytes())
    options = ClassifierOptions(
        labels=LabelOptions(top=3, category=True, rollup=0.5),
        engine=EngineOptions(batch_size=8),
        images=ImageOptions("pad"),
    )
    inputs = [str(folder), "missing.jpg", str(tmp_path / "photos" / "3.png")]
    home = list(Classifier(**options.keywords()).classify(*inputs))
    away = list(ClusterClassifier(options=options).classify(*inputs))
    assert away == home
    assert len(away) == 105
    assert sum(bool(record.error) for record in away) == 4
    assert away[0].path == os.path.join("photos", "0.png")


@pytest.mark.usefixtures("ray_here", "fakes")
def test_positions_timings_and_errors_of_the_finder_cross_over(tmp_path: Path) -> None:
    path = str(draw(tmp_path / "a.png", (1, 9, 0)))
    sources = [Source(path, position=7), Source("x", "folder cannot be listed: why", 9)]
    timings = Timings()
    classifier = workers(threads=1)
    first, second = classifier.run(iter(sources), timings)
    assert (first.path, first.position, second.position) == (path, 7, 9)
    assert second.error == "folder cannot be listed: why"
    assert timings.decoding > 0 and timings.predicting > 0 and timings.loading > 0
    assert classifier.about == "mobilenet_v2_1.0_224, litert float32, 1 Ray worker"


@pytest.mark.usefixtures("ray_here", "fakes")
def test_a_worker_killed_in_the_middle_loses_nothing(tmp_path: Path) -> None:
    folder = many(tmp_path)
    draw(folder / "30.png", (KILLS_ONCE, 9, 0), (4, 4))
    away = list(workers(batch_size=8).classify(folder))
    assert Path(os.environ["MNV2_TEST_ONCE"], "killed").exists()
    assert away == list(Classifier().classify(folder))


@pytest.mark.usefixtures("ray_here", "fakes")
def test_a_photo_that_kills_its_worker_three_times_is_an_error(tmp_path: Path) -> None:
    folder = many(tmp_path, 20)
    draw(folder / "13.png", (KILLER, 9, 0), (4, 4))
    away = list(workers(batch_size=4).classify(folder))
    draw(folder / "13.png", (13, 9, 0), (4, 4))
    home = list(Classifier().classify(folder))
    assert away[13] == Record(
        str(folder / "13.png"), error="killed its worker: three times", model=home[0].model
    )
    assert away[:13] + away[14:] == home[:13] + home[14:]


@pytest.mark.usefixtures("ray_here", "fakes")
def test_what_a_worker_lacks_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(tmp_path / "a.png")
    with monkeypatch.context() as patch:
        patch.setattr(MobileNetV2, "identity", lambda self: {"missing": True})
        with pytest.raises(WeightsError) as told:
            list(workers(threads=1).classify(tmp_path))
    assert (told.value.message, told.value.hint) == (
        "this machine has no weights",
        "Bring them there.",
    )
    draw(tmp_path / "b.png", (RAISES, 0, 0), (4, 4))
    with pytest.raises(ClusterError, match="met RuntimeError: what nobody foresaw"):
        list(workers(threads=1).classify(tmp_path))


# The command, in a process of its own

FAKE = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from tests.inference.fake_cluster import install
install({})
import mnv2cli.cli
mnv2cli.cli.run()
"""


def start(*args: str, **kwargs: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", FAKE, "classify", *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        **kwargs,
    )


@pytest.mark.usefixtures("fakes")
def test_the_command_writes_the_rows_of_a_local_run_and_nothing_of_rays(
    tmp_path: Path, invoke: Callable[..., Result]
) -> None:
    folder = many(tmp_path / "photos", 20)
    (folder / "3.png").write_text("a text")
    process = start(str(folder), "--threads", "1", "--ray")
    stdout, stderr = process.communicate(timeout=120)
    home = invoke("classify", str(folder), "-q", "-f", "csv")
    assert stdout == home.stdout
    assert process.returncode == home.exit_code == 4
    lines = {line.split()[0]: line for line in stderr.splitlines()}
    assert stderr.startswith("Images     20 in ")
    assert "litert float32, 1 Ray worker, loaded in " in lines["Model"]
    assert set(lines) <= {"Images", "Unreadable", "Model", "Work"}
    assert "workers" not in lines["Work"]


@pytest.mark.usefixtures("ray_here")
def test_sigint_leaves_whole_rows_in_a_run_on_a_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in LOCAL.items():
        monkeypatch.setenv(name, value)
    out = tmp_path / "out.csv"
    for i in range(200):
        draw(tmp_path / f"{i}.png", (SLOW, 9, 0), (4, 4))
    address = ray.get_runtime_context().gcs_address
    process = start(str(tmp_path), "-o", str(out), "--batch-size", "4", f"--ray={address}")
    deadline = time.monotonic() + 90
    while not (out.exists() and out.stat().st_size > 300) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    rows = len(out.read_text().splitlines()) - 1
    assert 0 < rows < 200
    assert f"Images     {rows} in " in stderr and ", then interrupted\n" in stderr
    assert "Traceback" not in stderr


# Addresses


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("", True), ("auto", True), ("10.0.0.1:6379", True), ("ray://head:10001", True),
     ("[::1]:6379", True), ("photos", False), ("head", False), ("http://head:8265", False),
     ("C:\\photos", False), ("./a:1", False)],
)  # fmt: skip
def test_addresses_are_told_from_paths(text: str, is_one: bool) -> None:
    assert is_address(text) == is_one


def test_a_path_taken_for_the_address_is_told(photos: Path, invoke: Callable[..., Result]) -> None:
    result = invoke("classify", "--ray", "photos")
    assert result.exit_code == 2
    assert "--ray takes 'photos' for the address" in result.stderr
    assert "--ray=ADDRESS" in result.stderr and "put --ray last" in result.stderr


def test_values_that_a_cluster_cannot_use_are_told(
    photos: Path, invoke: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    result = invoke("classify", "photos", "--precision", "int8", "--ray")
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "Error: int8 on a cluster needs photos to calibrate on that all machines see",
        "Name a folder of typical photos with --calibrate.",
    ]
    with pytest.raises(InputError, match="is no address"):
        ClusterClassifier("photos")
    monkeypatch.setattr("mnv2cli.inference.cluster.classifier.find_spec", lambda name: None)
    result = invoke("classify", "photos", "--ray")
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "Error: Ray is not installed",
        "Install it with: pip install 'mnv2cli[ray]'",
    ]


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_a_cluster_that_is_not_there_is_one_clear_error(photos: Path, scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"{scheme}127.0.0.1:{server.getsockname()[1]}"
    process = start("photos", "-q", f"--ray={address}", cwd=photos.parent)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    first, second = stderr.splitlines()
    assert first == f"Error: no Ray cluster can be reached at {address}: Connection refused"
    assert second.startswith("Is it running (ray start --head)")
