"""The page of a learned model: each photo with its held-out labels, the others with a reason."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from mnv2cli.learning.learn import learn
from mnv2cli.learning.learned import Learned
from mnv2cli.learning.pages.learned import learned_content, learned_panel
from mnv2cli.reporting.content import Entry
from tests.learning.conftest import draw_classes, draw_photo
from tests.learning.pages.panels import PanelHtml

pytestmark = pytest.mark.usefixtures("fast")

EVIL = "<img src=x onerror=alert(1)>"


def entries(learned: Learned) -> dict[str, Entry]:
    return {each.record.path: each for each in learned_content(learned).entries}


def test_photos_have_held_out_labels_and_suspects_a_note(tmp_path: Path) -> None:
    folder = draw_classes(tmp_path / "photos", cat=20, dog=20, bird=20, cow=20, hen=20)
    draw_photo(folder / "cat" / "woof.png", 1, 50)
    learned = learn("photos", "mine.keras")
    found = entries(learned)
    assert len(found) == learned.photos == 101
    woof = found["photos/cat/woof.png"]
    assert (woof.truth, woof.right) == ("cat", False)
    assert woof.record.predictions[0].label == "dog"
    assert woof.note == "probably in the wrong class: looks like dog"
    other = found["photos/cat/cat0.png"]
    assert (other.truth, other.right, other.note) == ("cat", True, "")
    assert sum(each.score for each in other.record.predictions) == pytest.approx(1)
    assert sum(bool(each.right) for each in found.values()) == round(learned.accuracy * 101)


def test_photos_that_were_not_learned_from_have_a_reason(tmp_path: Path) -> None:
    folder = draw_classes(tmp_path / "photos", cat=5, dog=5)
    shutil.copy(folder / "cat" / "cat0.png", folder / "cat" / "copy.png")
    shutil.copy(folder / "cat" / "cat1.png", folder / "dog" / "both.png")
    (folder / "dog" / "bad.jpg").write_text("no image")
    (folder / "notes.txt").write_text("no photo")
    shutil.copy(folder / "cat" / "cat2.png", folder / "loose.png")
    learned = learn("photos", "mine.keras")
    errors = {path: each.record.error for path, each in entries(learned).items()}
    assert {path: error for path, error in errors.items() if error} == {
        "photos/loose.png": "skipped: not in the folder of a class",
        "photos/dog/bad.jpg": "not an image: a text file",
        "photos/cat/copy.png": "copy of another photo",
        "photos/cat/cat1.png": "in several classes: cat, dog",
        "photos/dog/both.png": "in several classes: cat, dog",
    }
    panel = PanelHtml("".join(learned_panel(learned)))
    assert "1 photo could not be read: photos/dog/bad.jpg" in panel.shown
    assert "2 photos in several classes" in panel.shown


def test_the_panel_is_well_formed_and_shows_names_as_text(tmp_path: Path) -> None:
    folder = draw_classes(tmp_path / "photos", **{EVIL: 9, "dog": 9})
    draw_photo(folder / EVIL / f"{EVIL}.png", 1, 50)
    html = "".join(learned_panel(learn("photos", "mine.keras")))
    panel = PanelHtml(html)
    assert not panel.open and "img" not in panel.tags and "://" not in html
    assert EVIL in panel.shown
    assert "Probably in the wrong class" in panel.shown and "Confusion matrix" in panel.shown


def test_photos_whose_files_are_gone_are_only_in_the_figures(
    tmp_path: Path, invoke: Callable[..., Result]
) -> None:
    draw_classes(tmp_path / "photos", cat=8, dog=8)
    learn("photos", "mine.keras")
    draw_photo(tmp_path / "new" / "0.png", 0, 60)
    done = invoke("sort", "new", "--into", "sorted", "--model", "mine.keras", "--no-unknown")
    assert done.exit_code == 0, done.output
    os.makedirs("sorted/dog")
    os.rename("sorted/cat/0.png", "sorted/dog/0.png")
    shutil.rmtree("photos")
    learned = learn(None, "mine.keras", from_sorted="sorted")
    assert list(entries(learned)) == [os.path.join("sorted", "dog", "0.png")]
    panel = PanelHtml("".join(learned_panel(learned)))
    assert not panel.open
    assert "16 photos learned earlier are in the figures, but not on this page" in panel.shown
    assert "What the corrections changed" in panel.shown
