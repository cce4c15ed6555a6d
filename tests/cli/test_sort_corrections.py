"""``mnv2 sort --from RESULTS --corrections FILE``."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.conftest import draw
from tests.sorting.trees import restore_times, snapshot

Invoke = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("fake_engine")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, invoke: Invoke) -> Path:
    """Return a folder with ``photos``, one of them broken, and their results ``r.csv``."""
    monkeypatch.chdir(tmp_path)
    for i, red in enumerate([0, 1, 6, 60]):  # tench, goldfish, stingray, night snake
        draw(tmp_path / "photos" / f"{i}.png", (red, 9, 0))
    (tmp_path / "photos" / "bad.jpg").write_text("no image")
    (tmp_path / "photos" / "3.xmp").write_text("notes")
    invoke("classify", "photos", "-q", "--category", "-o", "r.csv")
    restore_times(tmp_path)
    return tmp_path


def corrections(folder: Path, *rows: str, header: str = "path,label,review") -> str:
    (folder / "c.csv").write_text("\n".join([header, *rows, ""]))
    return "c.csv"


def below(path: Path) -> list[str]:
    return sorted(
        str(p.relative_to(path)) for p in path.rglob("*") if p.is_file() and ".mnv2" not in p.parts
    )


def test_corrected_photos_are_sorted_by_their_labels_and_undone(
    folder: Path, invoke: Invoke
) -> None:
    name = corrections(
        folder,
        "photos/0.png,beagle,corrected",
        "./photos/1.png,,wrong",
        "photos/2.png,,rejected",
        "photos/3.png,Mia,corrected",
        "photos/bad.jpg,dog,corrected",
        "photos/gone.jpg,dog,corrected",
    )
    before = snapshot(folder)
    args = ("sort", "--from", "r.csv", "--corrections", name, "--into", "out", "--move")
    result = invoke(*args)
    assert result.exit_code == 4  # one image cannot be read
    assert below(folder / "out") == ["Mia/3.png", "Mia/3.xmp", "dog/0.png", "unsure/1.png"]
    assert below(folder / "photos") == ["2.png", "bad.jpg"]
    assert "1 correction does not belong to a photo in the results, such as 'photos/gone.jpg'" in (
        result.stderr
    )
    assert "left  photos/2.png: rejected" in result.stderr
    assert "left  photos/bad.jpg: not an image: a text file" in result.stderr
    assert "Unsure     1 photo: marked as wrong\n" in result.stderr
    assert invoke("undo", "out").exit_code == 0
    assert snapshot(folder) == before


def test_rejected_photos_alone_do_not_fail_the_run(folder: Path, invoke: Invoke) -> None:
    (folder / "photos" / "bad.jpg").unlink()
    invoke("classify", "photos", "-q", "-o", "good.csv")
    name = corrections(folder, "photos/0.png,,rejected")
    args = ("--from", "good.csv", "--corrections", name, "--by", "label")
    result = invoke("sort", *args, "--into", "out")
    assert result.exit_code == 0, result.output
    assert below(folder / "out") == [
        "goldfish/1.png", "night snake/3.png", "night snake/3.xmp", "stingray/2.png",
    ]  # fmt: skip
    assert "Left       1 photo in place" in result.stderr


def test_corrections_apply_to_previews_and_plans(folder: Path, invoke: Invoke) -> None:
    name = corrections(folder, "photos/0.png,Mia,corrected", "photos/1.png,goldfish,confirmed")
    args = ("sort", "--from", "r.csv", "--corrections", name, "--into", "out", "--threshold", "1")
    result = invoke(*args, "--dry-run")
    assert result.exit_code == 4 and "Mia  1" in result.stdout and "fish  1" in result.stdout
    assert "unsure/ gets 2 photos: score below 1." in result.stdout
    assert not (folder / "out").exists()
    invoke(*args, "--plan", "plan.csv")
    rows = list(csv.DictReader(io.StringIO((folder / "plan.csv").read_text())))
    assert [(row["folder"], row["reason"]) for row in rows[:2]] == [
        ("Mia", "corrected"),
        ("fish", "confirmed"),
    ]
    assert invoke("sort", "--apply", "plan.csv", "--into", "out").exit_code == 0
    assert "Mia/0.png" in below(folder / "out")


def test_hostile_labels_stay_in_the_destination(folder: Path, invoke: Invoke) -> None:
    labels = ["../../x", "con", "a/b", "<script>"]
    name = corrections(folder, *(f"photos/{i}.png,{each}" for i, each in enumerate(labels)),
                       header="path,label")  # fmt: skip
    before = {each.name for each in folder.iterdir()}
    result = invoke("sort", "--from", "r.csv", "--corrections", name, "--into", "out")
    assert result.exit_code == 4
    assert below(folder / "out") == [
        "_._.._x/0.png", "_con/1.png", "_script_/3.png", "_script_/3.xmp", "a_b/2.png",
    ]  # fmt: skip
    assert {each.name for each in folder.iterdir()} - before == {"out"}


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (["photos"], "--corrections requires --from: name the results that were corrected."),
        ([], "--corrections requires --from: name the results that were corrected."),
        (["--refresh"], "--corrections cannot be combined with --refresh"),
        (["--apply", "r.csv"], "--corrections cannot be combined with --apply"),
        (["--from", "r.csv", "--apply", "r.csv"], "--from and --apply cannot be combined"),
    ],
)
def test_corrections_without_results_are_refused(
    folder: Path, invoke: Invoke, args: list[str], error: str
) -> None:
    name = corrections(folder, "photos/0.png,dog,corrected")
    before = snapshot(folder)
    result = invoke("sort", *args, "--corrections", name, "--into", "out")
    assert result.exit_code == 2 and error in result.stderr
    assert snapshot(folder) == before


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ("elsewhere/0.png,dog,corrected", "Error: not one photo in the results belongs to the 1 "
         "correction, such as that of 'elsewhere/0.png'\n"),
        ("photos/0.png,dog,maybe", "Error: line 2 of 'c.csv' has the unknown review 'maybe'\n"),
        ("photos/0.png,,corrected", "Error: line 2 of 'c.csv' is corrected, but has no label\n"),
    ],
)  # fmt: skip
def test_corrections_that_make_no_sense_are_refused(
    folder: Path, invoke: Invoke, row: str, error: str
) -> None:
    name = corrections(folder, row)
    before = snapshot(folder)
    result = invoke("sort", "--from", "r.csv", "--corrections", name, "--into", "out")
    assert result.exit_code == 2 and result.stderr.startswith(error)
    assert snapshot(folder) == before


def test_an_empty_file_of_corrections_is_a_warning(folder: Path, invoke: Invoke) -> None:
    name = corrections(folder)
    result = invoke("sort", "--from", "r.csv", "--corrections", name, "--into", "out")
    assert result.exit_code == 4 and "Warning: c.csv has no corrections\n" in result.stderr
    assert "fish/0.png" in below(folder / "out")


def test_categories_of_a_file_are_named_for_corrections(folder: Path, invoke: Invoke) -> None:
    (folder / "mine.toml").write_text('[water]\nmerge = ["fish"]\n')
    invoke("classify", "photos", "-q", "--categories", "mine.toml", "-o", "mine.csv")
    name = corrections(folder, "photos/3.png,goldfish,corrected")
    args = ("sort", "--from", "mine.csv", "--corrections", name, "-q", "--into")
    result = invoke(*args, "a")
    assert "Warning: mine.csv has the category 'water', which is not one of those that " in (
        result.stderr
    )
    assert "fish/3.png" in below(folder / "a")
    result = invoke(*args, "b", "--categories", "mine.toml")
    assert "Warning" not in result.stderr and "water/3.png" in below(folder / "b")
    result = invoke(*args, "c", "--by", "label")
    assert "Warning" not in result.stderr and "goldfish/3.png" in below(folder / "c")
    result = invoke("sort", "--from", "mine.csv", "--categories", "mine.toml", "--into", "d")
    assert result.exit_code == 2
