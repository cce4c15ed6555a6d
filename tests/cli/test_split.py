"""``mnv2 split``: folders and lists, what belongs together, reruns, and undo."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from mnv2cli import SplitOptions, split
from mnv2cli.errors import InputError, NoImagesError
from mnv2cli.sorting.run import SortRun
from tests.conftest import draw
from tests.learning.conftest import draw_classes, draw_photo, fast  # noqa: F401

Run = Callable[..., Result]


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with 20 cats, 10 dogs; the current folder is the one it is in."""
    monkeypatch.chdir(tmp_path)
    return draw_classes(tmp_path / "photos", cat=20, dog=10)


def tree(dest: Path) -> dict[str, str]:
    """Return the set of each photo in a destination, by class and name."""
    found = {}
    for path in sorted(dest.rglob("*.png")):
        name, *rest = path.relative_to(dest).parts
        found["/".join(rest)] = name
    return found


def test_photos_are_copied_by_class_and_share(invoke: Run, photos: Path, tmp_path: Path) -> None:
    result = invoke("split", "photos", "--into", "ds", "--no-near")
    assert result.exit_code == 0, result.output
    sets = tree(tmp_path / "ds")
    assert Counter((path[:3], name) for path, name in sets.items()) == {
        ("cat", "train"): 16, ("cat", "val"): 2, ("cat", "test"): 2,
        ("dog", "train"): 8, ("dog", "val"): 1, ("dog", "test"): 1,
    }  # fmt: skip
    assert "30 photos copied into ds" in result.stderr
    assert "all        24       3       3" in result.stderr
    assert "To undo    mnv2 undo ds" in result.stderr
    assert len(list(photos.rglob("*.png"))) == 30


def test_undo_leaves_nothing(invoke: Run, photos: Path, tmp_path: Path) -> None:
    assert invoke("split", "photos", "--into", "ds", "--no-near", "--move").exit_code == 0
    assert not list(photos.rglob("*.png"))
    assert invoke("undo", "ds").exit_code == 0
    assert len(list(photos.rglob("*.png"))) == 30
    assert not (tmp_path / "ds").exists()


@pytest.mark.usefixtures("default_signals", "photos")
@pytest.mark.parametrize("method", ["--copy", "--move"])
@pytest.mark.parametrize("by", ["command", "python"])
def test_running_again_finishes_an_interrupted_split(
    invoke: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, by: str
) -> None:
    command = ("split", "photos", "--no-near", method, "--into")
    assert invoke(*command[:3], "--copy", "--into", "whole").exit_code == 0
    real, done = SortRun.execute, 0

    def interrupt(self: object, *args: object) -> None:
        nonlocal done
        real(self, *args)  # type: ignore[arg-type]
        done += 1
        if done == 7:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(SortRun, "execute", interrupt)
    stopped = invoke(*command, "ds")
    assert stopped.exit_code == 130
    assert "To finish, run the same command again; to undo: mnv2 undo ds\n" in stopped.stderr
    assert 0 < len(tree(tmp_path / "ds")) < 30
    monkeypatch.setattr(SortRun, "execute", real)
    if by == "python":
        options = SplitOptions(near=False, method="move" if method == "--move" else "copy")
        if method == "--move":  # none is left to split
            with pytest.raises(NoImagesError):
                split("photos", "ds", options=options)
        else:
            assert split("photos", "ds", options=options).failed == []
    else:
        again = invoke(*command, "ds")
        assert again.exit_code == 0, again.stderr
        assert "Finished an interrupted run: 23 files." in again.stderr
        assert "To undo    mnv2 undo ds" in again.stderr
    assert tree(tmp_path / "ds") == tree(tmp_path / "whole")
    assert invoke("undo", "ds").exit_code == 0
    assert len(list(Path("photos").rglob("*.png"))) == 30


@pytest.mark.usefixtures("default_signals", "photos")
def test_photos_that_vanished_after_an_interruption_are_named(
    invoke: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = SortRun.execute

    def interrupt(self: object, *args: object) -> None:
        real(self, *args)  # type: ignore[arg-type]
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(SortRun, "execute", interrupt)
    assert invoke("split", "photos", "--no-near", "--move", "--into", "ds").exit_code == 130
    monkeypatch.setattr(SortRun, "execute", real)
    gone = next(Path("photos").rglob("*.png"))
    gone.unlink()
    result = invoke("split", "photos", "--no-near", "--move", "--into", "ds")
    assert result.exit_code == 1
    assert f"{gone}: no such file" in result.stderr and "To undo    mnv2 undo ds" in result.stderr


def test_a_number_of_photos_is_that_number(invoke: Run, photos: Path, tmp_path: Path) -> None:
    command = ("split", "photos", "--no-near", "--into")
    assert invoke(*command, "ds", "--val", "1", "--test", "4").exit_code == 0
    assert Counter(tree(tmp_path / "ds").values()) == {"train": 25, "val": 1, "test": 4}
    result = invoke(*command, "few", "--val", "29", "--test", "0")
    assert result.exit_code == 0, result.stderr
    assert Counter(tree(tmp_path / "few").values()) == {"train": 2, "val": 28}  # one of each class


def test_links_to_files_that_are_no_images_are_not_copied(
    invoke: Run, photos: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("token")
    (photos / "cat" / "link.png").symlink_to(tmp_path / "secret")
    (photos / "cat" / "good.png").symlink_to(draw_photo(tmp_path / "other.png", 3, 3))
    assert invoke("split", "photos", "--into", "ds", "--no-near").exit_code == 0
    assert "cat/good.png" in tree(tmp_path / "ds")
    assert "cat/link.png" not in tree(tmp_path / "ds")
    rows = [
        "path,label",
        "secret,cat",
        *(f"photos/cat/{name}.png,cat" for name in ("link", "cat1")),
    ]
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    result = invoke("split", "labels.csv", "--into", "listed", "--no-near")
    assert result.exit_code == 4 and "Unreadable 2 photos" in result.stderr
    assert list(tree(tmp_path / "listed")) == ["cat/cat1.png"]
    assert not list((tmp_path / "listed").rglob("secret*"))


def test_a_dry_run_shows_the_table_and_changes_nothing(
    invoke: Run, photos: Path, tmp_path: Path
) -> None:
    result = invoke("split", "photos", "--into", "ds", "--no-near", "--dry-run")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "class   train     val    test",
        "cat        16       2       2",
        "dog         8       1       1",
        "all        24       3       3",
        "share  80.0 %  10.0 %  10.0 %",
    ]
    assert not (tmp_path / "ds").exists()


def test_copies_and_groups_are_in_one_set(invoke: Run, photos: Path, tmp_path: Path) -> None:
    for number in range(10):
        shutil.copy(photos / "cat" / f"cat{number}.png", photos / "cat" / f"copy{number}.png")
        (photos / "dog" / f"dog{number}.png").rename(photos / "dog" / f"{number % 5}_{number}.png")
    group = ("--group-by", r"dog/(\d)_")
    result = invoke("split", "photos", "--into", "ds", "--no-near", "--val", "30%", *group)
    assert result.exit_code == 0, result.output
    sets = tree(tmp_path / "ds")
    for number in range(10):
        assert sets[f"cat/cat{number}.png"] == sets[f"cat/copy{number}.png"]
    for number in range(5):
        assert sets[f"dog/{number}_{number}.png"] == sets[f"dog/{number}_{number + 5}.png"]
    assert "Together   30 photos in 15 groups" in result.stderr


@pytest.mark.usefixtures("fast")
def test_near_copies_are_in_one_set_unless_not_wanted(invoke: Run, tmp_path: Path) -> None:
    folder = draw_classes(tmp_path / "photos", cat=0, dog=0)
    for number in range(20):  # ten photos, each in two sizes
        side, red = 8 + number, 20 * (number // 2)
        draw(folder / "cat" / f"{number}.png", (red, 5, 0), (side, side))
        draw(folder / "dog" / f"{number}.png", (red + 10, 5, 0), (side, side))
    result = invoke("split", "photos", "--into", "ds", "--val", "0.2", "--test", "0.2")
    assert result.exit_code == 0, result.output
    sets = tree(tmp_path / "ds")
    for name in ("cat", "dog"):
        for number in range(0, 20, 2):
            assert sets[f"{name}/{number}.png"] == sets[f"{name}/{number + 1}.png"]


@pytest.mark.parametrize("method", ["--copy", "--symlink", "--hardlink", "--move"])
def test_photos_of_an_earlier_split_stay_and_copies_join_them(
    invoke: Run, photos: Path, tmp_path: Path, method: str
) -> None:
    command = ("split", "photos", "--into", "ds", "--no-near", method)
    assert invoke(*command).exit_code == 0
    before = tree(tmp_path / "ds")
    placed = {path: tmp_path / "ds" / name / path for path, name in before.items()}
    for number in range(20):
        draw_photo(photos / "cat" / f"another{number}.png", 7, number)
        shutil.copy(placed[f"cat/cat{number}.png"], photos / "cat" / f"copy{number}.png")
    result = invoke(*command)
    assert result.exit_code == 0, result.output
    after = tree(tmp_path / "ds")
    assert {path: after[path] for path in before} == before
    for number in range(20):
        assert after[f"cat/copy{number}.png"] == before[f"cat/cat{number}.png"]
    assert len(after) == 70
    assert "Kept       30 photos" in result.stderr


def test_a_group_key_holds_for_photos_that_were_moved_away(
    invoke: Run, photos: Path, tmp_path: Path
) -> None:
    command = ("split", "photos", "--into", "ds", "--no-near", "--move", "--group-by", r"t(\d+)\.")
    assert invoke(*command).exit_code == 0
    before = tree(tmp_path / "ds")
    for number in range(20):
        draw_photo(photos / "dog" / f"t{number}.png", 8, number)
    assert invoke(*command).exit_code == 0
    after = tree(tmp_path / "ds")
    for number in range(20):
        assert after[f"dog/t{number}.png"] == before[f"cat/cat{number}.png"]


def test_the_same_photo_in_two_classes_is_skipped(
    invoke: Run, photos: Path, tmp_path: Path
) -> None:
    shutil.copy(photos / "cat" / "cat3.png", photos / "dog" / "wrong.png")
    result = invoke("split", "photos", "--into", "ds", "--no-near")
    assert result.exit_code == 0
    assert "Warning: skipped, the same photo in several classes (cat, dog)" in result.stderr
    assert len(tree(tmp_path / "ds")) == 29


def test_a_class_with_too_few_photos_is_named(invoke: Run, photos: Path) -> None:
    draw_photo(photos / "emu" / "emu.png", 5, 0)
    result = invoke("split", "photos", "--into", "ds", "--no-near")
    assert "Warning: emu has no photo in val and test" in result.stderr


def test_unreadable_photos_are_counted(invoke: Run, photos: Path, tmp_path: Path) -> None:
    (photos / "cat" / "empty.png").write_bytes(b"")
    result = invoke("split", "photos", "--into", "ds", "--no-near")
    assert result.exit_code == 4
    assert "Unreadable 1 photo" in result.stderr
    assert len(tree(tmp_path / "ds")) == 30


@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize("base", [(), ("--base", "moved")])
def test_results_are_split_by_label(invoke: Run, tmp_path: Path, base: tuple[str, ...]) -> None:
    rows = []
    for path in sorted(Path("photos").rglob("*.png")):
        best = {"wnid": "", "label": path.parts[1], "score": 0.9}
        rows.append({"path": str(path), "status": "ok", "predictions": [best], "error": None})
    error = "not an image"
    rows.append({"path": "photos/x.png", "status": "error", "predictions": [], "error": error})
    Path("labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    if base:
        Path("moved").mkdir()
        Path("photos").rename("moved/photos")
    result = invoke("split", "labels.jsonl", "--into", "ds", "--no-near", *base)
    assert result.exit_code == 4, result.output
    assert Counter(tree(tmp_path / "ds").values()) == {"train": 24, "val": 3, "test": 3}
    result = invoke("split", "labels.jsonl", "--into", "d2", "--label-by", "category", *base)
    assert result.exit_code == 2
    assert "'labels.jsonl' has no categories" in result.stderr


@pytest.mark.usefixtures("photos")
def test_lists_name_each_photo_once_and_are_kept_when_rewritten(
    invoke: Run, tmp_path: Path
) -> None:
    command = ("split", "photos", "--into", "lists", "--no-near", "--list")
    assert invoke(*command, "csv").exit_code == 0
    before = read_lists(tmp_path / "lists")
    assert Counter(name for name, _ in before.values()) == {"train": 24, "val": 3, "test": 3}
    assert all(os.path.exists(path) and label in path for path, (_, label) in before.items())
    result = invoke(*command, "csv")
    assert result.exit_code == 2
    assert "already exists" in result.stderr
    for number in range(30):
        draw_photo(tmp_path / "photos" / "cat" / f"new{number}.png", 7, number)
    assert invoke(*command, "csv", "--force", "--seed", "5").exit_code == 0
    after = read_lists(tmp_path / "lists")
    assert len(after) == 60
    assert {path: after[path] for path in before} == before
    assert invoke(*command, "txt").exit_code == 0
    lines = [(tmp_path / "lists" / f"{n}.txt").read_text() for n in ("train", "val", "test")]
    assert sorted("".join(lines).splitlines()) == sorted(after)


def read_lists(folder: Path) -> dict[str, tuple[str, str]]:
    """Return the set and the label of each path."""
    found = {}
    for name in ("train", "val", "test"):
        with open(folder / f"{name}.csv", newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                found[row["path"]] = (name, row["label"])
    return found


def test_a_list_that_cannot_hold_a_name_leaves_none(invoke: Run, photos: Path) -> None:
    (photos / "cat" / "cat0.png").rename(photos / "cat" / "a\nb.png")
    result = invoke("split", "photos", "--into", "lists", "--no-near", "--list", "txt")
    assert result.exit_code == 2
    assert "--list csv" in result.stderr
    assert not list(Path().glob("lists/*"))


@pytest.mark.skipif(os.name == "nt", reason="named pipes of POSIX")
@pytest.mark.usefixtures("photos")
def test_a_named_pipe_is_no_list(invoke: Run) -> None:
    Path("lists").mkdir()
    os.mkfifo("lists/val.txt")
    result = invoke("split", "photos", "--into", "lists", "--no-near", "--list", "txt", "--force")
    assert result.exit_code == 2 and "'lists/val.txt' is not a file" in result.stderr


@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("photos", "--into", "ds", "--val", "0.6", "--test", "0.5"), "leave none"),
        (("photos", "--into", "ds", "--val", "30"), "leave none of 30 photos"),
        (("photos", "--into", "ds", "--val", "1.5"), "neither a share"),
        (("photos", "--into", "photos/ds"), "is in 'photos'"),
        (("photos", "--into", "ds", "--force"), "--force requires --list"),
        (("photos", "--into", "ds", "--list", "txt", "--move"), "--move cannot be combined"),
        (("photos", "--into", "ds", "--move", "--symlink"), "choose one method"),
        (("photos", "--into", "ds", "--label-by", "node"), "requires RESULTS"),
        (
            ("photos", "--into", "ds", "--no-near", "--threads", "2"),
            "--threads cannot be combined with --no-near",
        ),
        (("gone", "--into", "ds"), "does not exist"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_done(
    invoke: Run, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    if "--no-near" not in words:
        words = (*words, "--no-near")
    result = invoke("split", *words)
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert not (tmp_path / "ds").exists()


def test_a_folder_without_classes_has_no_photos(invoke: Run, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    result = invoke("split", str(tmp_path / "none"), "--into", str(tmp_path / "ds"), "--no-near")
    assert result.exit_code == 3


@pytest.mark.usefixtures("photos")
def test_python_returns_the_sets(tmp_path: Path) -> None:
    options = SplitOptions(val=0, test=0.5, near=False, method="symlink")
    made = split("photos", "ds", options=options)
    assert Counter(photo.set for photo in made.photos) == {"train": 15, "test": 15}
    assert {path.name for path in (tmp_path / "ds").iterdir()} == {".mnv2", "train", "test"}
    assert not made.failed
    with pytest.raises(InputError):
        split("photos", "ds", options=SplitOptions(val=0.5, test=0.5))


def test_classes_that_would_share_a_folder_are_refused(photos: Path) -> None:
    rows = ["path,label", "photos/cat/cat0.png,a/b", "photos/dog/dog0.png,a_b"]
    Path("labels.csv").write_text("\n".join(rows) + "\n")
    with pytest.raises(InputError, match="would share a folder"):
        split("labels.csv", "ds", options=SplitOptions(near=False))
    made = split("labels.csv", "lists", options=SplitOptions(near=False), lists="csv")
    assert [photo.label for photo in made.photos] == ["a/b", "a_b"]
    assert photos.is_dir()


def test_lists_of_other_photos_are_not_overwritten(
    invoke: Run, photos: Path, tmp_path: Path
) -> None:
    command = ("split", "photos", "--into", "lists", "--no-near", "--list")
    assert invoke(*command, "csv").exit_code == 0
    train = tmp_path / "lists" / "train.csv"
    before = train.read_bytes() + b"elsewhere/x.jpg,dog\n"
    train.write_bytes(before)
    result = invoke(*command, "csv", "--force")
    assert result.exit_code == 2
    assert "names 1 photo not in 'photos', such as 'elsewhere/x.jpg'" in result.stderr
    assert train.read_bytes() == before
    other = tmp_path / "lists" / "test.txt"
    other.write_text("notes.jpg\n")
    result = invoke(*command, "txt", "--force", "--test", "0")
    assert result.exit_code == 2
    assert other.read_text() == "notes.jpg\n"


def test_the_input_is_never_a_list_to_write(invoke: Run, photos: Path, tmp_path: Path) -> None:
    rows = [f"photos/cat/{path.name},cat" for path in sorted((photos / "cat").iterdir())]
    for header, message in (("path,label", "is also the input"), ("path,label,note", "also the")):
        text = "\n".join([header, *rows, ""])
        (tmp_path / "train.csv").write_text(text)
        result = invoke(
            "split", "train.csv", "--into", ".", "--list", "csv", "--force", "--no-near"
        )
        assert (result.exit_code, message in result.stderr) == (2, True), result.stderr
        assert (tmp_path / "train.csv").read_text() == text


def test_a_list_that_is_a_link_stays_a_link(invoke: Run, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "mine.txt").write_text("")
    (tmp_path / "lists" / "train.txt").symlink_to("../mine.txt")
    command = ("split", "photos", "--into", "lists", "--no-near", "--list", "txt", "--force")
    assert invoke(*command).exit_code == 0
    assert (tmp_path / "lists" / "train.txt").is_symlink()
    assert (tmp_path / "mine.txt").read_text().count("\n") == 24
