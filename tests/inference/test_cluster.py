"""Runs on a Ray cluster of this machine give the rows of a local run, even if workers die."""

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
from threading import Thread
from typing import Any

import pytest
from click.testing import Result

from mnv2cli.engines.options import EngineOptions
from mnv2cli.errors import InputError, WeightsError
from mnv2cli.events import RunEvents
from mnv2cli.images.options import ImageOptions
from mnv2cli.inference.classifier import Classifier
from mnv2cli.inference.cluster.classifier import ClusterClassifier
from mnv2cli.inference.cluster.connection import is_address
from mnv2cli.inference.cluster.job import Job, Resources, Tally
from mnv2cli.inference.cluster.protocol import ClusterError, JobSpec, open_batch
from mnv2cli.inference.options import ClassifierOptions
from mnv2cli.inference.timings import Timings
from mnv2cli.labels.options import LabelOptions
from mnv2cli.models import ModelOptions, open_model
from mnv2cli.models.mobilenet_v2 import MobileNetV2
from mnv2cli.records import Record, Source
from tests.conftest import draw
from tests.inference.fake_cluster import KILLER, KILLS_ONCE, RAISES, SLOW, Deadly, open_fake

ray = pytest.importorskip("ray")

ROOT = Path(__file__).parents[2]
LOCAL = {"RAY_AUTH_TOKEN": "0" * 64, "RAY_USAGE_STATS_ENABLED": "0"}
pytestmark = [
    # Ray announces future changes when it starts.
    pytest.mark.filterwarnings("ignore::FutureWarning:ray"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def local_ray(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Ray on two cores, started from this process once for all tests of this module."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in LOCAL.items():
            patch.setenv(name, value)
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("MNV2_TEST_ONCE", str(tmp_path_factory.mktemp("once")))
        before = signal.getsignal(signal.SIGTERM)
        ray.init(
            address="local",
            num_cpus=2,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="CRITICAL",
        )
        signal.signal(signal.SIGTERM, before)  # Ray's handler ends the process of all tests
        yield
        with warnings.catch_warnings():  # Ray does not wait for its processes to end
            warnings.simplefilter("ignore", ResourceWarning)
            ray.shutdown()
            gc.collect()


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the fake network in this process and in the workers."""
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


@pytest.mark.usefixtures("local_ray", "fakes")
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
    local = list(Classifier(**options.keywords()).classify(*inputs))
    remote = list(ClusterClassifier(options=options).classify(*inputs))
    assert remote == local
    assert len(remote) == 105
    assert sum(bool(record.error) for record in remote) == 4
    assert remote[0].path == os.path.join("photos", "0.png")


@pytest.mark.usefixtures("local_ray", "fakes")
def test_positions_timings_and_errors_of_the_finder_reach_the_records(tmp_path: Path) -> None:
    path = str(draw(tmp_path / "a.png", (1, 9, 0)))
    sources = [Source(path, position=7), Source("x", "folder cannot be listed: why", 9)]
    timings = Timings()
    classifier = workers(threads=1)
    first, second = classifier.run(iter(sources), timings)
    assert (first.path, first.position, second.position) == (path, 7, 9)
    assert second.error == "folder cannot be listed: why"
    assert timings.decoding > 0 and timings.predicting > 0 and timings.loading > 0
    assert classifier.about == "mobilenet_v2_1.0_224, litert float32, 1 Ray worker"


@pytest.mark.usefixtures("local_ray", "fakes")
def test_what_the_run_waits_for_is_reported_before_the_first_row(tmp_path: Path) -> None:
    draw(tmp_path / "a.png", (1, 9, 0))
    texts: list[str] = []
    options = ClassifierOptions(engine=EngineOptions(threads=2))
    for address, first in (
        ("", "Starting Ray on this machine …"),
        ("head:6379", "Connecting to the Ray cluster at head:6379 …"),
    ):
        texts.clear()
        records = ClusterClassifier(address, options, RunEvents(status=texts.append)).classify(
            tmp_path
        )
        next(records)
        assert texts == [first, "Loading the network on 2 workers …"]
        records.close()


@pytest.mark.usefixtures("local_ray", "fakes")
def test_work_is_submitted_without_waiting_for_a_worker(tmp_path: Path) -> None:
    class Occupant:
        def ready(self) -> None:
            pass

    occupants = [ray.remote(num_cpus=1)(Occupant).remote() for _ in range(2)]
    ray.get([occupant.ready.remote() for occupant in occupants])
    tally = ray.remote(num_cpus=0)(Tally).remote()
    spec = JobSpec(open_fake, ClassifierOptions(), {}, str(tmp_path))
    job = Job(spec, tally, Resources(1, 8))
    path = str(draw(tmp_path / "a.png", (1, 9, 0)))
    thread = Thread(target=job.start, args=([Source(path)], 0), daemon=True)
    thread.start()
    thread.join(20)
    is_waiting = thread.is_alive()
    for occupant in occupants:
        ray.kill(occupant)
    thread.join()
    assert not is_waiting
    ((number, content),) = job.next()
    assert (number, open_batch(content).records[0].path) == (0, path)
    job.close()


@pytest.mark.usefixtures("local_ray", "fakes")
def test_a_killed_worker_loses_no_row(tmp_path: Path) -> None:
    folder = many(tmp_path)
    draw(folder / "30.png", (KILLS_ONCE, 9, 0), (4, 4))
    remote = list(workers(batch_size=8).classify(folder))
    assert Path(os.environ["MNV2_TEST_ONCE"], "killed").exists()
    assert remote == list(Classifier().classify(folder))


@pytest.mark.usefixtures("local_ray", "fakes")
def test_a_photo_that_kills_its_worker_three_times_is_an_error(tmp_path: Path) -> None:
    folder = many(tmp_path, 20)
    draw(folder / "13.png", (KILLER, 9, 0), (4, 4))
    remote = list(workers(batch_size=4).classify(folder))
    draw(folder / "13.png", (13, 9, 0), (4, 4))
    local = list(Classifier().classify(folder))
    assert remote[13] == Record(
        str(folder / "13.png"), error="killed its worker: three times", model=local[0].model
    )
    assert remote[:13] + remote[14:] == local[:13] + local[14:]


@pytest.mark.usefixtures("local_ray", "fakes")
def test_an_error_of_a_worker_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(tmp_path / "a.png")
    with monkeypatch.context() as patch:
        patch.setattr(MobileNetV2, "identity", lambda self: {"missing": True})
        with pytest.raises(WeightsError) as raised:
            list(workers(threads=1).classify(tmp_path))
    assert (raised.value.message, raised.value.hint) == (
        "this machine has no weights",
        "Copy them there.",
    )
    draw(tmp_path / "b.png", (RAISES, 0, 0), (4, 4))
    with pytest.raises(ClusterError, match="failed: RuntimeError: an unexpected error"):
        list(workers(threads=1).classify(tmp_path))


# The command, in a separate process

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
def test_the_command_writes_the_rows_of_a_local_run_and_no_output_of_ray(
    tmp_path: Path, invoke: Callable[..., Result]
) -> None:
    folder = many(tmp_path / "photos", 20)
    (folder / "3.png").write_text("a text")
    process = start(str(folder), "--threads", "1", "--ray")
    stdout, stderr = process.communicate(timeout=120)
    local = invoke("classify", str(folder), "-q", "-f", "csv")
    assert stdout == local.stdout
    assert process.returncode == local.exit_code == 4
    lines = {line.split()[0]: line for line in stderr.splitlines()}
    assert stderr.startswith("Images     20 in ")
    assert "litert float32, 1 Ray worker, loaded in " in lines["Model"]
    assert set(lines) <= {"Images", "Unreadable", "Model", "Work"}
    assert "workers" not in lines["Work"]


@pytest.mark.usefixtures("local_ray")
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
    ("text", "expected"),
    [("", True), ("auto", True), ("10.0.0.1:6379", True), ("ray://head:10001", True),
     ("[::1]:6379", True), ("photos", False), ("head", False), ("http://head:8265", False),
     ("C:\\photos", False), ("./a:1", False)],
)  # fmt: skip
def test_addresses_are_distinguished_from_paths(text: str, expected: bool) -> None:
    assert is_address(text) == expected


def test_a_path_taken_for_the_address_is_a_usage_error(
    photos: Path, invoke: Callable[..., Result]
) -> None:
    result = invoke("classify", "--ray", "photos")
    assert result.exit_code == 2
    assert "--ray 'photos' is not the address of a cluster" in result.stderr
    assert "--ray=ADDRESS" in result.stderr and "put --ray last" in result.stderr


def test_values_that_a_cluster_cannot_use_are_usage_errors(
    photos: Path, invoke: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    result = invoke("classify", "photos", "--precision", "int8", "--ray")
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "Error: int8 on a cluster requires calibration photos that every machine can read",
        "Name a folder of typical photos with --calibrate.",
    ]
    with pytest.raises(InputError, match="is not the address"):
        ClusterClassifier("photos")
    monkeypatch.setattr("mnv2cli.inference.cluster.classifier.find_spec", lambda name: None)
    result = invoke("classify", "photos", "--ray")
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "Error: Ray is not installed",
        "Install it with: pip install 'mnv2cli[ray]'",
    ]


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_an_unreachable_cluster_is_one_clear_error(photos: Path, scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"{scheme}127.0.0.1:{server.getsockname()[1]}"
    process = start("photos", "-q", f"--ray={address}", cwd=photos.parent)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    first, second = stderr.splitlines()
    assert first == f"Error: cannot reach a Ray cluster at {address}: connection refused"
    assert second.startswith("Check that it is running (ray start --head)")


def test_workers_open_the_network_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mnv2cli.inference.classifier.available", lambda model, **kwargs: model)
    monkeypatch.setattr(MobileNetV2, "identity", lambda self: {"size": self.size})
    for given in (ModelOptions(alpha=0.5, accurate=True), ModelOptions(alpha=0.5, size=96)):
        classifier = ClusterClassifier(options=ClassifierOptions(model=given))
        spec = classifier._spec()
        network = open_model(spec.options.model)
        assert network == classifier.network and network.identity() == spec.identity
