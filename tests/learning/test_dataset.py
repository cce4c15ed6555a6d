from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mnv2cli.errors import InputError, NoImagesError
from mnv2cli.learning.dataset import from_folder
from mnv2cli.learning.evaluate import EvaluationSet
from mnv2cli.learning.labels_file import from_labels
from mnv2cli.records import Record
from mnv2cli.reporting.content import Content, Entry
from mnv2cli.reporting.places import Places
from mnv2cli.reporting.write import ReportTarget, write_report
from mnv2cli.sources.options import Filters
from tests.conftest import draw
from tests.learning.conftest import draw_classes
from tests.reporting.helpers import picture


def test_subfolders_are_classes_in_natural_order(tmp_path: Path) -> None:
    folder = draw_classes(tmp_path / "photos", room10=1, room2=1)
    draw(folder / "room2" / "deeper" / "x.jpg")
    found = from_folder(str(folder))
    assert found.names == ("room2", "room10")
    assert [(Path(each.path).name, each.name) for each in found.photos] == [
        ("room20.png", "room2"),
        ("x.jpg", "room2"),
        ("room100.png", "room10"),
    ]


def test_loose_photos_and_hidden_folders_are_skipped_with_the_reason(tmp_path: Path) -> None:
    folder = draw_classes(tmp_path / "photos", cat=1, dog=1)
    draw(folder / "loose.jpg")
    draw(folder / ".trash" / "x.jpg")
    draw(folder / "cat" / "raw.jpg")
    (folder / "cat" / "raw.CR2").write_bytes(b"")
    found = from_folder(str(folder))
    skipped = {Path(path).name: why for path, why in found.skipped}
    assert skipped["loose.jpg"] == "not in the folder of a class"
    assert skipped[".trash"] == "hidden"
    assert skipped["raw.CR2"].startswith("companion")
    assert found.names == ("cat", "dog")


def test_empty_class_keeps_its_name_unless_excluded(tmp_path: Path) -> None:
    folder = draw_classes(tmp_path / "photos", cat=1, dog=0)
    assert from_folder(str(folder)).names == ("cat", "dog")
    assert from_folder(str(folder), Filters(exclude=("dog",))).names == ("cat",)


def test_sorted_folder_has_no_classes_unsure_and_other(tmp_path: Path) -> None:
    folder = draw_classes(tmp_path / "sorted", cat=1, dog=1, unsure=1, other=1, unknown=1)
    (folder / ".mnv2").mkdir()
    found = from_folder(str(folder), Filters(hidden=True))
    assert found.names == ("cat", "dog")
    assert len([why for _, why in found.skipped if why.startswith("not a class")]) == 3


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["cat"], "has only one class, 'cat'"),
        (["cat", "unknown"], "has a class named 'unknown'"),
        (["cat", "a\nb"], "contains a control character"),
        (["cat", "x" * 201], "is longer than 200 characters"),
    ],
)
def test_names_that_cannot_be_classes_are_refused(
    tmp_path: Path, names: list[str], message: str
) -> None:
    folder = draw_classes(tmp_path / "photos", **dict.fromkeys(names, 1))
    with pytest.raises(InputError, match=message) as caught:
        from_folder(str(folder)).check()
    assert "photos" in caught.value.message


def test_name_that_is_not_utf8_is_a_class(tmp_path: Path) -> None:
    folder = draw_classes(tmp_path / "photos", cat=1)
    os.mkdir(os.fsencode(folder) + b"/caf\xe9")
    draw(folder / "cat" / "x.png").rename(os.fsdecode(os.fsencode(folder) + b"/caf\xe9/x.png"))
    found = from_folder(str(folder))
    found.check()
    assert found.names == ("caf\udce9", "cat")


def test_folder_without_photos_names_what_was_skipped(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "notes.txt").touch()
    with pytest.raises(NoImagesError, match="no image suffix 1"):
        from_folder(str(tmp_path)).check()


@pytest.mark.parametrize("path", ["missing", "a.txt", "https://example.org/photos"])
def test_anything_but_a_folder_is_refused(tmp_path: Path, path: str) -> None:
    (tmp_path / "a.txt").touch()
    with pytest.raises(InputError):
        from_folder(path if ":" in path else str(tmp_path / path))


def test_labels_start_at_the_folder_where_the_photos_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(tmp_path / "in" / "a.jpg")
    draw(tmp_path / "in" / "b.jpg")
    (tmp_path / "in" / "labels.csv").write_text("Path,Label\na.jpg,cat\nb.jpg,dog\nc.jpg,dog\n")
    (tmp_path / "labels.csv").write_text("path;label\nin/a.jpg;cat\nin/a.jpg;cat\nin/b.jpg;\n")
    found = from_labels(str(tmp_path / "in" / "labels.csv"))
    assert [(Path(each.path).name, each.name) for each in found.photos] == [
        ("a.jpg", "cat"),
        ("b.jpg", "dog"),
    ]
    assert found.skipped == [("c.jpg", "does not exist")]
    monkeypatch.chdir(tmp_path)
    os.mkdir("elsewhere")
    os.rename("labels.csv", "elsewhere/labels.csv")
    found = from_labels("elsewhere/labels.csv")
    assert [each.path for each in found.photos] == ["in/a.jpg"]
    assert found.skipped == [("in/a.jpg", "listed twice"), ("in/b.jpg", "no label")]


def test_results_of_classify_are_labels(tmp_path: Path) -> None:
    draw(tmp_path / "a.jpg")
    path = tmp_path / "results.csv"
    path.write_text(
        "path,status,label_1,wnid_1,score_1,error,model\n"
        f"{tmp_path}/a.jpg,ok,cat,,0.9,,mine.keras\n"
        f"{tmp_path}/b.jpg,error,,,,cannot be read,mine.keras\n"
    )
    found = from_labels(str(path))
    assert [(each.name) for each in found.photos] == ["cat"]
    assert found.skipped == [(f"{tmp_path}/b.jpg", "cannot be read")]


@pytest.mark.parametrize(
    "text", ["", "path,label\na.jpg\n", "name,score\na,1\n", "path,status\na,ok\n"]
)
def test_damaged_labels_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(text)
    with pytest.raises((InputError, NoImagesError)):
        from_labels(str(path)).check()


def test_label_with_a_slash_is_refused(tmp_path: Path) -> None:
    draw(tmp_path / "a.jpg")
    draw(tmp_path / "b.jpg")
    (tmp_path / "labels.csv").write_text("path,label\na.jpg,cats/big\nb.jpg,dog\n")
    with pytest.raises(InputError, match=r"cats/big.*contains a slash"):
        from_labels(str(tmp_path / "labels.csv")).check()


def test_thumbnails_of_reports_are_no_photos_and_their_folder_is_no_class(tmp_path: Path) -> None:
    folder = draw_classes(tmp_path / "photos", cat=1, dog=1)
    (folder / "empty").mkdir()
    for parent in (folder, folder / "cat"):
        target = ReportTarget(str(parent / "report.html"), embed_limit=0)
        entry = Entry(Record(str(folder / "cat" / "cat0.png")))
        write_report(Content("tr.csv", [entry]), target, Places(), [picture()])
    found = from_folder(str(folder))
    assert found.names == ("cat", "dog", "empty")
    assert [Path(each.path).name for each in found.photos] == ["cat0.png", "dog0.png"]
    skipped = [why for path, why in found.skipped if path.endswith("0.webp")]
    assert skipped == ["results of mnv2"] * 2
    assert EvaluationSet(str(folder)).read() == found


CORRECTIONS = (
    "path,label,review\na.jpg,cat,corrected\nb.jpg,dog,confirmed\nc.jpg,,wrong\nd.jpg,,rejected\n"
)


@pytest.mark.parametrize("change", [lambda text: text, lambda text: text.replace(",", ";")])
def test_corrected_and_confirmed_photos_are_labels(
    tmp_path: Path, change: Callable[[str], str]
) -> None:
    for name in "abcd":
        draw(tmp_path / f"{name}.jpg")
    path = tmp_path / "corrections.csv"
    path.write_text(change(CORRECTIONS), encoding="utf-8-sig", newline="\r\n")
    found = from_labels(str(path))
    assert [(Path(each.path).name, each.name) for each in found.photos] == [
        ("a.jpg", "cat"),
        ("b.jpg", "dog"),
    ]
    assert found.skipped == [("c.jpg", "marked as wrong"), ("d.jpg", "rejected")]
    assert found.names == ("cat", "dog")
    assert EvaluationSet(labels=str(path)).read() == found


def test_no_corrected_photo_is_an_error_with_the_reasons(tmp_path: Path) -> None:
    path = tmp_path / "corrections.csv"
    path.write_text("path,label,review\nc.jpg,,wrong\nd.jpg,,rejected\n")
    with pytest.raises(NoImagesError, match="Skipped: marked as wrong 1, rejected 1"):
        from_labels(str(path)).check()
    with pytest.raises(NoImagesError, match="Skipped: marked as wrong 1, rejected 1"):
        EvaluationSet(labels=str(path)).read()


@pytest.mark.parametrize("row", ["a.jpg,cat,maybe", "a.jpg,,corrected", "a.jpg,cat,wrong"])
def test_nonsense_in_corrections_is_refused(tmp_path: Path, row: str) -> None:
    path = tmp_path / "corrections.csv"
    path.write_text(f"path,label,review\n{row}\n")
    with pytest.raises(InputError, match="line 2 of"):
        from_labels(str(path))


@pytest.mark.parametrize("name", ["../../x", "a/b", "x" * 300, "unknown"])
def test_hostile_corrections_are_no_classes(tmp_path: Path, name: str) -> None:
    for each in "ab":
        draw(tmp_path / f"{each}.jpg")
    path = tmp_path / "corrections.csv"
    path.write_text(f"path,label,review\na.jpg,{name},corrected\nb.jpg,dog,corrected\n")
    with pytest.raises(InputError):
        from_labels(str(path)).check()
