"""Fixtures: no internet, drawn images, local web servers, a fake network."""

from __future__ import annotations

import io
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray
from PIL import Image

from mnv2cli.cli import main
from mnv2cli.engines.protocol import Outputs
from mnv2cli.models.weights import import_keras
from tests.decoders import command
from tests.hosts import Site, host

WEIGHTS = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_96.h5"
SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the reports of tests, also of those that ran in other processes."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, text in getattr(report, "user_properties", ()):
                if name == "report":
                    terminalreporter.write_line(str(text))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add options for slow tests, and for the number of fuzzed inputs and their seed."""
    parser.addoption("--slow", action="store_true", help="also run tests marked slow")
    parser.addoption("--fuzz-inputs", type=int, default=10_000, metavar="N")
    parser.addoption("--fuzz-seed", type=int, default=0, metavar="S")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip slow tests unless they are asked for."""
    if not config.getoption("--slow"):
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="slow: add --slow"))


@pytest.fixture(autouse=True)
def no_config(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ignore the config files and the MNV2_* variables of options of whoever runs the tests."""
    monkeypatch.setenv("MNV2_NO_CONFIG", "1")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections to other machines."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "localhost", "::1"):
            raise AssertionError(f"a test connected to the network: {address}")
        connect(self, address)

    look_up = socket.getaddrinfo

    def guarded_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host not in ("127.0.0.1", "localhost", "::1", None):
            raise AssertionError(f"a test looked up the address of {host}")
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def default_signals() -> Iterator[None]:
    """Handle SIGINT and SIGTERM as in a terminal.

    Under ``nohup`` and in the background SIGINT is ignored, and libraries handle SIGTERM.
    """
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(autouse=True)
def pillow_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore Pillow's limit, which commands change for the whole process."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)


class FakeEngine:
    """Scores by colour: the class of the mean red value gets 0.9, that of green 0.05."""

    name = "fake"
    precision = "float32"
    batch_size = 4
    workers = 2
    at_once = 2

    def __init__(self) -> None:
        self.batches: list[int] = []

    def predict(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        assert batch.dtype == np.uint8 and batch.ndim == 4 and batch.shape[3] == 3
        self.batches.append(len(batch))
        scores = np.zeros((len(batch), 1000), np.float32)
        for i, (red, green, _) in enumerate(batch.mean(axis=(1, 2)).round().astype(int)):
            scores[i, green] += 0.05
            scores[i, red] += 0.9
        return scores

    def run(self, batch: NDArray[np.uint8]) -> Outputs:
        """Return scores, and features that begin with the mean colour."""
        features = np.ones((len(batch), 1280), np.float32)
        features[:, :3] = batch.mean(axis=(1, 2)).round()
        return Outputs(self.predict(batch), features)


class Interrupted(FakeEngine):
    """Raise KeyboardInterrupt after two images."""

    batch_size = workers = at_once = 1

    def predict(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        if len(self.batches) == 2:
            raise KeyboardInterrupt
        return super().predict(batch)


@pytest.fixture
def fake_engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """Replace the network with a fake."""
    engine = FakeEngine()
    monkeypatch.setattr("mnv2cli.inference.classifier.open_engine", lambda *args, **kwargs: engine)
    monkeypatch.setattr("mnv2cli.inference.classifier.available", lambda model, **kwargs: model)
    return engine


@pytest.fixture
def invoke() -> Callable[..., Result]:
    """Run ``mnv2`` in this process."""

    def run(*args: str | Path, **kwargs: Any) -> Result:
        return CliRunner().invoke(main, [str(a) for a in args], **kwargs)

    return run


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder ``photos`` with three images and a text file, in the current folder."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "photos"
    folder.mkdir()
    draw(folder / "img2.jpg", (2, 9, 0))
    draw(folder / "img10.png", (10, 9, 0))
    draw(folder / "sub" / "img1.webp", (1, 9, 0))
    (folder / "notes.txt").write_text("not an image")
    yield folder


@pytest.fixture
def hostile(photos: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder ``photos``, plus images that crash or hang :mod:`tests.decoders`."""
    draw(photos / "boom.jpg")
    draw(photos / "hang.jpg")
    made = command()
    monkeypatch.setattr("mnv2cli.images.isolated.default_command", lambda: made)
    return photos


def draw(
    path: Path,
    colour: tuple[int, ...] | int = (200, 100, 50),
    size: tuple[int, int] = (40, 30),
    mode: str = "RGB",
    **save: Any,
) -> Path:
    """Draw an image of one colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path, **save)
    return path


def image_bytes(red: int = 7, format: str = "PNG", **save: Any) -> bytes:
    """Return an image file of one colour."""
    stream = io.BytesIO()
    Image.new("RGB", (40, 30), (red, 9, 0)).save(stream, format, **save)
    return stream.getvalue()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten waits, and forget open stores and archives."""
    from mnv2cli.sources.remote import archive_containers, limits, stores

    monkeypatch.setattr(limits, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(limits, "LONGEST_WAIT", 0.05)
    monkeypatch.setattr(stores, "_stores", {})
    archive_containers._archives.clear()


@pytest.fixture
def memory(quick: None) -> Iterator[Any]:
    """The memory file system, empty."""
    import fsspec

    fs = fsspec.filesystem("memory")
    fs.store.clear()
    fs.pseudo_dirs[:] = [""]
    yield fs
    fs.store.clear()
    fs.pseudo_dirs[:] = [""]


@pytest.fixture
def site(quick: None) -> Iterator[Site]:
    """A web server whose pages the test defines."""
    site = Site()
    with host(site.handle) as url:
        site.url = url.rpartition("/")[0]
        yield site


@pytest.fixture(scope="session")
def model() -> Any:
    """The smallest MobileNetV2, with random weights."""
    keras = import_keras()
    keras.utils.set_random_seed(1)
    return keras.applications.MobileNetV2(
        weights=None, alpha=0.35, input_shape=(96, 96, 3), classes=1000
    )


@pytest.fixture(scope="session")
def home(model: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A KERAS_HOME as filled by Keras, in the format of the published files."""
    home = tmp_path_factory.mktemp("keras")
    (home / "models").mkdir()
    from keras.src.legacy.saving import legacy_h5_format

    with h5py.File(home / "models" / WEIGHTS, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)
    return home


@pytest.fixture
def random_weights(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make alpha 0.35 at size 96 available, with random weights."""
    monkeypatch.setenv("KERAS_HOME", str(home))


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep compiled models of tests out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MNV2_CACHE", str(tmp_path_factory.mktemp("compiled")))
        yield


@pytest.fixture(autouse=True)
def no_warning_yet(own_cache: None) -> None:
    """Forget that another test was warned of the network that replaces the default one."""
    (Path(os.environ["MNV2_CACHE"]) / "mnv2-warned.txt").unlink(missing_ok=True)
