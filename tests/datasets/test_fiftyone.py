"""FiftyOne's image classification datasets."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from mnv2cli.errors import InputError
from mnv2cli.records import Prediction, Record
from tests.datasets.annotated import content, dump, write
from tests.datasets.made import HOSTILE, read, records_of

LABEL = {
    "type": "object",
    "required": ["label"],
    "properties": {
        "label": {"type": "string"},
        "confidence": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
        "attributes": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
LABELS = {
    "type": "object",
    "required": ["classes", "labels"],
    "properties": {
        "classes": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        "labels": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": LABEL},
        },
    },
}
"""The properties of labels.json, after FiftyOneImageClassificationDataset in
https://docs.voxel51.com/user_guide/import_datasets.html, with a list of labels for each photo."""


def places(path: Path) -> dict[str, str]:
    """Return where FiftyOne finds the images, by the keys of their labels."""
    data = json.loads((path / "data.json").read_bytes())
    return {os.path.splitext(key)[0]: os.path.normpath(path / place) for key, place in data.items()}


def foreign(folder: Path, labels: Any, **more: Any) -> Path:
    """Write a dataset as FiftyOne exports it."""
    path = folder / "exported"
    (path / "data" / "sub").mkdir(parents=True)
    (path / "data" / "a.jpg").write_bytes(b"")
    (path / "data" / "sub" / "b.png").write_bytes(b"")
    dump(path / "labels.json", {"classes": ["cat", "dog"], "labels": labels, **more})
    return path


@pytest.mark.readers
def test_labels_have_the_documented_properties(tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    made = content(write(tmp_path, "fiftyone", records_of(HOSTILE)))
    jsonschema.validate(made, LABELS)
    for labels in made["labels"].values():
        assert {each["label"] for each in labels} <= set(made["classes"])


def test_labels_are_all_predictions_with_confidence(tmp_path: Path) -> None:
    made = content(write(tmp_path, "fiftyone", records_of(["cat", "dog"])))
    labels = made["labels"]["sub/1.png"]
    assert [(each["label"], each["confidence"]) for each in labels] == [
        ("dog", 0.75),
        ("other", 0.125),
    ]
    assert labels[0]["attributes"] == {"wnid": "n1"}
    assert made["classes"] == ["cat", "dog", "other"]


@pytest.mark.parametrize("images", ["reference", "copy"])
def test_photos_with_one_stem_have_a_key_and_a_place_each(tmp_path: Path, images: str) -> None:
    names = ["a.jpg", "a.png", "b/.c", "b/d", "/far/e.jpg"]
    if images == "copy":
        names = [f"images/{name}" for name in names[:-1]]
    records = records_of([*"abcde"][: len(names)])
    path = write(tmp_path, "fiftyone", records, names, images=images)
    start = path if images == "copy" else tmp_path
    assert places(path) == {name: str(start / name) for name in names}
    assert list(content(path)["labels"]) == names
    found = read(path, "fiftyone", original=False)
    assert [each.path for each in found] == [str(start / name) for name in names]


def test_photo_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'a\.jpg' occurs twice"):
        write(tmp_path, "fiftyone", records_of(["a", "b"]), ["a.jpg", "a.jpg"])


def test_changed_label_counts_more_than_the_record(tmp_path: Path) -> None:
    path = write(tmp_path, "fiftyone", records_of(["cat", "dog"]))
    made = content(path)
    made["labels"]["sub/0.png"][0]["label"] = "lynx"
    dump(path / "labels.json", made)
    found = read(path, "fiftyone")
    assert found[0] == Record("../photos/sub/0.png", (Prediction("n0", "lynx", 0.75),))
    assert found[1] == records_of(["cat", "dog"])[1]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("lynx", [("lynx", 1.0)]),
        (1, [("dog", 1.0)]),
        (None, []),
        ([], []),
        ({"label": 0, "confidence": 0.5}, [("cat", 0.5)]),
        ({"label": "cat", "confidence": None, "attributes": {"x": 7}}, [("cat", 1.0)]),
        (["cat", "dog"], [("cat", 1.0), ("dog", 1.0)]),
        ([{"label": "cat", "confidence": 0.1}, {"label": "dog"}], [("dog", 1.0), ("cat", 0.1)]),
    ],
)
def test_labels_of_others_are_read(tmp_path: Path, target: Any, expected: Any) -> None:
    path = foreign(tmp_path, {"a": target, "sub/b": "dog"})
    first, second = read(path, "fiftyone")
    assert first.path == str(path / "data" / "a.jpg")
    assert [(each.label, each.score) for each in first.predictions] == expected
    assert second == Record(str(path / "data" / "sub" / "b.png"), (Prediction("", "dog", 1.0),))
    assert read(path / "labels.json", "fiftyone") == [first, second]


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        (["a"], r"labels\[0\]: the labels are not an object"),
        ({"../../x": "cat"}, r"'\.\./\.\./x' is not in the folder"),
        ({"../x": "cat"}, r"'\.\./x' is not in the folder"),
        ({"/etc/x": "cat"}, "'/etc/x' is not in the folder"),
        ({"a": 7}, r"labels\['a'\]: the dataset has no class 7"),
        ({"a": True}, "a label is missing, or is not a text"),
        ({"a": {}}, "a label is missing"),
        ({"a": [["cat"]]}, "a label is missing"),
        ({"a": {"label": "cat", "confidence": "1"}}, "its score is not a number"),
        ({"a": {"label": "cat", "confidence": -1}}, "not between 0 and 1"),
        ({"a": {"label": "cat", "attributes": 7}}, "'attributes' is not an object"),
        ({"a": {"label": "cat", "attributes": {"wnid": 7}}}, "its wnid is not a text"),
        ({"a": {"label": "cat", "mnv2": 7}}, "'mnv2' is not the record of a photo"),
    ],
)
def test_hostile_labels_are_one_error_that_names_the_photo(
    tmp_path: Path, labels: Any, why: str
) -> None:
    with pytest.raises(InputError, match=why) as caught:
        read(foreign(tmp_path, labels), "fiftyone")
    assert "labels[" in caught.value.message


@pytest.mark.parametrize("classes", [[7], [""], [["a"]]])
def test_classes_that_are_not_texts_are_refused(tmp_path: Path, classes: Any) -> None:
    with pytest.raises(InputError, match=r"classes\[0\]: the name of the class"):
        read(foreign(tmp_path, {"a": "cat"}, classes=classes), "fiftyone")


def test_key_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    path = foreign(tmp_path, {})
    (path / "labels.json").write_text('{"labels": {"a": "cat", "a": "dog"}}')
    with pytest.raises(InputError, match=r"labels\['a'\]: it occurs twice"):
        read(path, "fiftyone")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"a.jpg": "../../x.jpg"}, r"'\.\./\.\./x\.jpg' is not in the folder"),
        ({"a.jpg": "/etc/x.jpg"}, "is not in the folder"),
        ({"a.jpg": 7}, "the place of the image"),
        ({"a.jpg": ["x.jpg"]}, "the place of the image"),
        ({"a.jpg": {}}, "the place of the image"),
    ],
)
def test_hostile_places_are_refused(tmp_path: Path, data: Any, why: str) -> None:
    path = foreign(tmp_path, {"a": "cat"})
    dump(path / "data.json", data)
    with pytest.raises(InputError, match=why):
        read(path, "fiftyone")
