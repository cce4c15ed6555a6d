from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from PIL import Image

from mnv2cli.errors import InputError, NoImagesError, OutputError
from mnv2cli.learning.corrections import read_sorted
from mnv2cli.learning.learn import learn
from mnv2cli.learning.options import LearnOptions
from mnv2cli.models.learned_file import read_learned
from mnv2cli.sources.options import Filters
from mnv2cli.system.files import content_digest
from tests.journals.tag_runs import tag
from tests.learning.conftest import draw_classes, draw_photo

pytestmark = pytest.mark.usefixtures("fast")

Invoke = Callable[..., Result]


@pytest.fixture
def sorted_photos(tmp_path: Path, invoke: Invoke) -> Path:
    """A folder ``sorted``, by a model of cats and dogs; birds are among the cats."""
    draw_classes(tmp_path / "training", cat=8, dog=8)
    learn("training", "mine.keras")
    for position in (0, 1):
        for photo in range(20, 24):
            draw_photo(tmp_path / "new" / f"{position}_{photo}.png", position, photo)
    done = invoke("sort", "new", "--into", "sorted", "--model", "mine.keras", "--no-unknown")
    assert done.exit_code == 0, done.output
    return tmp_path / "sorted"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def move(photo: Path, folder: str) -> Path:
    target = photo.parents[1] / folder / photo.name
    target.parent.mkdir(exist_ok=True)
    os.rename(photo, target)
    return target


def test_moved_photo_is_a_correction_and_others_are_not(sorted_photos: Path) -> None:
    moved = move(sorted_photos / "cat" / "0_20.png", "dog")
    found = read_sorted("sorted", ("cat", "dog"), Filters(), content_digest)
    assert [(each.path, each.name, each.origin) for each in found.corrected] == [
        ("sorted/dog/0_20.png", "dog", os.path.abspath("new/0_20.png"))
    ]
    assert found.folders["sorted/dog/0_20.png"] == "cat"
    assert len(found.unmoved) == 7
    assert moved.exists()


def test_moves_within_a_class_and_out_of_all_classes_are_not_corrections(
    sorted_photos: Path,
) -> None:
    move(sorted_photos / "cat" / "0_20.png", "cat/best")
    os.rename(sorted_photos / "cat" / "0_21.png", sorted_photos / "cat" / "renamed.png")
    move(sorted_photos / "cat" / "0_22.png", "unsure")
    os.unlink(sorted_photos / "cat" / "0_23.png")
    found = read_sorted("sorted", ("cat", "dog"), Filters(), content_digest)
    assert not found.corrected
    assert len(found.unmoved) == 6
    assert found.ignored == [
        ("sorted/unsure/0_22.png", "was moved to a folder that is not a class")
    ]
    assert found.missing == 1


def test_thumbnails_of_a_report_are_no_new_photos(sorted_photos: Path) -> None:
    folder = sorted_photos / "cat" / "report_files" / "thumbnails-0a1b2c3d" / "0"
    folder.mkdir(parents=True)
    for row in range(3):
        Image.new("RGB", (40, 30), (row, 0, 0)).save(folder / f"{row}.webp")
    found = read_sorted("sorted", ("cat", "dog"), Filters(), content_digest)
    assert len(found.unmoved) == 8 and not found.corrected and not found.added


def test_photo_in_two_class_folders_is_not_learned(sorted_photos: Path) -> None:
    photo = sorted_photos / "cat" / "0_20.png"
    shutil.copy(photo, sorted_photos / "dog")
    found = read_sorted("sorted", ("cat", "dog"), Filters(), content_digest)
    assert not found.corrected and len(found.unmoved) == 7
    assert found.ignored == [("sorted/dog/0_20.png", "is in several classes: cat, dog")]
    with pytest.raises(NoImagesError, match=r"not learned: sorted/dog/0_20\.png: is in several"):
        learn(None, "mine.keras", from_sorted="sorted")
    os.unlink(photo)
    assert len(read_sorted("sorted", ("cat", "dog"), Filters(), content_digest).corrected) == 1
    (sorted_photos / "bird").mkdir()
    shutil.copy(sorted_photos / "dog" / "0_20.png", sorted_photos / "bird")
    found = read_sorted("sorted", ("cat", "dog", "bird"), Filters(), content_digest)
    assert not found.corrected
    assert found.ignored == [("sorted/bird/0_20.png", "is in several classes: bird, dog")]


def test_copies_of_an_unmoved_photo_outside_of_other_classes_change_nothing(
    sorted_photos: Path,
) -> None:
    (sorted_photos / "unsure").mkdir(exist_ok=True)
    (sorted_photos / "cat" / "best").mkdir()
    for folder in ("unsure", "cat/best"):
        shutil.copy(sorted_photos / "cat" / "0_20.png", sorted_photos / folder)
    found = read_sorted("sorted", ("cat", "dog"), Filters(), content_digest)
    assert len(found.unmoved) == 8 and not found.corrected and not found.ignored


def test_companion_that_stays_behind_is_not_a_photo_of_its_folder(
    tmp_path: Path, invoke: Invoke
) -> None:
    draw_classes(tmp_path / "training", cat=8, dog=8)
    learn("training", "mine.keras")
    photo = draw_photo(tmp_path / "new" / "a.png", 0, 20)
    photo.with_suffix(".dng").write_bytes(b"raw data")
    done = invoke("sort", "new", "--into", "sorted", "--model", "mine.keras", "--no-unknown")
    assert done.exit_code == 0, done.output
    assert names(tmp_path / "sorted" / "cat") == ["a.dng", "a.png"]
    move(tmp_path / "sorted" / "cat" / "a.png", "dog")
    found = read_sorted("sorted", ("cat", "dog"), Filters(), content_digest)
    assert [each.path for each in found.corrected] == ["sorted/dog/a.png"]
    assert not found.added and not found.unmoved and not found.ignored and not found.missing


def test_new_folder_with_two_photos_is_a_new_class(sorted_photos: Path) -> None:
    move(sorted_photos / "cat" / "0_20.png", "bird")
    found = read_sorted("sorted", ("cat", "dog"), Filters(), content_digest)
    assert found.new_names == ()
    assert found.ignored[0][1].startswith("bird is not a class yet")
    move(sorted_photos / "cat" / "0_21.png", "bird")
    found = read_sorted("sorted", ("cat", "dog"), Filters(), content_digest)
    assert found.new_names == ("bird",)
    learned = learn(None, "mine.keras", from_sorted="sorted")
    assert learned.class_names == ("cat", "dog", "bird")


def test_renamed_class_folder_is_no_second_class(sorted_photos: Path) -> None:
    os.rename(sorted_photos / "cat", sorted_photos / "Katze")
    with pytest.raises(NoImagesError, match="cat is Katze now") as caught:
        learn(None, "mine.keras", from_sorted="sorted")
    assert "rename the folder of its training photos" in caught.value.hint
    move(sorted_photos / "dog" / "1_20.png", "Katze")
    learned = learn(None, "mine.keras", from_sorted="sorted")
    assert learned.class_names == ("cat", "dog")
    assert "The folder of the class cat is named Katze now" in learned.summary()
    (sorted_photos / "cat").mkdir()
    found = read_sorted("sorted", ("cat", "dog"), Filters(), content_digest)
    assert found.new_names == ("Katze",) and not found.renamed


def test_relearned_model_knows_the_corrections_and_keeps_the_earlier_one(
    sorted_photos: Path,
) -> None:
    old = Path("mine.keras").read_bytes()
    moved = move(sorted_photos / "cat" / "0_20.png", "dog")
    learned = learn(None, "mine.keras", from_sorted="sorted")
    relearned = learned.relearned
    assert relearned is not None
    assert [(each.path, each.before, each.after) for each in relearned.corrections] == [
        ("sorted/dog/0_20.png", "cat", "dog")
    ]
    assert learned.photos == 17
    assert Path("mine.previous.keras").read_bytes() == old
    contents = read_learned("mine.keras").training["contents"]
    assert contents[content_digest(str(moved))][0] == 1
    text = learned.summary()
    assert "Learned 1 correction:\n  sorted/dog/0_20.png: cat → dog" in text
    assert "mnv2 sort --refresh --into sorted --model mine.keras" in text
    assert json.dumps(learned.as_object())


def test_relearning_twice_needs_new_corrections_and_changes_nothing(sorted_photos: Path) -> None:
    move(sorted_photos / "cat" / "0_20.png", "dog")
    learn(None, "mine.keras", from_sorted="sorted")
    before = [Path(name).read_bytes() for name in ("mine.keras", "mine.previous.keras")]
    with pytest.raises(NoImagesError, match="no new corrections in 'sorted'"):
        learn(None, "mine.keras", from_sorted="sorted")
    assert before == [Path(name).read_bytes() for name in ("mine.keras", "mine.previous.keras")]


def test_correction_that_was_moved_back_is_taken_back(sorted_photos: Path) -> None:
    moved = move(sorted_photos / "cat" / "0_20.png", "dog")
    learn(None, "mine.keras", from_sorted="sorted")
    photo = str(move(moved, "cat"))
    learned = learn(None, "mine.keras", from_sorted="sorted")
    assert "Learned 1 correction:\n  sorted/cat/0_20.png: dog → cat" in learned.summary()
    assert read_learned("mine.keras").training["contents"][content_digest(photo)][0] == 0
    with pytest.raises(NoImagesError):
        learn(None, "mine.keras", from_sorted="sorted")


def test_training_photo_that_sort_put_into_another_class_keeps_its_class(
    sorted_photos: Path, invoke: Invoke
) -> None:
    """It was not learned in the sorted folder, so that it was not moved back there."""
    photo = draw_photo(Path("training/dog/cat.png"), 0, 40)
    learn("training", "mine.keras", options=LearnOptions(force=True))
    done = invoke("sort", str(photo), "--into", "sorted", "--model", "mine.keras", "--no-unknown")
    assert done.exit_code == 0, done.output
    assert (sorted_photos / "cat" / "cat.png").exists()
    with pytest.raises(NoImagesError):
        learn(None, "mine.keras", from_sorted="sorted")


@pytest.mark.parametrize("folder", ["unsure", "unknown", "other"])
def test_correction_that_was_moved_out_of_all_classes_is_no_longer_learned(
    sorted_photos: Path, folder: str
) -> None:
    moved = move(sorted_photos / "cat" / "0_20.png", "dog")
    added = draw_photo(sorted_photos / "dog" / "added.png", 1, 50)
    assert learn(None, "mine.keras", from_sorted="sorted").photos == 18
    outside = [move(moved, folder), move(added, folder)]
    learned = learn(None, "mine.keras", from_sorted="sorted")
    assert learned.photos == 16
    assert "No longer learned: 2 photos" in learned.summary()
    contents = read_learned("mine.keras").training["contents"]
    assert not any(content_digest(str(path)) in contents for path in outside)
    with pytest.raises(NoImagesError):
        learn(None, "mine.keras", from_sorted="sorted")


def test_new_class_whose_photos_were_moved_out_is_removed(sorted_photos: Path) -> None:
    birds = [move(sorted_photos / "cat" / f"0_{number}.png", "bird") for number in (20, 21)]
    assert learn(None, "mine.keras", from_sorted="sorted").class_names == ("cat", "dog", "bird")
    move(birds[0], "unsure")
    with pytest.raises(InputError, match="'bird' would have 1 photo left"):
        learn(None, "mine.keras", from_sorted="sorted")
    move(birds[1], "unsure")
    assert learn(None, "mine.keras", from_sorted="sorted").class_names == ("cat", "dog")


def test_training_photos_are_found_by_content_where_they_are_renamed(
    sorted_photos: Path, tmp_path: Path
) -> None:
    move(sorted_photos / "cat" / "0_20.png", "dog")
    os.rename("training/cat", "training/pets")
    assert learn(None, "mine.keras", from_sorted="sorted").photos == 17


def test_removed_training_photos_are_found_in_the_cache(sorted_photos: Path) -> None:
    move(sorted_photos / "cat" / "0_20.png", "dog")
    shutil.rmtree("training")
    learned = learn(None, "mine.keras", from_sorted="sorted")
    assert learned.photos == 17


def test_training_photos_that_are_nowhere_must_be_named(sorted_photos: Path) -> None:
    move(sorted_photos / "cat" / "0_20.png", "dog")
    os.rename("training", "elsewhere")
    options = LearnOptions(cache=False)
    old = Path("mine.keras").read_bytes()
    with pytest.raises(InputError, match="8 of the 8 photos of 'cat'") as caught:
        learn(None, "mine.keras", from_sorted="sorted", options=options)
    assert "mnv2 learn FOLDER --from-sorted sorted -o mine.keras" in caught.value.hint
    assert Path("mine.keras").read_bytes() == old
    assert not Path("mine.previous.keras").exists()
    learned = learn("elsewhere", "mine.keras", from_sorted="sorted", options=options)
    assert learned.photos == 17


def test_without_an_earlier_model_the_training_folder_is_required(sorted_photos: Path) -> None:
    move(sorted_photos / "cat" / "0_20.png", "dog")
    with pytest.raises(InputError, match="no earlier model"):
        learn(None, "other.keras", from_sorted="sorted")
    assert learn("training", "other.keras", from_sorted="sorted").photos == 17
    learned = learn(None, "third.keras", from_sorted="sorted", model="mine.keras")
    assert learned.photos == 17
    assert learned.relearned is not None and not learned.relearned.backup


def test_trust_all_learns_unmoved_photos_too(sorted_photos: Path) -> None:
    learned = learn(None, "mine.keras", from_sorted="sorted", options=LearnOptions(trust_all=True))
    assert learned.photos == 24
    assert learned.relearned is not None and learned.relearned.trusted == 8
    text = " ".join(learned.summary().split())
    assert "8 of 24 labels are the earlier model's own answers, so the accuracy flatters." in text
    assert "0 corrections" not in text and "corrections right" not in text
    move(sorted_photos / "cat" / "0_20.png", "dog")
    again = learn(None, "mine.keras", from_sorted="sorted")
    assert again.relearned is not None and again.relearned.answers == 7


def test_folder_without_a_journal_is_refused(tmp_path: Path) -> None:
    draw_classes(tmp_path / "training", cat=4, dog=4)
    learn("training", "mine.keras")
    os.rename("training", "my training")
    with pytest.raises(InputError, match="was not made by mnv2 sort") as caught:
        learn(None, "mine.keras", from_sorted="my training")
    assert "mnv2 learn 'my training'" in caught.value.hint


def test_full_disk_keeps_both_models(sorted_photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    move(sorted_photos / "cat" / "0_20.png", "dog")
    old = Path("mine.keras").read_bytes()

    def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mnv2cli.system.files.os.replace", full)
    with pytest.raises(OutputError, match="no space left") as caught:
        learn(None, "mine.keras", from_sorted="sorted")
    assert caught.value.hint == "Free some space."
    assert Path("mine.keras").read_bytes() == old
    assert not [path for path in Path().iterdir() if "previous" in path.name]


def test_refresh_moves_what_the_new_model_puts_elsewhere_and_is_undone(
    sorted_photos: Path, invoke: Invoke
) -> None:
    """Photos of the dogs' colour are cats now; a photo that the user moved stays."""
    moved = move(sorted_photos / "dog" / "1_20.png", "cat")
    draw_classes(Path("changed"), dog=6, cat=6)  # the classes have changed their colours
    learn("changed", "mine.keras", options=LearnOptions(force=True))
    arguments = ("sort", "--refresh", "--into", "sorted", "--model", "mine.keras", "--no-unknown")
    before = names(sorted_photos / "cat"), names(sorted_photos / "dog")
    assert invoke(*arguments, "--dry-run").exit_code == 0
    assert (names(sorted_photos / "cat"), names(sorted_photos / "dog")) == before
    done = invoke(*arguments)
    assert done.exit_code == 0, done.output
    assert names(sorted_photos / "cat") == ["1_20.png", "1_21.png", "1_22.png", "1_23.png"]
    assert names(sorted_photos / "dog") == ["0_20.png", "0_21.png", "0_22.png", "0_23.png"]
    assert moved.exists()
    done = invoke(*arguments)
    assert "nothing new" in done.output
    done = invoke("sort", "new", "--into", "sorted", "--model", "mine.keras", "--no-unknown")
    assert "Skipped    8 photos" in done.output, done.output
    assert invoke("undo", "sorted").exit_code == 0
    assert (names(sorted_photos / "cat"), names(sorted_photos / "dog")) == before


@pytest.mark.parametrize(
    "arguments", [("new",), ("--move",), ("--from", "x.csv"), ("--include", "*.jpg")]
)
def test_refresh_refuses_options_that_it_would_ignore(
    sorted_photos: Path, invoke: Invoke, arguments: tuple[str, ...]
) -> None:
    Path("x.csv").touch()
    done = invoke("sort", *arguments, "--refresh", "--into", "sorted", "--model", "mine.keras")
    assert done.exit_code == 2
    assert "cannot be combined with --refresh" in done.output


def test_refresh_of_a_folder_that_does_not_exist_says_so(
    sorted_photos: Path, invoke: Invoke
) -> None:
    done = invoke("sort", "--refresh", "--into", "nosuch", "--model", "mine.keras")
    assert done.exit_code == 2
    assert "the folder 'nosuch' does not exist" in done.output
    assert not Path("nosuch").exists()


def test_command_learns_corrections(sorted_photos: Path, invoke: Invoke) -> None:
    move(sorted_photos / "cat" / "0_20.png", "dog")
    done = invoke("learn", "--from-sorted", "sorted", "-o", "mine.keras")
    assert done.exit_code == 0, done.output
    assert "The earlier model is mine.previous.keras." in done.stdout


@pytest.mark.parametrize("tagged", ["before they were moved", "after they were moved"])
def test_tagged_photos_are_those_that_were_sorted(sorted_photos: Path, tagged: str) -> None:
    def embed(*photos: Path) -> None:
        tag(sorted_photos, {photo: photo.read_bytes() + b"tags" for photo in photos})

    paths = [sorted_photos / "cat" / "0_20.png", sorted_photos / "cat" / "0_21.png"]
    if tagged.startswith("before"):
        embed(*paths)
    moved = move(paths[0], "dog")
    if tagged.startswith("after"):
        embed(moved, paths[1])
    found = read_sorted("sorted", ("cat", "dog"), Filters(), content_digest)
    assert [(each.path, each.name, each.origin) for each in found.corrected] == [
        ("sorted/dog/0_20.png", "dog", os.path.abspath("new/0_20.png"))
    ]
    assert (len(found.unmoved), found.missing, found.added, found.ignored) == (7, 0, [], [])
