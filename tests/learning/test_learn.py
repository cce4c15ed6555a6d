from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

import mnv2cli
from mnv2cli.errors import InputError, OutputError
from mnv2cli.learning.learn import learn
from mnv2cli.learning.options import LearnOptions
from mnv2cli.models.learned_file import read_learned
from tests.conftest import FakeEngine, draw
from tests.learning.conftest import ColourEngine, draw_classes
from tests.reporting.helpers import report_data

pytestmark = pytest.mark.usefixtures("fast")


def test_learned_model_has_the_classes_and_their_figures(tmp_path: Path) -> None:
    draw_classes(tmp_path / "photos", cat=6, dog=4)
    learned = mnv2cli.learn("photos", "mine.keras")
    assert (learned.photos, learned.accuracy) == (10, 1.0)
    assert learned.class_names == ("cat", "dog")
    content = read_learned("mine.keras")
    assert content.class_names == ("cat", "dog")
    assert content.training["photos"] == 10
    assert len(content.training["contents"]) == 10
    assert content.backbone.name == "mobilenet_v2"
    assert "Learned 2 classes from 10 photos" in learned.summary()


def test_same_photos_give_the_same_file(tmp_path: Path) -> None:
    draw_classes(tmp_path / "photos", cat=4, dog=4)
    learn("photos", "one.keras")
    learn("photos", "two.keras", options=LearnOptions(cache=False))
    assert Path("one.keras").read_bytes() == Path("two.keras").read_bytes()


def test_second_run_finds_features_in_the_cache(tmp_path: Path, fast: FakeEngine) -> None:
    draw_classes(tmp_path / "photos", cat=4, dog=4)
    learn("photos", "one.keras")
    ran = len(fast.batches)
    learn("photos", "two.keras")
    assert len(fast.batches) == ran


def test_copies_count_once_and_conflicts_not_at_all(tmp_path: Path) -> None:
    folder = draw_classes(tmp_path / "photos", cat=5, dog=5)
    (folder / "cat" / "copy.png").write_bytes((folder / "cat" / "cat0.png").read_bytes())
    (folder / "dog" / "both.png").write_bytes((folder / "cat" / "cat1.png").read_bytes())
    learned = learn("photos", "mine.keras")
    assert learned.photos == 9
    assert learned.unused.copies == ("photos/cat/copy.png",)
    assert learned.unused.conflicts == (
        (("photos/cat/cat1.png", "photos/dog/both.png"), ("cat", "dog")),
    )


def test_photo_with_two_labels_is_named_with_both(tmp_path: Path) -> None:
    draw_classes(tmp_path / "photos", cat=5, dog=5)
    rows = [f"photos/{name}/{name}{i}.png,{name}" for name in ("cat", "dog") for i in range(5)]
    Path("labels.csv").write_text("\n".join(["path,label", *rows, "photos/cat/cat0.png,dog"]))
    learned = learn(None, "mine.keras", labels="labels.csv")
    assert "photos/cat/cat0.png is labelled cat and dog" in learned.summary()


def test_mislabelled_photo_is_named(tmp_path: Path) -> None:
    folder = draw_classes(tmp_path / "photos", cat=20, dog=20, bird=20, cow=20, hen=20)
    os.rename(folder / "cat" / "cat0.png", folder / "dog" / "wrong.png")
    learned = learn("photos", "mine.keras")
    assert [(each.path, each.given, each.probable) for each in learned.suspects] == [
        ("photos/dog/wrong.png", "dog", "cat")
    ]
    assert "photos/dog/wrong.png\n    is in dog, looks like cat" in learned.summary()


def test_groups_stay_together(tmp_path: Path) -> None:
    draw_classes(tmp_path / "photos", cat=6, dog=6)
    learned = learn("photos", "mine.keras", options=LearnOptions(group_by=r"(\d)\.png"))
    assert learned.groups == 6
    with pytest.raises(InputError, match="matches no path"):
        learn("photos", "other.keras", options=LearnOptions(group_by="house"))


def test_many_classes_of_two_photos_are_learned(tmp_path: Path) -> None:
    for position in range(100):
        draw(tmp_path / "photos" / f"c{position}" / "a.png", (position, 9, 1), (8, 8))
        draw(tmp_path / "photos" / f"c{position}" / "b.png", (position, 9, 2), (8, 8))
    learned = learn("photos", "mine.keras")
    assert len(learned.class_names) == 100
    assert learned.accuracy > 0.9
    assert "and 80 classes with better recall" in learned.summary()
    assert all(len(line) < 80 for line in learned.summary().splitlines())


def assert_nothing_written(folder: Path) -> None:
    assert not [path for path in folder.rglob("*") if ".keras" in path.name]


@pytest.mark.parametrize(
    ("photos", "message"),
    [
        ({"cat": 3}, "has only one class, 'cat'"),
        ({"cat": 3, "dog": 0}, "no readable photos in class 'dog'"),
        ({"cat": 3, "dog": 1}, "only one photo in class 'dog'"),
    ],
)
def test_too_few_photos_are_refused_before_the_model_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photos: dict[str, int], message: str
) -> None:
    monkeypatch.setattr("mnv2cli.learning.training.Classifier", None)
    draw_classes(tmp_path / "photos", **photos)
    with pytest.raises(InputError, match=message):
        learn("photos", "mine.keras")
    assert_nothing_written(tmp_path)


def test_class_of_unreadable_photos_is_refused(tmp_path: Path) -> None:
    folder = draw_classes(tmp_path / "photos", cat=3, dog=0)
    for name in "ab":
        (folder / "dog" / f"{name}.jpg").write_bytes(b"no image")
    with pytest.raises(InputError, match="no readable photos in class 'dog'"):
        learn("photos", "mine.keras")
    assert_nothing_written(tmp_path)


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("mine.h5", "ends in .keras"),
        ("s3://bucket/mine.keras", "ends in .keras"),
        ("missing/mine.keras", "the folder 'missing' does not exist"),
        ("folder.keras", "it is a folder"),
        ("old.keras", "'old.keras' already exists"),
    ],
)
def test_outputs_that_cannot_be_written_are_refused_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str, message: str
) -> None:
    monkeypatch.setattr("mnv2cli.learning.learn.read_examples", None)
    Path("folder.keras").mkdir()
    Path("old.keras").write_text("old")
    with pytest.raises(InputError, match=message):
        learn("photos", output)
    assert Path("old.keras").read_text() == "old"


def test_photo_is_never_overwritten(tmp_path: Path) -> None:
    from mnv2cli.learning.options import Running
    from mnv2cli.sources.options import Filters

    folder = draw_classes(tmp_path / "photos", cat=3, dog=3)
    os.rename(folder / "cat" / "cat0.png", folder / "cat" / "photo.keras")
    with pytest.raises(InputError, match="would overwrite the input"):
        learn(
            "photos",
            "photos/cat/photo.keras",
            options=LearnOptions(force=True),
            running=Running(filters=Filters(all_files=True)),
        )


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_full_disk_leaves_the_old_model_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    draw_classes(tmp_path / "photos", cat=3, dog=3)
    Path("mine.keras").write_text("old")

    def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(f"mnv2cli.system.files.os.{function}", full)
    with pytest.raises(OutputError, match=r"cannot write mine\.keras: no space left"):
        learn("photos", "mine.keras", options=LearnOptions(force=True))
    assert Path("mine.keras").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir() if ".keras" in path.name] == ["mine.keras"]


def test_model_that_another_run_wrote_meanwhile_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_classes(tmp_path / "photos", cat=4, dog=4)
    monkeypatch.setattr(
        "mnv2cli.learning.learn.check_not_a_photo",
        lambda *args: Path("mine.keras").write_bytes(b"of another run"),
    )
    with pytest.raises(OutputError, match=r"'mine\.keras' already exists"):
        learn("photos", "mine.keras")
    assert Path("mine.keras").read_bytes() == b"of another run"
    assert learn("photos", "mine.keras", options=LearnOptions(force=True)).photos == 8


def test_link_to_a_model_stays_a_link(tmp_path: Path) -> None:
    draw_classes(tmp_path / "photos", cat=4, dog=4)
    (tmp_path / "models").mkdir()
    os.symlink("models/mine.keras", "link.keras")
    with pytest.raises(InputError, match=r"a link to '.*mine\.keras', which does not exist"):
        learn("photos", "link.keras")
    Path("models/mine.keras").touch()
    learn("photos", "link.keras", options=LearnOptions(force=True))
    assert os.readlink("link.keras") == "models/mine.keras"
    assert read_learned("models/mine.keras").class_names == ("cat", "dog")


def test_model_that_is_not_of_imagenet_is_refused(tmp_path: Path) -> None:
    draw_classes(tmp_path / "photos", cat=3, dog=3)
    learn("photos", "mine.keras")
    with pytest.raises(InputError, match=r"cannot learn on mine\.keras"):
        learn("photos", "two.keras", model="mine.keras")


def test_command_prints_a_report_and_the_next_commands(
    tmp_path: Path, invoke: Callable[..., Result]
) -> None:
    folder = draw_classes(tmp_path / "photos", cat=6, dog=6)
    (folder / "dog" / "broken.jpg").write_bytes(b"no image")
    done = invoke("learn", "photos", "-o", "mine.keras")
    assert done.exit_code == 4
    assert "Unreadable: 1 photo." in done.stdout
    assert "photos/dog/broken.jpg: " in done.stdout
    assert "cat         6   100.0 %    100.0 %" in done.stdout
    assert "mnv2 sort PHOTOS --into sorted --model mine.keras" in done.stdout
    done = invoke("classify", "photos/cat", "--model", "mine.keras", "-k", "1", "-q")
    assert "photos/cat/cat0.png,ok,cat,,0.9" in done.stdout


def test_command_prints_json(tmp_path: Path, invoke: Callable[..., Result]) -> None:
    draw_classes(tmp_path / "photos", cat=6, dog=6)
    done = invoke("learn", "photos", "-o", "mine.keras", "--json")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert found["accuracy"] == 1.0
    assert [each["name"] for each in found["classes"]] == ["cat", "dog"]


def test_class_that_is_not_utf8_is_learned_and_printed(
    tmp_path: Path, invoke: Callable[..., Result]
) -> None:
    folder = draw_classes(tmp_path / "photos", cat=6, dog=6)
    os.rename(folder / "dog", os.fsencode(folder) + b"/caf\xe9")
    for arguments in ((), ("--json", "--force")):
        done = invoke("learn", "photos", "-o", "mine.keras", *arguments)
        assert done.exit_code == 0, done.output
    assert read_learned("mine.keras").class_names == ("caf\udce9", "cat")
    assert "caf" in json.loads(done.stdout)["classes"][0]["name"]
    done = invoke("sort", "photos", "--into", "sorted", "--model", "mine.keras", "--no-unknown")
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("-o", "mine.keras"),
        ("photos", "--labels", "labels.csv", "-o", "mine.keras"),
        ("--labels", "labels.csv", "--include", "*.jpg", "-o", "mine.keras"),
        ("photos", "--trust-all", "-o", "mine.keras"),
        ("photos", "--accurate", "-o", "mine.keras"),
        ("photos",),
    ],
)
def test_options_that_would_be_ignored_are_usage_errors(
    invoke: Callable[..., Result], arguments: tuple[str, ...]
) -> None:
    assert invoke("learn", *arguments).exit_code == 2


def test_interrupted_run_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, invoke: Callable[..., Result]
) -> None:
    draw_classes(tmp_path / "photos", cat=6, dog=6)

    def interrupt(*args: Any, **kwargs: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ColourEngine, "run", interrupt)
    done = invoke("learn", "photos", "-o", "mine.keras")
    assert done.exit_code == 130
    assert "Stopped: mine.keras was not written." in done.stderr
    assert_nothing_written(tmp_path)


def test_a_class_of_a_burst_is_learned_and_the_report_says_that_it_flatters(tmp_path: Path) -> None:
    draw_classes(tmp_path / "photos", cat=8, dog=8)
    for number in range(8):  # one colour gives one row of features; the sizes differ
        draw(tmp_path / "photos" / "mug" / f"{number}.png", (200, 9, 9), (8 + number, 8))
    learned = learn("photos", "mine.keras")
    assert learned.class_names == ("cat", "dog", "mug")
    assert learned.alike == ("mug",)
    assert "Nearly all photos of mug are alike" in learned.summary()


def test_classes_with_few_different_photos_are_named(tmp_path: Path) -> None:
    draw_classes(tmp_path / "photos", cat=8, dog=8)
    for number in range(8):
        colour = (200, 9, number // 4)
        draw(tmp_path / "photos" / "mug" / f"{number}.png", colour, (8 + number, 8))
    learned = learn("photos", "mine.keras")
    assert (learned.alike, learned.different) == ((), {"mug": 2})
    assert "Classes with few different photos: mug (2)." in learned.summary()


def test_command_writes_a_report_that_force_overwrites(
    tmp_path: Path, invoke: Callable[..., Result]
) -> None:
    draw_classes(tmp_path / "photos", cat=6, dog=6)
    command = ("learn", "photos", "-o", "mine.keras", "--report", "learned.html")
    done = invoke(*command)
    assert done.exit_code == 0, done.output
    assert "\nWritten    learned.html, " in "\n" + done.stderr
    data = report_data(tmp_path / "learned.html")
    assert data["classes"] == ["cat", "dog"]
    assert data["rows"]["right"] == [1] * 12 and len(data["rows"]["truth"]) == 12
    Path("mine.keras").unlink()
    again = invoke(*command)
    assert again.exit_code == 2 and "'learned.html' already exists" in again.stderr
    assert not Path("mine.keras").exists()  # checked before any work
    assert invoke(*command, "--force").exit_code == 0


def test_command_writes_a_report_of_a_file_of_labels(
    tmp_path: Path, invoke: Callable[..., Result]
) -> None:
    folder = draw_classes(tmp_path / "photos", cat=6, dog=6)
    rows = [f"{path},{path.parent.name}" for path in sorted(folder.rglob("*.png"))]
    Path("labels.csv").write_text("\n".join(["path,label", *rows]))
    done = invoke("learn", "--labels", "labels.csv", "-o", "a.keras", "--report", "a.html")
    assert done.exit_code == 0, done.output
    assert len(report_data(tmp_path / "a.html")["rows"]["name"]) == 12
