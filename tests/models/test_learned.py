"""The file of a learned model: written without Keras, read without it, and loaded by it."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnv2cli.errors import InputError, Mnv2Error, OutputError, WeightsError
from mnv2cli.models import ModelOptions, open_model
from mnv2cli.models.head import Head
from mnv2cli.models.learned import LearnedModel
from mnv2cli.models.learned_file import LearnedContent, read_learned
from mnv2cli.models.learned_template import write_learned
from mnv2cli.models.unknown import Unknown
from mnv2cli.models.weights import digest, import_keras

BACKBONE = ModelOptions("mobilenet_v2", 0.35, 96)
BACKBONE_OF = {"family": "mobilenet_v2", "alpha": 0.35, "size": 96, "weights": ""}
NAMES = ("cat", "dog ☂", "=bird")


def drawn(*shape: int) -> Any:
    return np.random.default_rng(len(shape)).normal(size=shape).astype(np.float32)


def content(names: tuple[str, ...] = NAMES, **changes: Any) -> LearnedContent:
    """Return a description of a model with a random head."""
    classes = len(names)
    means = drawn(classes, 1280)
    two = np.ones(2, np.float32)
    unknown = Unknown(means, two, two, np.arange(20, dtype=np.float32))
    head = Head(drawn(1280, classes) * 5, drawn(classes), unknown)
    return replace(LearnedContent(names, head, BACKBONE), **changes)


@pytest.fixture
def learned(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a learned model on the network of the tests, with its own cache."""
    monkeypatch.setenv("KERAS_HOME", str(home))
    monkeypatch.setenv("MNV2_CACHE", str(home / "cache"))
    network = open_model(BACKBONE)
    path = tmp_path / "mine.keras"
    own = content(weights=digest(network.find()), thresholds={"cat": 0.8}, training={"photos": 7})
    write_learned(str(path), own, network)
    return path


def test_a_file_says_what_was_written(learned: Path) -> None:
    found = read_learned(str(learned))
    assert found.class_names == NAMES
    assert (found.backbone, found.weights) == (BACKBONE, digest(open_model(BACKBONE).find()))
    assert (found.thresholds, found.training) == ({"cat": 0.8}, {"photos": 7})
    np.testing.assert_array_equal(found.head.kernel, content().head.kernel)
    assert found.head.unknown is not None
    assert found.head.unknown.means.shape == (3, 1280)


def test_equal_models_are_equal_files_written_without_keras(learned: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.keras"
    code = (
        "import sys; from tests.models import test_learned as t; from mnv2cli.models import *;"
        "from mnv2cli.models.learned_file import read_learned;"
        "from mnv2cli.models.learned_template import write_learned;"
        f"write_learned({str(again)!r}, read_learned({str(learned)!r}), open_model(t.BACKBONE));"
        "assert not {'keras', 'tensorflow'} & set(sys.modules), 'imports Keras'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ, cwd=Path.cwd())
    assert again.read_bytes() == learned.read_bytes()


def test_keras_alone_gives_the_scores_of_the_head(learned: Path) -> None:
    keras = import_keras()
    alone = keras.models.load_model(learned, compile=False, safe_mode=True)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 96, 96, 3)).astype(np.float32)
    network = open_model(BACKBONE).build()
    body = keras.Model(network.input, network.layers[-1].input)
    features = np.asarray(body(pixels / 127.5 - 1))
    np.testing.assert_allclose(alone(pixels), content().head.scores(features), atol=1e-5)


def test_the_published_network_is_shared_if_it_is_the_same(learned: Path, home: Path) -> None:
    opened = open_model(ModelOptions(str(learned)))
    assert isinstance(opened, LearnedModel)
    assert opened.backbone.identity() == open_model(BACKBONE).identity()
    assert opened.size == 96 and opened.features == 1280
    other = replace(opened.content, weights="0" * 64)
    write_learned(str(learned), other, open_model(BACKBONE))
    alone = open_model(ModelOptions(str(learned)))
    assert alone.backbone.identity() != open_model(BACKBONE).identity()
    built = alone.backbone.build()
    assert built.layers[-1].input.shape == (None, 1280)
    pixels = drawn(1, 96, 96, 3)
    keras = import_keras()
    network = open_model(BACKBONE).build()
    bodies = [keras.Model(each.input, each.layers[-1].input) for each in (built, network)]
    np.testing.assert_allclose(*(np.asarray(body(pixels)) for body in bodies), atol=1e-5)


def test_a_name_finds_an_added_model(learned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mnv2cli.models.adding import add_own, remove_own
    from mnv2cli.models.own import find_own, own_models

    monkeypatch.setenv("MNV2_MODELS", str(learned.parent / "models"))
    assert own_models() == {}
    assert add_own(str(learned), "pets") == ("pets", True)
    assert add_own(str(learned), "pets") == ("pets", False)
    assert open_model(ModelOptions("pets")).class_names == NAMES
    write_learned(str(learned), content(("a", "b")), open_model(BACKBONE))
    with pytest.raises(InputError, match="another model is named pets"):
        add_own(str(learned), "pets")
    assert add_own(str(learned), "pets", force=True) == ("pets", True)
    assert add_own(str(learned)) == ("mine", True)
    assert list(own_models()) == ["mine", "pets"]
    for bad in ("mobilenet_v2", "../x", "a/b", ".hidden", "", "x" * 200):
        if bad:
            with pytest.raises(InputError):
                add_own(str(learned), bad)
    remove_own("pets")
    assert find_own("pets") == ""
    with pytest.raises(InputError, match=r"'pets' is not one of your models \(mine\)"):
        remove_own("pets")


def rewritten(path: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    """Change the members of an archive."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def about(**changes: Any) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        members["mnv2.json"] = json.dumps(json.loads(members["mnv2.json"]) | changes).encode()

    return change


def arrays(**changes: Any) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        with np.load(io.BytesIO(members["mnv2.npz"])) as found:
            kept = {name: found[name] for name in found.files}
        file = io.BytesIO()
        np.savez(file, **kept | changes)
        members["mnv2.npz"] = file.getvalue()

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (about(format=2), "has format 2, and this mnv2 reads 1"),
        (about(classes=["a"]), "1 classes, not 2 to"),
        (about(classes=["a", "b"]), "the head does not fit its classes"),
        (about(classes=["a", "a", "b"]), "two classes have the same name"),
        (about(classes=["a", "../b", "c"]), "the class '../b' contains a slash"),
        (about(classes=["a", "b\nx", "c"]), "contains a control character"),
        (about(classes=["a", "b", 3]), "a class is named 3"),
        (about(classes=5), "is damaged"),
        (about(classes=["cat", "Cat", "b"]), "two classes have the same name: 'cat' and 'Cat'"),
        (about(classes=["unsure", "a", "b"]), "named 'unsure', as a folder of mnv2 sort"),
        (about(classes=["Unknown", "a", "b"]), "named 'Unknown', as a folder of mnv2 sort"),
        (about(classes=["a ", "c", "b"]), "'a ' begins or ends with a space"),
        (about(classes="abc"), "its classes are not a list"),
        (about(backbone=BACKBONE_OF | {"family": "/dev/zero"}), "a network that mnv2 does not"),
        (about(backbone=BACKBONE_OF | {"family": "keras:ResNet50"}), "a network that mnv2 does"),
        (about(backbone=BACKBONE_OF | {"size": 7}), "is damaged: no weights are published"),
        (about(thresholds={"lion": 0.5}), "its thresholds are not scores of its classes"),
        (about(thresholds={"cat": float("inf")}), "its thresholds are not scores"),
        (about(backbone={"family": "resnet"}), "is damaged"),
        (about(training=[]), "training is not an object"),
        (arrays(kernel=np.zeros((2, 3), np.float32)), "does not fit its classes"),
        (arrays(bias=np.full(3, np.nan, np.float32)), "not of finite float32 numbers"),
        (arrays(bias=np.zeros(3)), "not of finite float32 numbers"),
        (arrays(bias=np.array([1, "x", None], dtype=object)), "is damaged"),
        (arrays(unknown_means=drawn(3, 9)), "does not fit its classes"),
        (lambda members: members.pop("mnv2.npz"), "is damaged"),
        (lambda members: members.update({"mnv2.json": b"{"}), "is damaged"),
        (lambda members: members.update({"../x": b""}), "a path outside the archive"),
        (lambda members: members.update({"x.pkl": b""}), "can run code"),
    ],
)
def test_a_file_with_other_content_is_refused(
    learned: Path, change: Callable[[dict[str, bytes]], None], message: str
) -> None:
    rewritten(learned, change)
    with pytest.raises(Mnv2Error, match=message) as caught:
        open_model(ModelOptions(str(learned)))
    assert "\n" not in caught.value.message and caught.value.hint


def test_a_network_that_could_run_code_is_not_loaded(learned: Path) -> None:
    def change(members: dict[str, bytes]) -> None:
        config = json.loads(members["config.json"])
        config["config"]["layers"][1]["class_name"] = "Lambda"
        members["config.json"] = json.dumps(config).encode()

    rewritten(learned, change)
    opened = open_model(ModelOptions(str(learned)))  # its description is intact
    with pytest.raises(WeightsError, match="Lambda layer, which is Python code: refused"):
        opened.build()
    with pytest.raises(WeightsError, match="Lambda layer, which is Python code: refused"):
        opened.check_file(str(learned))


def test_a_file_with_two_different_heads_is_not_loaded(learned: Path) -> None:
    rewritten(learned, arrays(kernel=content().head.kernel[:, ::-1].copy()))
    with pytest.raises(WeightsError, match="it has two different heads"):
        open_model(ModelOptions(str(learned))).build()


def test_a_truncated_file_is_refused(learned: Path) -> None:
    learned.write_bytes(learned.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="is damaged"):
        open_model(ModelOptions(str(learned)))


@pytest.mark.parametrize("option", ["alpha", "size", "weights", "accurate"])
def test_an_option_that_the_file_determines_is_refused(learned: Path, option: str) -> None:
    values: dict[str, Any] = {"alpha": 1.0, "size": 224, "weights": "x.h5", "accurate": True}
    with pytest.raises(InputError, match=f"--{option} cannot be combined with the model"):
        open_model(ModelOptions(str(learned), **{option: values[option]}))


def test_nothing_is_left_if_a_model_cannot_be_written(
    learned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = learned.read_bytes()

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(zipfile.ZipFile, "writestr", full)
        with pytest.raises(OutputError, match="no space left on device"):
            write_learned(str(learned), content(), open_model(BACKBONE))
    assert learned.read_bytes() == before
    assert os.listdir(learned.parent) == ["mine.keras"]
    with pytest.raises(OutputError, match="cannot write"):
        write_learned(str(learned.parent / "none" / "x.keras"), content(), open_model(BACKBONE))


def test_a_damaged_template_is_written_again(learned: Path, home: Path) -> None:
    (template,) = (home / "cache").glob("mnv2-template-*.keras")
    template.write_bytes(template.read_bytes()[:1000])
    write_learned(str(learned), read_learned(str(learned)), open_model(BACKBONE))
    open_model(ModelOptions(str(learned))).check(str(learned))
    assert template.stat().st_size > 1000
    shutil.rmtree(home / "cache")
