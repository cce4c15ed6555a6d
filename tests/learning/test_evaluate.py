"""Evaluation of runs and of results files."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

import mnv2cli
from mnv2cli.cli.terminal.evaluation import evaluation_warnings
from mnv2cli.errors import ExitCode, InputError, NoImagesError
from mnv2cli.labels.imagenet import imagenet_labels
from mnv2cli.system.files import content_digest
from tests.conftest import draw
from tests.learning.learned_models import ColourEngine, draw_photos, use_colours, write_model

LABELS = imagenet_labels()


@pytest.fixture(autouse=True)
def colours(monkeypatch: pytest.MonkeyPatch) -> ColourEngine:
    """Replace the network with a fake."""
    return use_colours(monkeypatch)


@pytest.fixture
def labelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with two classes; the fake engine is wrong about one of five photos."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "set"
    for number, red in enumerate((3, 3, 4)):
        draw(folder / LABELS[3].wnid / f"{number}.png", (red, 9, number))
    for number in range(2):
        draw(folder / LABELS[7].name / f"{number}.png", (7, 9, number))
    return folder


def test_photos_are_classified_and_counted(labelled: Path, colours: ColourEngine) -> None:
    draw(labelled / "qwerty" / "a.png", (1, 9, 0))
    draw(labelled / "loose.png", (1, 9, 0))
    (labelled / LABELS[7].name / "broken.jpg").write_text("not a photo")
    found = mnv2cli.evaluate(labelled)
    assert found.metrics.photos == 5 and found.top1 == 0.8
    assert found.matched == "1 WordNet id and 1 label"
    assert [m.predicted for m in found.mistakes] == [LABELS[4].name]
    omitted = found.omitted
    assert omitted.folders == {"qwerty": 1}
    assert omitted.unlabelled == (str(labelled / "loose.png"),)
    assert [os.path.basename(path) for path, _ in omitted.unreadable] == ["broken.jpg"]
    assert found.return_code == ExitCode.SOME_UNREADABLE
    assert found.summary().startswith("5 photos of 2 classes: 80.0 % right")
    assert isinstance(found, mnv2cli.Evaluation)


def test_a_learned_model_is_measured_by_cached_features(
    tmp_path: Path, colours: ColourEngine
) -> None:
    folder = draw_photos(tmp_path / "set", each=10, wrong=1)
    known = content_digest(str(folder / "red" / "5.png"))
    path = write_model(tmp_path / "mine.keras", training={"contents": {known: [0, 0]}})
    found = mnv2cli.evaluate(folder, model=str(path))
    assert found.top1 == 0.9 and found.learned == 1
    assert found.metrics.matrix.tolist() == [[9, 0, 1], [1, 9, 0], [0, 1, 9]]
    assert found.calibration is not None
    batches = sum(colours.batches)
    assert mnv2cli.evaluate(folder, model=str(path)).top1 == 0.9
    assert sum(colours.batches) == batches  # nothing is computed again
    mnv2cli.evaluate(folder, model=str(path), cache=False)
    assert sum(colours.batches) == 2 * batches


def write_results(path: Path, rows: list[tuple[str, ...]], top: int = 1) -> str:
    names = ["path", "status"]
    for rank in range(1, top + 1):
        names += [f"wnid_{rank}", f"label_{rank}", f"score_{rank}"]
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*names, "error", "model"])
        writer.writerows(rows)
    return str(path)


def row(path: str, index: int, score: str = "0.9", model: str = "net") -> tuple[str, ...]:
    label = LABELS[index]
    return (path, "ok", label.wnid, label.name, score, "", model)


def test_results_are_measured_without_opening_photos(labelled: Path, tmp_path: Path) -> None:
    first, second = LABELS[3].wnid, LABELS[7].name
    results = write_results(
        tmp_path / "labels.csv",
        [
            row(f"set/{first}/0.png", 3),
            row(str(labelled / first / "1.png"), 5),
            (f"set/{first}/2.png", "error", "", "", "", "damaged", "net"),
            ("set/" + second + "/0.png", "ok", "", "", "", "", "net"),
            row("elsewhere/x.png", 3),
        ],
    )
    found = mnv2cli.evaluate(labelled, results=results)
    assert (found.metrics.photos, found.top1, found.model) == (3, pytest.approx(1 / 3), "net")
    assert found.top5 is None and found.calibration is None
    assert {(m.true, m.predicted) for m in found.mistakes} == {
        (LABELS[3].name, LABELS[5].name),
        (LABELS[7].name, "(no label)"),
    }
    omitted = found.omitted
    assert [os.path.basename(path) for path in omitted.missing] == ["1.png"]
    assert omitted.foreign == ("elsewhere/x.png",)
    assert [error for _, error in omitted.unreadable] == ["damaged"]


def test_copies_do_not_narrow_the_interval(labelled: Path, tmp_path: Path) -> None:
    folder = labelled / LABELS[7].name
    before = mnv2cli.evaluate(labelled)
    content = (folder / "0.png").read_bytes()
    for number in range(40):
        (folder / f"copy{number}.png").write_bytes(content)
    found = mnv2cli.evaluate(labelled)
    assert (before.copies, found.copies) == (0, 40)
    assert found.metrics.photos == 45
    assert found.metrics.interval[0] < 0.8
    rows = [row(os.path.relpath(path, tmp_path), 7) for path in folder.iterdir()]
    results = mnv2cli.evaluate(labelled, results=write_results(tmp_path / "r.csv", rows))
    assert (results.copies, results.top1) == (40, 1)
    assert results.metrics.interval[0] < 0.4
    warnings = list(evaluation_warnings(found))
    assert warnings[0].startswith("40 photos are copies of others")


def test_results_of_own_classes_are_matched_by_their_labels(labelled: Path, tmp_path: Path) -> None:
    path = f"set/{LABELS[7].name}/0.png"
    rows = [(path, "ok", "", LABELS[7].name, "0.8", "", "mine.keras")]
    found = mnv2cli.evaluate(labelled, results=write_results(tmp_path / "own.csv", rows))
    assert found.top1 == 1
    assert found.omitted.folders == {}  # a class that the file does not name still counts


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([("set/x.png", "ok", "", "kitchen", "0.8", "", "m")], "like a class of the model"),
        ([row("other/1.png", 3)], "has no photo of"),
        ([("a.png", "error", "", "", "", "damaged", "m")], "has no labels"),
        ([row("a.png", 3), ("b.png", "ok", "", "kitchen", "0.8", "", "m")], "mixes"),
    ],
)
def test_results_of_other_photos_or_models_are_refused(
    rows: list[tuple[str, ...]], reason: str, labelled: Path, tmp_path: Path
) -> None:
    results = write_results(tmp_path / "labels.csv", rows)
    with pytest.raises(InputError, match=reason):
        mnv2cli.evaluate(labelled, results=results)


def test_a_missing_results_file_and_a_model_with_results_are_errors(labelled: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        mnv2cli.evaluate(labelled, results="none.csv")
    with pytest.raises(InputError, match="cannot be combined"):
        mnv2cli.evaluate(labelled, results="none.csv", model="mobilenet_v2")


def test_a_file_of_labels_replaces_the_folder(
    labelled: Path, tmp_path: Path, colours: ColourEngine
) -> None:
    file = tmp_path / "truth.csv"
    file.write_text(f"path,label\nset/{LABELS[3].wnid}/0.png,{LABELS[3].name}\n")
    assert mnv2cli.evaluate(labels=str(file)).metrics.photos == 1
    with pytest.raises(InputError, match="only one of"):
        mnv2cli.evaluate(labelled, labels=str(file))
    with pytest.raises(InputError, match="give either"):
        mnv2cli.evaluate()


def test_an_empty_folder_and_unreadable_photos_are_errors(
    tmp_path: Path, colours: ColourEngine
) -> None:
    with pytest.raises(NoImagesError, match="has a class"):
        mnv2cli.evaluate(tmp_path)
    (tmp_path / "tabby").mkdir()
    (tmp_path / "tabby" / "a.jpg").write_text("not a photo")
    with pytest.raises(InputError, match="could be read"):
        mnv2cli.evaluate(tmp_path)
