"""Calibration: the scores of a learned model become honest, and its file keeps that."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from mnv2cli.cli.terminal.calibration import calibration_warnings
from mnv2cli.errors import InputError, OutputError, WeightsError
from mnv2cli.learning.calibrate import Calibrated, CalibrateOptions, calibrate, photos_to_show
from mnv2cli.learning.evaluate import EvaluationSet
from mnv2cli.models.head import normalise
from mnv2cli.models.learned_file import read_learned
from mnv2cli.models.learned_rewrite import rewrite_learned
from mnv2cli.system.files import content_digest
from tests.conftest import draw
from tests.learning.learned_models import (
    SHARPNESS,
    ColourEngine,
    content,
    draw_honest_photos,
    draw_photos,
    use_colours,
    write_model,
)


@pytest.fixture(autouse=True)
def colours(monkeypatch: pytest.MonkeyPatch) -> ColourEngine:
    """Replace the network with a fake."""
    return use_colours(monkeypatch)


def run(folder: Path, model: Path, **options: object) -> Calibrated:
    made = CalibrateOptions(**options)  # type: ignore[arg-type]
    return calibrate(EvaluationSet(str(folder)), str(model), made)


def test_scores_become_honest_and_the_file_keeps_them(tmp_path: Path) -> None:
    folder = draw_honest_photos(tmp_path / "set", 300, SHARPNESS / 3)
    model = write_model(tmp_path / "mine.keras")
    found = run(folder, model, precision=0.9)
    assert found.photos == 300 and 2 < found.temperature < 4.5
    assert found.after < found.before / 2
    assert found.reached is not None and found.interval is not None
    assert found.interval[0] < found.reached < found.interval[1]
    kept = read_learned(str(model))
    np.testing.assert_allclose(kept.head.kernel * found.temperature, content().head.kernel, 1e-5)
    with zipfile.ZipFile(model) as archive:
        weights = io.BytesIO(archive.read("model.weights.h5"))
        assert archive.read("config.json") == b"{}"
    with h5py.File(weights) as file:  # what Keras loads
        np.testing.assert_array_equal(file["layers/dense/vars/0"][...], kept.head.kernel)
        np.testing.assert_array_equal(file["layers/dense/vars/1"][...], kept.head.bias)
    stored = {each.name: each.threshold for each in found.classes if each.threshold is not None}
    assert kept.thresholds == stored
    assert kept.training["calibration"]["photos"] == 300


def test_temperature_stays_when_no_other_is_better_on_other_photos(tmp_path: Path) -> None:
    folder = draw_honest_photos(tmp_path / "set", 40, SHARPNESS)
    model = write_model(tmp_path / "mine.keras")
    found = run(folder, model, precision=0.9)
    assert found.unchanged and found.temperature == 1
    assert found.after == found.before
    np.testing.assert_array_equal(read_learned(str(model)).head.kernel, content().head.kernel)


def test_few_photos_that_are_all_right_promise_no_precision(tmp_path: Path) -> None:
    folder = draw_photos(tmp_path / "set", each=8, wrong=0)
    found = run(folder, write_model(tmp_path / "mine.keras"))
    assert all(each.unproven and not each.note for each in found.classes)
    warning = list(calibration_warnings(found))[-1]
    assert "too few to promise 98.0 %; 149 of each would do: red (8), green (8)" in warning
    assert photos_to_show(0.98) == pytest.approx(148.3, abs=0.1)


def test_what_is_unknown_stays_the_same(tmp_path: Path) -> None:
    folder, model = draw_photos(tmp_path / "set"), write_model(tmp_path / "mine.keras")
    features = np.abs(np.random.default_rng(0).normal(size=(50, 1280))).astype(np.float32)
    features[:, :3] *= 40
    before = read_learned(str(model)).head
    for _ in range(2):  # the second time the temperature is about 1
        run(folder, model)
    after = read_learned(str(model)).head
    assert before.unknown is not None and after.unknown is not None
    assert after.unknown.temperature > 1
    inputs = normalise(features)
    np.testing.assert_allclose(
        before.unknown.p_values(inputs, before.scores(features)),
        after.unknown.p_values(inputs, after.scores(features)),
        atol=0.021,
    )


def test_photos_that_the_model_learned_from_are_skipped(tmp_path: Path) -> None:
    folder = draw_photos(tmp_path / "set")
    learned = [folder / "red" / f"{number}.png" for number in range(30)]
    contents = {content_digest(str(path)): [0, 0] for path in learned}
    model = write_model(tmp_path / "mine.keras", training={"contents": contents})
    found = run(folder, model)
    assert (found.learned, found.photos, found.knows_training) == (30, 90, True)
    assert read_learned(str(model)).training["contents"] == contents


def test_a_model_that_learned_from_all_photos_is_not_changed(tmp_path: Path) -> None:
    folder = draw_photos(tmp_path / "set", each=8)
    contents = {content_digest(str(path)): [0, 0] for path in folder.rglob("*.png")}
    model = write_model(tmp_path / "mine.keras", training={"contents": contents})
    before = model.read_bytes()
    with pytest.raises(InputError, match="learned from all 24 photos"):
        run(folder, model)
    assert model.read_bytes() == before


def test_shuffled_photos_have_no_sure_class(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    random = np.random.default_rng(3)
    for number in range(90):
        colour = tuple(int(value) for value in random.integers(0, 255, 3))
        name = ("red", "green", "blue")[random.integers(3)]
        draw(folder / name / f"{number}.png", colour)
    found = run(folder, write_model(tmp_path / "mine.keras"), precision=0.98)
    assert found.sure < 0.2
    assert all(each.note for each in found.classes if each.threshold is None or each.threshold > 1)


def test_a_class_with_few_photos_keeps_the_usual_threshold(tmp_path: Path) -> None:
    folder = draw_photos(tmp_path / "set", wrong=0)
    for path in list((folder / "blue").iterdir())[3:]:
        path.unlink()
    model = write_model(tmp_path / "mine.keras")
    blue = run(folder, model, precision=0.9).classes[2]
    assert blue.threshold is None and "only 3 photos" in blue.note
    assert "blue" not in read_learned(str(model)).thresholds


def test_copies_and_photos_in_two_classes_are_skipped(tmp_path: Path) -> None:
    folder = draw_photos(tmp_path / "set", each=20)
    draw(folder / "red" / "copy.png", (255, 0, 0))
    draw(folder / "red" / "same.png", (255, 0, 0))
    draw(folder / "red" / "both.png", (9, 9, 9))
    draw(folder / "blue" / "both.png", (9, 9, 9))
    draw(folder / "mauve" / "a.png", (90, 60, 90))
    found = run(folder, write_model(tmp_path / "mine.keras"))
    assert (found.photos, found.copies, len(found.unused)) == (61, 1, 2)
    assert found.folders == {"mauve": 1}


@pytest.mark.parametrize(
    ("each", "names", "reason"),
    [(2, 3, "only 6 photos"), (30, 1, "all photos are of the class 'red'")],
)
def test_too_few_photos_or_classes_are_an_error(
    each: int, names: int, reason: str, tmp_path: Path
) -> None:
    folder = draw_photos(tmp_path / "set", each=each, wrong=0)
    for name in ("red", "green", "blue")[names:]:
        for path in (folder / name).iterdir():
            path.unlink()
    with pytest.raises(InputError, match=reason):
        run(folder, write_model(tmp_path / "mine.keras"))


def test_a_network_of_imagenet_cannot_store_thresholds(tmp_path: Path) -> None:
    folder = draw_photos(tmp_path / "set", each=2)
    with pytest.raises(InputError, match="only models of mnv2 learn") as caught:
        calibrate(EvaluationSet(str(folder)), "mobilenet_v2")
    assert "--threshold" in caught.value.hint


def test_another_file_is_written_only_where_nothing_is(tmp_path: Path) -> None:
    folder, model = draw_photos(tmp_path / "set"), write_model(tmp_path / "mine.keras")
    before, other = model.read_bytes(), tmp_path / "other.keras"
    run(folder, model, output=str(other))
    assert model.read_bytes() == before != other.read_bytes()
    with pytest.raises(InputError, match="already exists"):
        run(folder, model, output=str(other))
    run(folder, model, output=str(other), force=True)
    with pytest.raises(InputError, match="does not exist"):
        run(folder, model, output=str(tmp_path / "missing" / "a.keras"))


def test_a_failure_leaves_the_model_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, model = draw_photos(tmp_path / "set"), write_model(tmp_path / "mine.keras")
    before = model.read_bytes()

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mnv2cli.system.files.os.replace", full)
    with pytest.raises(OutputError, match="no space left"):
        run(folder, model)
    assert model.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.keras", "set"]


def test_a_model_without_its_last_layer_is_damaged(tmp_path: Path) -> None:
    model = write_model(tmp_path / "mine.keras")
    with zipfile.ZipFile(model) as archive:
        kept = {name: archive.read(name) for name in archive.namelist()}
    kept["model.weights.h5"] = b"nothing"
    with zipfile.ZipFile(model, "w") as archive:
        for name, data in kept.items():
            archive.writestr(name, data)
    before = model.read_bytes()
    with pytest.raises(WeightsError, match="damaged"):
        rewrite_learned(str(model), str(model), content())
    assert model.read_bytes() == before


@pytest.mark.parametrize("precision", [0, -1, 1.5])
def test_a_precision_out_of_range_is_an_error(precision: float) -> None:
    with pytest.raises(InputError, match="precision"):
        CalibrateOptions(precision)
