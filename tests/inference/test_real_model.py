"""Real photos through real networks.

EfficientNet-Lite0's weights and scikit-image's photos come as packages; MobileNetV2's weights and
100 labelled photos are used if they are beside the repository.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image, ImageCms

from mnv2cli import Classifier
from mnv2cli.cli import main
from mnv2cli.images.options import ImageOptions
from mnv2cli.models.efficientnet_lite0 import EfficientNetLite0
from tests.conftest import SHARED, draw
from tests.images.icc import BT2020, matrix_profile

IMAGES = SHARED / "images"

pytestmark = pytest.mark.real_model
needs_shared = pytest.mark.skipif(
    not IMAGES.is_dir(), reason="needs photos and weights beside the repository, in ../shared"
)
needs_offline = pytest.mark.skipif(
    not EfficientNetLite0().find(), reason="needs the extra: pip install 'mnv2cli[offline]'"
)


@pytest.fixture(autouse=True)
def keras_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(SHARED / "keras"))


@pytest.mark.parametrize("engine", ["litert", "keras"])
def test_python_programs_see_no_messages_of_libraries(
    home: Path, tmp_path: Path, engine: str
) -> None:
    code = (
        "from mnv2cli import Classifier, ModelOptions\n"
        f"model, engine = ModelOptions(alpha=0.35, size=96), {engine!r}\n"
        f"records = Classifier(top=1, model=model, engine=engine).classify({str(tmp_path)!r})\n"
        "print([record.status for record in records])\n"
    )
    draw(tmp_path / "a.png")
    environment = {**os.environ, "KERAS_HOME": str(home), "MNV2_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment
    )
    assert (done.stdout, done.stderr, done.returncode) == ("['ok']\n", "", 0)


@needs_offline
def test_weights_of_a_package_classify_photos_correctly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = find_spec("skimage")
    if package is None or package.origin is None:
        pytest.skip("needs the photos of scikit-image")
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("chelsea.png", "coffee.png"):
        shutil.copy(Path(package.origin).parent / "data" / name, photos)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("MNV2_WEIGHTS_URL", "http://127.0.0.1:9/")  # refuses connections
    result = CliRunner().invoke(main, ["classify", str(photos), "-q"])
    assert result.exit_code == 0, result.output
    cat, coffee = csv.DictReader(result.stdout.splitlines())
    assert cat["label_1"] in ("Egyptian cat", "tabby", "tiger cat")
    assert coffee["label_1"] == "espresso" and float(coffee["score_1"]) > 0.8
    assert cat["model"] == coffee["model"] == "efficientnet_lite0"
    (warning,) = result.stderr.splitlines()
    assert warning.startswith("Warning: ") and "using efficientnet_lite0" in warning


@needs_offline
def test_litert_and_keras_agree_on_lite0(tmp_path: Path) -> None:
    photos = [draw(tmp_path / f"{i}.png", (40 * i, 90, 200 - 30 * i)) for i in range(6)]
    lite, keras = (
        list(Classifier(model="efficientnet_lite0", engine=engine).classify(*photos))
        for engine in ("litert", "keras")
    )
    for one, other in zip(lite, keras, strict=True):
        assert [p.wnid for p in one.predictions] == [p.wnid for p in other.predictions]
        for a, b in zip(one.predictions, other.predictions, strict=True):
            assert abs(a.score - b.score) <= 1e-4


@needs_offline
@needs_shared
@pytest.mark.parametrize("engine", ["litert", "keras"])
def test_accuracy_of_lite0(tmp_path: Path, capsys: pytest.CaptureFixture[str], engine: str) -> None:
    top1, top5 = accuracy(classified(tmp_path, "--model", "efficientnet_lite0", "--engine", engine))
    with capsys.disabled():
        print(f"\nLite0 on {engine}, 100 photos: top-1 {top1}, top-5 {top5}")  # noqa: T201
    assert top1 >= 85
    assert top5 >= 95


@needs_shared
def test_labels_depend_little_on_the_colour_space(tmp_path: Path) -> None:
    profile = matrix_profile(BT2020, 2.4)
    space = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    to_space = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), space, "RGB", "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC
    )
    folders = [tmp_path / name for name in ("sRGB", "profile", "without")]
    for folder in folders:
        folder.mkdir()
    for path in sorted(IMAGES.iterdir())[::8]:
        photo = Image.open(path).convert("RGB")
        photo.info.clear()
        name = path.with_suffix(".tif").name
        photo.save(folders[0] / name)
        converted = to_space.apply(photo)
        converted.save(folders[1] / name, icc_profile=profile)
        converted.info.clear()
        converted.save(folders[2] / name)
    classifier = Classifier(top=1000)
    scores = []
    for folder in folders:
        records = classifier.classify(str(folder))
        scores.append([{p.wnid: p.score for p in record.predictions} for record in records])
    with_profile, without = (
        sum(abs(one[max(wanted, key=wanted.__getitem__)] - max(wanted.values()))
            for wanted, one in zip(scores[0], found, strict=True)) / len(found)
        for found in scores[1:]
    )  # fmt: skip
    assert with_profile < 0.03 and with_profile < without / 2


def classified(tmp_path: Path, *options: str) -> list[dict[str, str]]:
    out = tmp_path / "out.csv"
    result = CliRunner().invoke(
        main, ["classify", str(IMAGES), "-o", str(out), "--force", *options]
    )
    assert result.exit_code == 0, result.output
    with out.open(newline="") as file:
        return list(csv.DictReader(file))


def accuracy(rows: list[dict[str, str]]) -> tuple[int, int]:
    top1 = top5 = 0
    for row in rows:
        wnid = Path(row["path"]).name.partition("_")[0]
        top1 += row["wnid_1"] == wnid
        top5 += wnid in [row[f"wnid_{i}"] for i in range(1, 6)]
    return top1, top5


@needs_shared
def test_accuracy_on_labelled_photos(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = classified(tmp_path)
    assert len(rows) == 100
    top1, top5 = accuracy(rows)
    with capsys.disabled():
        print(f"\n100 photos: top-1 {top1 / 100:.2f}, top-5 {top5 / 100:.2f}")  # noqa: T201
    assert top1 >= 83
    assert top5 >= 95


@needs_shared
def test_categories_are_right_more_often_than_labels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = Path(__file__).parents[1].joinpath("labels", "expected_categories.csv").read_text()
    expected = {row["wnid"]: row["category"] for row in csv.DictReader(text.splitlines())}
    rows = classified(tmp_path, "--category")
    right = sum(
        row["category"] == expected[Path(row["path"]).name.partition("_")[0]] for row in rows
    )
    with capsys.disabled():
        print(f"\n100 photos: category right {right}, label {accuracy(rows)[0]}")  # noqa: T201
    assert right >= 92


@needs_shared
def test_photos_that_are_sorted_by_default_are_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = Path(__file__).parents[1].joinpath("labels", "expected_categories.csv").read_text()
    expected = {row["wnid"]: row["category"] for row in csv.DictReader(text.splitlines())}
    classified(tmp_path, "--category")
    shares = []
    for options in ([], ["--threshold", "0"]):
        plan = tmp_path / f"plan{len(options)}.csv"
        args = ["sort", "--from", str(tmp_path / "out.csv"), "--into", str(tmp_path / "sorted")]
        result = CliRunner().invoke(main, [*args, "--plan", str(plan), *options])
        assert result.exit_code == 0, result.output
        with plan.open(newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["folder"] != "unsure"]
        right = sum(
            row["folder"] == expected[Path(row["source"]).name.partition("_")[0]] for row in rows
        )
        shares.append((len(rows), right / len(rows)))
        with capsys.disabled():
            print(f"\n100 photos: {len(rows)} placed, {right} right {options}")  # noqa: T201
    (placed, share), (all_placed, share_of_all) = shares
    assert placed >= 90 and share >= 0.96
    assert all_placed == 100 and share > share_of_all


@needs_shared
def test_litert_and_keras_agree_and_int8_almost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lite, keras, int8 = (
        classified(tmp_path, *options)
        for options in (["--engine", "litert"], ["--engine", "keras"], ["--precision", "int8"])
    )
    worst = 0.0
    for one, other in zip(lite, keras, strict=True):
        for i in range(1, 6):
            assert one[f"wnid_{i}"] == other[f"wnid_{i}"], one["path"]
            worst = max(worst, abs(float(one[f"score_{i}"]) - float(other[f"score_{i}"])))
    same = sum(a["wnid_1"] == b["wnid_1"] for a, b in zip(lite, int8, strict=True))
    with capsys.disabled():
        print(  # noqa: T201
            f"\nLiteRT and Keras: top-5 alike on 100 photos, scores within {worst:.1e}; "
            f"int8: top-1 alike on {same}, right on {accuracy(int8)[0]}"
        )
    assert worst <= 1e-4
    assert same >= 95


TUTORIAL = """
import json, sys
import numpy as np
import keras
from keras.applications.mobilenet_v2 import MobileNetV2, decode_predictions, preprocess_input

model = MobileNetV2(weights="imagenet")
results = []
for path in sys.argv[1:]:
    image = keras.utils.load_img(path, target_size=(224, 224))
    x = preprocess_input(np.expand_dims(keras.utils.img_to_array(image), axis=0))
    best = decode_predictions(model.predict(x, verbose=0), top=3)[0]
    results.append([[wnid, float(score)] for wnid, _, score in best])
print(json.dumps(results))
"""


@needs_shared
def test_stretch_and_nearest_reproduce_the_tutorial() -> None:
    paths = sorted(map(str, IMAGES.iterdir()))[::5]
    assert len(paths) == 20
    result = subprocess.run(
        [sys.executable, "-c", TUTORIAL, *paths], capture_output=True, text=True, check=True
    )
    wanted = json.loads(result.stdout.splitlines()[-1])
    for engine in ("litert", "keras"):
        classifier = Classifier(top=3, images=ImageOptions("stretch", "nearest"), engine=engine)
        for record, best in zip(classifier.classify(*paths), wanted, strict=True):
            assert [p.wnid for p in record.predictions] == [wnid for wnid, _ in best]
            for prediction, (_, score) in zip(record.predictions, best, strict=True):
                assert abs(prediction.score - score) <= 1e-5
