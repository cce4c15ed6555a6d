"""``mnv2 calibrate``: its screen, exit codes and messages."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from mnv2cli.models.learned_file import read_learned
from mnv2cli.system.files import content_digest
from tests.learning.learned_models import ColourEngine, draw_photos, use_colours, write_model

Invoke = Callable[..., Result]


@pytest.fixture(autouse=True)
def colours(monkeypatch: pytest.MonkeyPatch) -> ColourEngine:
    """Replace the network with a fake."""
    return use_colours(monkeypatch)


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a model, beside the folder ``photos`` with photos of its classes."""
    monkeypatch.chdir(tmp_path)
    draw_photos(tmp_path / "photos")
    return write_model(tmp_path / "mine.keras")


def test_figures_are_printed_and_the_model_is_replaced(model: Path, invoke: Invoke) -> None:
    result = invoke(
        "calibrate", "photos", "--model", "mine.keras", "--precision", "0.9",
        env={"COLUMNS": "120"},
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert "scores were off by" in result.stdout and "wanted 90.0 %" in result.stdout
    assert "Threshold" in result.stdout and "green" in result.stdout
    assert "does not say which photos it learned from" in result.stderr
    assert "Written    mine.keras" in result.stderr
    assert read_learned("mine.keras").training["calibration"]["precision"] == 0.9


def test_json_has_all_figures(model: Path, invoke: Invoke) -> None:
    result = invoke("calibrate", "photos", "--model", "mine.keras", "-o", "new.keras", "--json")
    found = json.loads(result.stdout)
    assert (found["path"], found["photos"]) == ("new.keras", 120)
    assert [each["name"] for each in found["classes"]] == ["red", "green", "blue"]


def test_learned_photos_and_classes_without_evidence_are_named(model: Path, invoke: Invoke) -> None:
    learned = [path for path in Path("photos").rglob("*.png") if path.parent.name == "blue"][:37]
    contents = {content_digest(str(path)): [2, 0] for path in learned}
    write_model(model, training={"contents": contents})
    for path in Path("photos").glob("green/[0-3].png"):  # those that look blue
        path.unlink()
    result = invoke("calibrate", "photos", "--model", "mine.keras")
    assert result.exit_code == 0, result.stderr
    assert "skipped 37 photos that the model learned from" in result.stderr
    assert "blue: only" in result.stderr and "usual" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (("photos",), 2, "--model"),
        (("photos", "--model", "none.keras"), 2, "not found: none.keras"),
        (("photos", "--model", "mobilenet_v2"), 2, "mnv2 sort --threshold"),
        (("photos", "--model", "mine.keras", "--precision", "98"), 2, "use 0.98"),
        (("photos", "--model", "mine.keras", "--precision", "0"), 2, "above 0"),
        (("photos", "--model", "mine.keras", "--force"), 2, "--force requires --output"),
        (("photos", "--model", "mine.keras", "-o", "a.txt"), 2, "ends in .keras"),
        (("none", "--model", "mine.keras"), 2, "does not exist"),
        (("empty", "--model", "mine.keras"), 3, "has a class"),
        (("other", "--model", "mine.keras"), 2, "class of the model: 'mauve'"),
    ],
)
def test_hostile_inputs_have_a_message_and_the_model_is_unchanged(
    arguments: tuple[str, ...], code: int, reason: str, model: Path, invoke: Invoke
) -> None:
    Path("empty").mkdir()
    Path("other", "mauve").mkdir(parents=True)
    Path("photos", "red", "0.png").rename(Path("other", "mauve", "0.png"))
    before = model.read_bytes()
    result = invoke("calibrate", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert reason in result.stderr
    assert model.read_bytes() == before
