from __future__ import annotations

import json
from pathlib import Path

import pytest

from mnv2cli.datasets.formats import load_dataset_format
from mnv2cli.errors import InputError
from mnv2cli.records import Prediction, Record
from tests.datasets.made import draw, make, read, records_of


def labelled(path: Path | str, *labels: str, score: float = 1.0) -> Record:
    return Record(str(path), tuple(Prediction("", label, score) for label in labels))


def write_lines(path: Path, *entries: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(entry)}\n" for entry in entries), encoding="utf-8")
    return path


def test_metadata_have_the_label_and_score_of_a_category(tmp_path: Path) -> None:
    made = make(tmp_path, "imagefolder", records_of(["a", "b"]), label_by="category")
    lines = (made.path / "metadata.jsonl").read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    assert [(e["file_name"], e["label"], e["score"]) for e in found] == [
        ("images/sub/0.png", "", 0.0),
        ("images/sub/1.png", "dog", 0.5),
    ]
    assert all(isinstance(each["mnv2"], str) for each in found)


def test_csv_has_the_columns_of_results_after_name_and_label(tmp_path: Path) -> None:
    made = make(tmp_path, "imagefolder-csv", records_of(["a", "b"]))
    header, first, _ = (made.path / "metadata.csv").read_text(encoding="utf-8").splitlines()
    assert header.startswith("file_name,label,path,status,label_1,wnid_1,score_1,label_2,")
    assert header.endswith("node_score,error,model")
    assert first.startswith("images/sub/0.png,a,../photos/sub/0.png,ok,a,n0,0.75,,,,")


@pytest.mark.parametrize(
    ("entry", "labels"),
    [
        ({"label": "cat"}, ["cat"]),
        ({"text": "a cat on a mat"}, ["a cat on a mat"]),
        ({"animal": "cat"}, ["cat"]),
        ({"width": 3, "label": 7}, ["7"]),
        ({"labels": ["cat", "sofa"]}, ["cat", "sofa"]),
        ({"label": None}, []),
        ({"width": 3, "height": 4}, []),
        ({}, []),
    ],
)
def test_metadata_of_others_give_labels(
    tmp_path: Path, entry: dict[str, object], labels: list[str]
) -> None:
    write_lines(tmp_path / "metadata.jsonl", {"file_name": "sub/a.png", **entry})
    assert read(tmp_path, "imagefolder") == [labelled(tmp_path / "sub" / "a.png", *labels)]


def test_metadata_of_others_keep_a_score(tmp_path: Path) -> None:
    content = {"file_name": "a.png", "label": "cat", "score": 0.25}
    write_lines(tmp_path / "metadata.jsonl", content)
    assert read(tmp_path, "imagefolder") == [labelled(tmp_path / "a.png", "cat", score=0.25)]


def test_csv_of_others_gives_labels_as_text(tmp_path: Path) -> None:
    text = '\ufefffile_name,label\na.png,007\n"b ""2"".png","x\ny"\n'
    (tmp_path / "metadata.csv").write_text(text, encoding="utf-8")
    expected = [labelled(tmp_path / "a.png", "007"), labelled(tmp_path / 'b "2".png', "x\ny")]
    assert read(tmp_path, "imagefolder-csv") == expected
    assert read(tmp_path / "metadata.csv", "imagefolder-csv") == expected


def test_metadata_in_each_split_are_read_in_order(tmp_path: Path) -> None:
    for split in ("train", "test"):
        write_lines(tmp_path / split / "metadata.jsonl", {"file_name": "a.png", "label": split})
    assert load_dataset_format("imagefolder").detect(str(tmp_path))
    assert read(tmp_path, "imagefolder", base="/b") == [
        labelled("/b/test/a.png", "test"),
        labelled("/b/train/a.png", "train"),
    ]


@pytest.mark.parametrize("split", ["", "train", "Validation"])
def test_folders_without_metadata_are_classes(tmp_path: Path, split: str) -> None:
    root = tmp_path / "set"
    for name in ("cat/2.png", "cat/10.png", "dog/house/a.png"):
        draw(root / split / name, 0)
    (root / split / "cat" / "notes.md").write_text("no image")
    assert load_dataset_format("imagefolder").detect(str(root))
    folder = root / split
    assert read(root, "imagefolder") == [
        labelled(folder / "cat" / "2.png", "cat"),
        labelled(folder / "cat" / "10.png", "cat"),
        labelled(folder / "dog" / "house" / "a.png", "dog"),
    ]


@pytest.mark.parametrize("names", [["a.png", "b.png"], ["one/a.png"], ["a/x.md", "b/y.md"]])
def test_plain_photos_are_not_detected_as_classes(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        draw((tmp_path / name).with_suffix(".png"), 0).rename(tmp_path / name)
    assert not load_dataset_format("imagefolder").detect(str(tmp_path))


NAMES_OUTSIDE = [
    "../a.png", "sub/../../a.png", "/etc/passwd", "\\\\host\\a.png", "..\\a.png", "C:\\a.png",
    "c:a.png", "file:///etc/passwd", "a\0.png", "", 7, None, ["a.png"], {"a": 1},
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES_OUTSIDE)
def test_image_outside_of_the_dataset_is_refused_with_its_line(
    tmp_path: Path, name: object
) -> None:
    good = {"file_name": "a.png", "label": "x"}
    path = write_lines(tmp_path / "metadata.jsonl", good, {"file_name": name, "label": "x"})
    with pytest.raises(InputError, match=r"line 2: the (image|name)") as caught:
        read(path, "imagefolder")
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "7",
        '"text"',
        "null",
        '{"label": "x"}',
        '{"file_name": "a.png", "label": {"a": 1}}',
        '{"file_name": "a.png", "label": [["x"]]}',
        '{"file_name": "a.png", "score": NaN}',
        '{"file_name": "a.png", "label": -Infinity}',
        '{"file_name": "a.png", "label": "\\ud800"}',
        '{"file_name": "a.png", "label": ' + "9" * 5000 + "}",
        '{"file_name": "a.png", "label": ' + "[" * 100_000 + "}",
        '{"file_name": "a.png", "label": ' + "[" * 90 + "]" * 90 + "}",
        '{"file_name": "a.png", "mnv2": 7}',
        '{"file_name": "a.png", "mnv2": "{}"}',
        '{"file_name": "a.png", "mnv2": "[1]"}',
        '{"file_name": "a.png", "mnv2": {"path": 7}}',
        '{"file_name": "a.png", "mnv2": {"path": "a", "predictions": [7]}}',
        '{"file_name": "a.png", "mnv2": {"path": "a", "predictions": '
        '[{"wnid": "", "label": "x", "score": 1e400}]}}',
    ],
)
def test_damaged_line_is_one_error_with_its_number(tmp_path: Path, line: str) -> None:
    path = tmp_path / "metadata.jsonl"
    path.write_text('{"file_name": "a.png"}\n\n' + line + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"metadata\.jsonl': line 3: ") as caught:
        read(tmp_path, "imagefolder")
    assert len(caught.value.message) < 500


def test_line_that_never_ends_is_refused(tmp_path: Path) -> None:
    with open(tmp_path / "metadata.jsonl", "wb") as file:
        file.truncate(20 << 20)
    with pytest.raises(InputError, match="line 1"):
        read(tmp_path, "imagefolder")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("file_name,label\na.png,x\nb.png\n", "line 3"),
        ("file_name,label\na.png,x\n../b.png,x\n", "line 3"),
        ("name,label\na.png,x\n", "line 2: it has no 'file_name'"),
        ('file_name,label\n"' + "x" * 200_000, "field"),
        ("file_name,path,status,error,label_1,wnid_1,score_1\na.png,b,ok,,x,n,nan\n", "line 2"),
    ],
)
def test_damaged_csv_is_one_error(tmp_path: Path, text: str, where: str) -> None:
    (tmp_path / "metadata.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=where):
        read(tmp_path, "imagefolder-csv")


def test_link_to_a_folder_outside_is_not_followed(tmp_path: Path) -> None:
    draw(tmp_path / "outside" / "a.png", 0)
    draw(tmp_path / "set" / "cat" / "a.png", 0)
    (tmp_path / "set" / "dog").symlink_to(tmp_path / "outside")
    assert [each.path for each in read(tmp_path / "set", "imagefolder")] == [
        str(tmp_path / "set" / "cat" / "a.png")
    ]
