"""``--labels-from-xmp`` of ``mnv2 learn`` and ``mnv2 evaluate``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from mnv2cli.labels.imagenet import imagenet_labels
from mnv2cli.models.learned_file import read_learned
from tests.conftest import SHARED, FakeEngine, draw
from tests.learning.conftest import draw_photo, fast
from tests.tagging.photos import packet

Invoke = Callable[..., Result]

__all__ = ["fast"]


@pytest.fixture
def tagged(tmp_path: Path, fast: FakeEngine) -> Path:
    """Return photos in one folder and below, with sidecars; the fake network tells them apart."""
    folder = tmp_path / "photos"
    for position, word in enumerate(("bath", "kitchen")):
        for number in range(6):
            below = folder / "2020" if number % 2 else folder
            photo = draw_photo(below / f"{word[0]}{number}.png", position, number)
            sidecar(photo, word if number else word.upper(), "house")
    sidecar(draw_photo(folder / "both.png", 2, 0), "bath", "kitchen")
    sidecar(draw_photo(folder / "ours.png", 2, 1), "kitchen", ours=("kitchen",))
    draw_photo(folder / "none.png", 2, 2)
    return folder


def sidecar(photo: Path, *words: str, ours: tuple[str, ...] | None = None) -> None:
    photo.with_name(f"{photo.name}.xmp").write_bytes(packet(*words, ours=ours))


CHOSEN = ("--labels-from-xmp", "--keyword", "kitchen", "--keyword", "bath=bathroom")


def test_classes_are_learned_from_keywords(tagged: Path, invoke: Invoke) -> None:
    done = invoke("learn", "photos", *CHOSEN, "-o", "mine.keras")
    assert done.exit_code == 0, done.output
    assert "Learned 2 classes from 12 photos" in done.stdout
    assert "Skipped: no keyword 2, keywords of several classes 1; -v" in done.stdout
    content = read_learned("mine.keras")
    assert content.class_names == ("bathroom", "kitchen")
    assert content.training["folders"] == [str(tagged)]
    named = invoke("learn", "photos", *CHOSEN, "-o", "mine.keras", "--force", "-v").stdout
    assert "both.png: keywords of several classes: bathroom, kitchen" in named


def test_keywords_and_subfolders_give_the_same_model(
    tagged: Path, tmp_path: Path, invoke: Invoke
) -> None:
    for photo in tagged.rglob("[bk][0-9].png"):
        target = tmp_path / "sub" / ("bathroom" if photo.name[0] == "b" else "kitchen") / photo.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(photo, target)
    assert invoke("learn", "photos", *CHOSEN, "-o", "keywords.keras").exit_code == 0
    assert invoke("learn", "sub", "-o", "sub.keras").exit_code == 0
    keywords, sub = (read_learned(f"{name}.keras") for name in ("keywords", "sub"))
    assert keywords.training["hash"] == sub.training["hash"]
    assert keywords.training["accuracy"] == sub.training["accuracy"]


def test_corrections_are_learned_in_addition_to_keywords(tagged: Path, invoke: Invoke) -> None:
    assert invoke("learn", "photos", *CHOSEN, "-o", "mine.keras").exit_code == 0
    sort = ("sort", "new", "--into", "sorted", "--model", "mine.keras", "--threshold", "0")
    for number in range(4):
        draw_photo(tagged.parent / "new" / f"{number}.png", 1, 50 + number)
    assert invoke(*sort).exit_code == 0
    moved = next(path for path in (tagged.parent / "sorted").rglob("*.png"))
    target = tagged.parent / "sorted" / "bathroom" / moved.name
    target.parent.mkdir(exist_ok=True)
    moved.rename(target)
    done = invoke("learn", "--from-sorted", "sorted", "-o", "mine.keras")
    assert done.exit_code == 0, done.output
    content = read_learned("mine.keras")
    assert content.training["photos"] == 13
    assert content.training["folders"] == [str(tagged), str(tagged.parent / "sorted")]


def test_all_keywords_of_one_kind_need_to_be_chosen(tagged: Path, invoke: Invoke) -> None:
    done = invoke("learn", "photos", "--labels-from-xmp", "-o", "mine.keras")
    assert done.exit_code == 3
    assert "The most frequent keywords are house (12)" in done.stderr
    assert not Path("mine.keras").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("photos --keyword x", "--keyword requires --labels-from-xmp"),
        ("--labels x.csv --labels-from-xmp", "cannot be combined with --labels"),
        ("--labels-from-xmp", "requires FOLDER"),
        ("photos --labels-from-xmp --keyword =x", "is not a word or WORD=CLASS"),
    ],
)
@pytest.mark.parametrize("command", ["learn -o mine.keras", "evaluate"])
def test_options_that_contradict_each_other_are_refused(
    command: str, options: str, message: str, tagged: Path, invoke: Invoke
) -> None:
    done = invoke(*command.split(), *options.split())
    assert message in done.stderr
    assert done.exit_code == 2


def test_keywords_and_corrections_are_refused(tagged: Path, invoke: Invoke) -> None:
    done = invoke("learn", "photos", "--labels-from-xmp", "--from-sorted", "x", "-o", "mine.keras")
    assert "--labels-from-xmp cannot be combined with --from-sorted" in done.stderr
    assert done.exit_code == 2


def test_folder_without_keywords_says_where_it_looked(tmp_path: Path, invoke: Invoke) -> None:
    draw(tmp_path / "photos" / "a.png")
    folder = str(tmp_path / "photos")
    for command in (("learn", folder, "-o", str(tmp_path / "m.keras")), ("evaluate", folder)):
        done = invoke(*command, "--labels-from-xmp")
        assert done.exit_code == 3, done.stderr
        assert "nor in a sidecar beside it" in done.stderr
        assert "exiftool -subject+=" in done.stderr


def test_own_model_is_measured_by_keywords(tagged: Path, invoke: Invoke) -> None:
    assert invoke("learn", "photos", *CHOSEN, "-o", "mine.keras").exit_code == 0
    done = invoke("evaluate", "photos", *CHOSEN, "--model", "mine.keras", "--json")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["photos"], found["learned_from"], found["top1"]) == (12, 12, 1)
    assert "skipped 3 photos by their keywords: no keyword 2, keywords of" in done.stderr
    assert len(found["skipped"]) == 3
    run = ("evaluate", "photos", "--labels-from-xmp", "--model", "mine.keras", "-v")
    done = invoke(*run, "--report", "eval.html")
    assert "<li>8 photos without a class by their keywords: " in Path("eval.html").read_text()
    assert "7 photos of 1 class" in done.stdout  # the model has no class "bath"
    assert "b1.png: no keyword of a class: bath, house" in done.stderr


def test_results_are_measured_by_keywords(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, invoke: Invoke
) -> None:
    monkeypatch.chdir(tmp_path)
    label = imagenet_labels()[281]  # tabby
    rows = ["path,status,wnid_1,label_1,score_1,error,model"]
    for number in range(3):
        photo = draw(tmp_path / "photos" / f"{number}.png")
        sidecar(photo, *(("animal", "cat") if number else ("holiday",)))
        rows.append(f"photos/{number}.png,ok,{label.wnid},{label.name},0.9,,net")
    Path("labels.csv").write_text("\n".join(rows) + "\n")
    done = invoke("evaluate", "photos", "--labels-from-xmp", "--results", "labels.csv", "--json")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["photos"], found["top1"], found["matched"]) == (2, 1, "1 category")
    assert found["foreign_in_results"] == []
    assert "no keyword of a class 1" in done.stderr


def test_chosen_class_that_own_results_do_not_name_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, invoke: Invoke
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = ["path,status,wnid_1,label_1,score_1,error,model"]
    for number, word in enumerate(("kitchen", "bath")):
        sidecar(draw(tmp_path / "photos" / f"{number}.png"), word)
        rows.append(f"photos/{number}.png,ok,,kitchen,0.9,,mine.keras")
    Path("labels.csv").write_text("\n".join(rows) + "\n")
    run = ("evaluate", "photos", "--labels-from-xmp", "--results", "labels.csv", "--json")
    assert json.loads(invoke(*run).stdout)["photos"] == 1
    found = json.loads(invoke(*run, "--keyword", "bath", "--keyword", "kitchen").stdout)
    assert (found["photos"], found["top1"]) == (2, 0.5)
    done = invoke(*run, "--keyword", "qwerty")
    assert done.exit_code == 2
    assert "'qwerty'" in done.stderr


@pytest.mark.real_model
@pytest.mark.skipif(
    not (SHARED / "rooms").is_dir(), reason="needs photos and weights beside the repository"
)
def test_sidecars_of_rooms_teach_what_subfolders_teach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, invoke: Invoke
) -> None:
    """Photos in one flat folder, whose sidecars name the room, give the accuracy of subfolders."""
    monkeypatch.setenv("KERAS_HOME", str(SHARED / "keras"))
    monkeypatch.chdir(tmp_path)
    for path in (SHARED / "rooms").glob("*/*.jpg"):
        house = int(path.name.partition("_")[0])
        if house <= 12:
            target = tmp_path / "sub" / path.parent.name / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        if house <= 18:
            flat = tmp_path / ("flat" if house <= 12 else "test") / path.name
            flat.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, flat)
            sidecar(flat, path.parent.name.title(), "house", f"{house}")
    group = ("--group-by", "([0-9]+)_[a-z]+", "--json")
    rooms = sorted(path.name for path in (tmp_path / "sub").iterdir())
    chosen = [f"--keyword={room}" for room in rooms]
    by_folder = invoke("learn", "sub", "-o", "sub.keras", *group)
    by_keyword = invoke("learn", "flat", "--labels-from-xmp", *chosen, "-o", "flat.keras", *group)
    assert by_keyword.exit_code == 0, by_keyword.output
    first, second = json.loads(by_folder.stdout), json.loads(by_keyword.stdout)
    assert (first["photos"], first["groups"]) == (second["photos"], second["groups"])
    assert second["accuracy"] == pytest.approx(first["accuracy"], abs=0.05)
    run = ("evaluate", "test", "--labels-from-xmp", "--model", "flat.keras", "--json")
    found = json.loads(invoke(*run).stdout)
    assert found["photos"] == 6 * len(rooms) and found["top1"] >= 0.85
