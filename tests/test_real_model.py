"""Real photos through the real network, where weights and photos lie beside the repository."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from mnv2cli import Classifier
from mnv2cli.cli import main
from mnv2cli.models.weights import import_keras
from tests.conftest import SHARED

IMAGES = SHARED / "images"

pytestmark = [
    pytest.mark.real_model,
    pytest.mark.skipif(
        not IMAGES.is_dir(), reason="needs photos and weights beside the repository, in ../shared"
    ),
]


@pytest.fixture(autouse=True)
def keras_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(SHARED / "keras"))


def test_accuracy_on_labelled_photos(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.csv"
    result = CliRunner().invoke(main, ["classify", str(IMAGES), "-o", str(out)])
    assert result.exit_code == 0, result.output
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 100
    top1 = top5 = 0
    for row in rows:
        wnid = Path(row["path"]).name.partition("_")[0]
        top1 += row["wnid_1"] == wnid
        top5 += wnid in [row[f"wnid_{i}"] for i in range(1, 6)]
    with capsys.disabled():
        print(f"\n100 photos: top-1 {top1 / 100:.2f}, top-5 {top5 / 100:.2f}")  # noqa: T201
    assert top1 >= 83
    assert top5 >= 95


def test_stretch_and_nearest_reproduce_the_tutorial() -> None:
    keras = import_keras()
    mobilenet: Any = keras.applications.mobilenet_v2
    model = keras.applications.MobileNetV2(weights="imagenet")
    paths = sorted(IMAGES.iterdir())[::5]
    assert len(paths) == 20
    classifier = Classifier(top=3, fit="stretch", interpolation="nearest")
    for path, record in zip(paths, classifier.classify(*paths), strict=True):
        image = keras.utils.load_img(path, target_size=(224, 224))
        x = np.expand_dims(keras.utils.img_to_array(image), axis=0)
        scores = model.predict(mobilenet.preprocess_input(x), verbose=0)
        wanted = mobilenet.decode_predictions(scores, top=3)[0]
        assert record.path == str(path)
        assert [p.wnid for p in record.predictions] == [wnid for wnid, _, _ in wanted]
        mine = [p.score for p in record.predictions]
        np.testing.assert_allclose(mine, [score for _, _, score in wanted], rtol=0, atol=1e-5)
