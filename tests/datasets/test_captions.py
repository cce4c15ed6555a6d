from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mnv2cli.datasets.captions import CAPTIONS
from mnv2cli.datasets.formats import Item, WriteOptions
from mnv2cli.errors import InputError, OutputError
from mnv2cli.records import CategoryScore, Prediction, Record
from tests.datasets.made import draw, make, read


def record(name: str, *labels: str, category: str = "") -> Record:
    predictions = tuple(Prediction("", label, 0.5) for label in labels)
    found = CategoryScore(category, 0.9, 0.1) if category else None
    return Record(f"../photos/{name}", predictions, category=found)


def caption(tmp_path: Path, *labels: str, **own: Any) -> str:
    made = make(tmp_path, "captions", [record("a.png", *labels)], own=own)
    return (made.path / "images" / "a.txt").read_bytes().decode()


def test_caption_has_all_labels_in_order(tmp_path: Path) -> None:
    assert caption(tmp_path, "tabby", "sofa", "emo 🐱") == "tabby, sofa, emo 🐱\n"


def test_caption_has_options_of_its_own(tmp_path: Path) -> None:
    own = {
        "prepend": "photo, ",
        "append": "by me",
        "replace_underscores": True,
        "blacklist": ("SOFA", "straße x"),
    }
    labels = ("tabby_cat", "sofa", "STRASSE_X", "sofa bed")
    assert caption(tmp_path, *labels, **own) == "photo, tabby cat, sofa bed, by me\n"


def test_caption_without_labels_is_an_empty_line(tmp_path: Path) -> None:
    assert caption(tmp_path, "sofa", blacklist="sofa, chair") == "\n"


def test_caption_of_a_category_has_only_that(tmp_path: Path) -> None:
    made = make(
        tmp_path, "captions", [record("a.png", "tabby", category="cat")], label_by="category"
    )
    assert (made.path / "images" / "a.txt").read_text() == "cat\n"


@pytest.mark.parametrize("label", ["a, b", "a\nb", "a\0b", " a", "a\x85b", "a\u2028b"])
def test_label_that_cannot_be_a_tag_is_refused(tmp_path: Path, label: str) -> None:
    with pytest.raises(InputError, match="cannot be a tag") as caught:
        caption(tmp_path, label)
    assert repr(label) in caught.value.message


@pytest.mark.parametrize("label", ['a "q"', "../up", "tab\tx", "</x>", "a;b", "007"])
def test_other_labels_are_read_back_equal(tmp_path: Path, label: str) -> None:
    made = make(tmp_path, "captions", [record("sub/a.png", label, "other")])
    (found,) = made.read()
    assert found.path == str(made.path / "images" / "sub" / "a.png")
    assert found.predictions == (Prediction("", label, 1.0), Prediction("", "other", 1.0))


def test_images_of_one_name_have_captions_of_their_own(tmp_path: Path) -> None:
    names = ("a.png", "A.bmp", "a.gif", "a.x.png")
    made = make(tmp_path, "captions", [record(name, name.replace(".", " ")) for name in names])
    folder = made.path / "images"
    assert sorted(each.name for each in folder.iterdir()) == [
        "A_bmp.bmp", "A_bmp.txt", "a.png", "a.txt", "a.x.png", "a.x.txt", "a_gif.gif", "a_gif.txt",
    ]  # fmt: skip
    assert sorted(each.predictions[0].label for each in made.read()) == sorted(
        name.replace(".", " ") for name in names
    )


def test_captions_of_others_are_read_by_tag(tmp_path: Path) -> None:
    draw(tmp_path / "a.png", 0)
    draw(tmp_path / "no caption.png", 0)
    (tmp_path / "a.txt").write_bytes("\ufeff1girl,solo ,  long hair\r\nsolo\n".encode())
    assert CAPTIONS.detect(str(tmp_path))
    (only,) = read(tmp_path, "captions")
    assert [each.label for each in only.predictions] == ["1girl", "solo", "long hair"]
    assert read(tmp_path, "captions", base="/b")[0].path == "/b/a.png"


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * (2 << 20)])
def test_caption_that_is_not_a_text_is_refused(tmp_path: Path, content: bytes) -> None:
    draw(tmp_path / "a.png", 0)
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.txt"):
        read(tmp_path, "captions")


# Beside the photos


def beside(tmp_path: Path, *photos: tuple[str, str]) -> None:
    folder = tmp_path / "list"
    folder.mkdir(exist_ok=True)
    writer = CAPTIONS.writer(str(folder), WriteOptions(images="reference"))
    for name, label in photos:
        path = tmp_path / name
        if path.parent.is_dir() and not path.exists():
            draw(path, 0)
        writer.write(Item(record(name, label), str(path), str(path), label))
    writer.finish()
    writer.close()


def test_captions_beside_photos_are_listed(tmp_path: Path) -> None:
    beside(tmp_path, ("a.png", "cat"), ("b.png", "dog"))
    assert (tmp_path / "a.txt").read_text() == "cat\n"
    lines = (tmp_path / "list" / "captions.jsonl").read_text().splitlines()
    assert json.loads(lines[1]) == {
        "caption_file": str(tmp_path / "b.txt"),
        "file_name": str(tmp_path / "b.png"),
        "text": "dog",
    }
    assert [each.predictions[0].label for each in read(tmp_path, "captions")] == ["cat", "dog"]
    with pytest.raises(InputError, match="list") as caught:
        read(tmp_path / "list", "captions")
    assert "beside the photos" in caught.value.hint


def test_caption_beside_a_photo_never_replaces_another_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("cat\n")
    (tmp_path / "c.txt").write_text("my notes")
    with pytest.raises(OutputError, match=r"c\.txt' *: it already exists"):
        beside(tmp_path, ("a.png", "cat"), ("b.png", "dog"), ("c.png", "cow"))
    assert (tmp_path / "c.txt").read_text() == "my notes"
    assert not (tmp_path / "b.txt").exists()
    (tmp_path / "c.txt").unlink()
    beside(tmp_path, ("a.png", "cat"), ("b.png", "dog"), ("c.png", "cow"))
    assert (tmp_path / "c.txt").read_text() == "cow\n"


def test_captions_beside_photos_are_removed_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"gone/b\.txt"):
        beside(tmp_path, ("a.png", "cat"), ("gone/b.png", "dog"))
    assert not (tmp_path / "a.txt").exists()


def test_two_photos_of_one_name_and_different_labels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.txt"):
        beside(tmp_path, ("a.png", "cat"), ("a.bmp", "dog"))
    assert not (tmp_path / "a.txt").exists()
