"""``mnv2 evaluate``: its screens, exit codes, and hostile inputs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from mnv2cli.cli.terminal.evaluation import cut
from mnv2cli.labels.imagenet import imagenet_labels
from tests.conftest import draw
from tests.learning.learned_models import ColourEngine, draw_photos, use_colours, write_model
from tests.reporting.helpers import report_data

Invoke = Callable[..., Result]
WIDE = {"COLUMNS": "100"}


@pytest.fixture(autouse=True)
def colours(monkeypatch: pytest.MonkeyPatch) -> ColourEngine:
    """Replace the network with a fake."""
    return use_colours(monkeypatch)


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of photos of which 90 % are right for ``mine.keras``."""
    monkeypatch.chdir(tmp_path)
    write_model(tmp_path / "mine.keras")
    return draw_photos(tmp_path / "photos", each=10, wrong=1)


def test_figures_and_the_matrix_are_printed(photos: Path, invoke: Invoke) -> None:
    result = invoke("evaluate", "photos", "--model", "mine.keras", env=WIDE)
    assert result.exit_code == 0, result.stderr
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "Photos 30 photos of 3 classes, named by 3 classes of the model" in lines
    assert any(line.startswith("Top-1 90.0 % (95 % confidence:") for line in lines)
    assert not any(line.startswith("Top-5") for line in lines)  # of three classes
    assert "red 10 90.0 % 90.0 % 90.0 %" in lines
    assert "true \\ predicted blue green red" in lines
    assert "green 1 9 ·" in lines


def test_many_classes_show_the_most_confused_pairs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, invoke: Invoke
) -> None:
    monkeypatch.chdir(tmp_path)
    labels = imagenet_labels()
    for index in range(30):
        draw(tmp_path / "set" / labels[index].wnid / "a.png", (max(index, 1), 200, 0))
    result = invoke("evaluate", "set", env=WIDE)
    assert result.exit_code == 0
    assert "Top-5" in result.stdout and "Most confused" in result.stdout
    assert "1 of 1" in result.stdout and "--report eval.html" in result.stdout
    assert "true \\ predicted" not in result.stdout
    assert "The worst are shown: the F1 of 28 other classes is 100.0 %." in result.stdout


def test_json_has_all_figures_and_nothing_else_is_on_stdout(photos: Path, invoke: Invoke) -> None:
    found = json.loads(invoke("evaluate", "photos", "--model", "mine.keras", "--json").stdout)
    assert (found["top1"], found["photos"]) == (0.9, 30)
    assert found["confusion_matrix"] == [[9, 0, 1], [1, 9, 0], [0, 1, 9]]
    assert len(found["mistakes"]) == 3


@pytest.mark.parametrize(("least", "code"), [("0.9", 0), ("0.91", 1), ("1", 1), ("0", 0)])
def test_too_few_right_photos_fail_if_wanted(
    least: str, code: int, photos: Path, invoke: Invoke
) -> None:
    result = invoke("evaluate", "photos", "--model", "mine.keras", "--fail-under", least)
    assert result.exit_code == code
    message = f"Error: top-1 is 90.0 % (27 of 30 photos), below --fail-under {least}\n"
    assert result.stderr.endswith(message) == (code == 1)
    assert "Top-1" in result.stdout


def test_unreadable_photos_are_counted(photos: Path, invoke: Invoke) -> None:
    (photos / "red" / "broken.jpg").write_text("not a photo")
    result = invoke("evaluate", "photos", "--model", "mine.keras")
    assert result.exit_code == 4
    assert "1 photo could not be read (photos/red/broken.jpg: not an image" in result.stderr


def test_folders_that_are_not_classes_are_named(photos: Path, invoke: Invoke) -> None:
    draw(photos / "mauve" / "a.png")
    draw(photos / "loose.png")
    result = invoke("evaluate", "photos", "--model", "mine.keras")
    assert result.exit_code == 0
    assert "skipped 1 photo in mauve, which is not a class of the model" in result.stderr
    assert "skipped 1 photo without a class: photos/loose.png" in result.stderr


def test_a_report_is_written_and_not_overwritten(photos: Path, invoke: Invoke) -> None:
    command = ["evaluate", "photos", "--model", "mine.keras", "--report", "eval.html"]
    assert invoke(*command).exit_code == 0
    content = Path("eval.html").read_text(encoding="utf-8")
    assert content.startswith("<!doctype html>") and "Confusion matrix" in content
    rows = report_data(Path("eval.html"))["rows"]
    assert rows["right"].count(0) == 3 and rows["right"].count(1) == 27
    again = invoke(*command)
    assert again.exit_code == 2 and "'eval.html' already exists" in again.stderr
    assert invoke(*command, "--force").exit_code == 0


def test_the_report_knows_what_is_right_where_folders_are_categories(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, invoke: Invoke
) -> None:
    monkeypatch.chdir(tmp_path)
    for index in (0, 1, 60):  # tench, goldfish, night snake
        draw(tmp_path / "set" / "fish" / f"{index}.png", (index, 9, 0))
    (tmp_path / "set" / "fish" / "bad.jpg").write_text("no image")
    result = invoke("evaluate", "set", "--report", "eval.html")
    assert result.exit_code == 4 and "\nWritten    eval.html, " in result.stderr
    data = report_data(tmp_path / "eval.html")
    right = dict(zip(data["rows"]["name"], data["rows"]["right"], strict=True))
    assert right == {"0.png": 1, "1.png": 1, "60.png": 0, "bad.jpg": -1}
    assert {data["names"][truth] for truth in data["rows"]["truth"]} == {"fish"}
    assert set(data["rows"]["count"]) == {5, 0}
    assert len(data["errors"]) == 1


def test_the_report_of_results_has_their_labels(photos: Path, invoke: Invoke) -> None:
    assert invoke("classify", "photos", "--model", "mine.keras", "-o", "a.jsonl").exit_code == 0
    result = invoke("evaluate", "photos", "--results", "a.jsonl", "--report", "eval.html")
    assert result.exit_code == 0, result.stderr
    data = report_data(photos.parent / "eval.html")
    assert data["rows"]["right"].count(0) == 3 and data["rows"]["right"].count(1) == 27
    assert data["classes"] == ["blue", "green", "red"]


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        ((), 2, "either a folder"),
        (("photos", "--labels", "truth.csv"), 2, "only one of"),
        (("none",), 2, "does not exist"),
        (("empty",), 3, "has a class"),
        (("photos",), 2, "no folder is named like a class of ImageNet: 'blue', 'green', 'red'"),
        (("photos", "--fail-under", "1.5"), 2, "0 to 1"),
        (("photos", "--fail-under", "90"), 2, "use 0.9"),
        (("photos", "--report", "missing/eval.html"), 2, "does not exist"),
        (("photos", "--report", "eval.csv"), 2, "ends in .html"),
        (("--labels", "a.html", "--report", "a.html", "--force"), 2, "would overwrite 'a.html'"),
        (("photos", "--force"), 2, "--force requires --report"),
        (("photos", "--results", "none.csv"), 2, "does not exist"),
        (("photos", "--results", "a.csv", "--model", "mine.keras"), 2, "--model cannot be"),
        (("photos", "--results", "a.csv", "--threads", "2"), 2, "--threads cannot be combined"),
        (("photos", "--model", "mine.keras", "--group-by", "("), 2, "not a regular expression"),
    ],
)
def test_hostile_inputs_have_a_message_and_nothing_is_written(
    arguments: tuple[str, ...], code: int, reason: str, photos: Path, invoke: Invoke
) -> None:
    (photos.parent / "empty").mkdir()
    (photos.parent / "a.html").write_text("path,label")
    before = sorted(photos.parent.iterdir())
    result = invoke("evaluate", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert reason in result.stderr
    assert sorted(photos.parent.iterdir()) == before


def test_a_set_with_one_class_is_measured(photos: Path, invoke: Invoke) -> None:
    for name in ("green", "blue"):
        for path in (photos / name).iterdir():
            path.unlink()
    result = invoke("evaluate", "photos", "--model", "mine.keras", env=WIDE)
    assert result.exit_code == 0 and "10 photos of 1 class," in result.stdout


def test_results_of_classify_are_measured(photos: Path, invoke: Invoke) -> None:
    assert invoke("classify", "photos", "--model", "mine.keras", "-o", "a.jsonl").exit_code == 0
    direct = json.loads(invoke("evaluate", "photos", "--model", "mine.keras", "--json").stdout)
    found = json.loads(invoke("evaluate", "photos", "--results", "a.jsonl", "--json").stdout)
    for name in ("top1", "top1_interval", "confusion_matrix", "mistakes", "top5"):
        assert found[name] == direct[name], name
    assert found["temperature"] == pytest.approx(direct["temperature"], rel=1e-2)


def test_groups_widen_the_interval(photos: Path, invoke: Invoke) -> None:
    command = ["evaluate", "photos", "--model", "mine.keras", "--json"]
    alone = json.loads(invoke(*command).stdout)
    grouped = json.loads(invoke(*command, "--group-by", "parent").stdout)
    assert grouped["top1_interval"][0] <= alone["top1_interval"][0]
    assert grouped["top1"] == alone["top1"]


def test_quiet_prints_the_figures_only(photos: Path, invoke: Invoke) -> None:
    result = invoke("evaluate", "photos", "--model", "mine.keras", "-q")
    assert result.stderr == "" and "Top-1" in result.stdout


def test_a_long_name_is_cut_on_the_right() -> None:
    assert cut("abcdef", 4) == "abc…" and cut("abc", 4) == "abc" and cut("猫猫猫", 4) == "猫…"
